//! Random plans: in every order of ends, each task runs once, after its dependencies.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Dependencies of each task among the earlier ones, and the order in which running tasks end.
fn graph() -> impl Strategy<Value = (Vec<Vec<usize>>, Vec<usize>)> {
    let edges = vec(vec(any::<prop::sample::Index>(), 0..4), 1..24);
    (edges, vec(any::<usize>(), 64)).prop_map(|(edges, endings)| {
        let after = |(at, edges): (usize, &Vec<prop::sample::Index>)| {
            let edges = edges.iter().filter(|_| at > 0).map(|edge| edge.index(at));
            edges.collect::<BTreeSet<_>>().into_iter().collect()
        };
        (edges.iter().enumerate().map(after).collect(), endings)
    })
}

fn proposal(after: &[Vec<usize>]) -> PlanProposal {
    let tasks = after.iter().enumerate().map(|(at, after)| task(&format!("t{at}"), after)).collect();
    PlanProposal { next: Continuation::Resume(Vec::new()), ..plan(tasks) }
}

proptest! {
    #[test]
    fn each_task_begins_once_and_after_those_it_waits_for((after, endings) in graph(), parallel in 1_usize..6) {
        let limits = PlanLimits { depth: 64, ..PlanLimits::default() };
        let plan = checked_after(0, proposal(&after), limits).unwrap();
        let mut progress = PlanProgress::new(&plan, parallel);
        let (mut running, mut begun, mut ended): (Vec<usize>, Vec<usize>, Vec<usize>) = Default::default();
        for ending in endings.iter().cycle() {
            while let Some(task) = progress.begin() {
                prop_assert!(plan.tasks()[task].after.iter().all(|before| ended.contains(before)));
                running.push(task);
                begun.push(task);
            }
            prop_assert!(running.len() <= parallel);
            if running.is_empty() {
                break;
            }
            let next = running.swap_remove(ending % running.len());
            ended.push(next);
            progress.ended(next);
        }
        begun.sort_unstable();
        prop_assert!(progress.is_over());
        prop_assert_eq!(begun, (0..after.len()).collect::<Vec<_>>());
    }

    #[test]
    fn any_proposal_is_accepted_or_refused_but_never_a_panic(
        after in vec(vec(0_usize..12, 0..4), 0..10),
        uses in vec(0_usize..12, 0..10),
        answer in 0_usize..12,
        first in 0_usize..4,
    ) {
        let mut tasks: Vec<TaskProposal> =
            after.iter().enumerate().map(|(at, after)| task(&format!("t{at}"), after)).collect();
        for (task, used) in tasks.iter_mut().zip(uses) {
            task.input = vec![message(vec![output(used)])];
        }
        let proposal = PlanProposal { next: Continuation::Answer(answer), ..plan(tasks) };
        if let Ok(plan) = checked_after(first, proposal, PlanLimits::default()) {
            for task in plan.tasks() {
                prop_assert_eq!(task.after.iter().collect::<BTreeSet<_>>().len(), task.after.len());
            }
            let mut progress = PlanProgress::new(&plan, 4);
            while let Some(task) = progress.begin() {
                progress.ended(task);
            }
            prop_assert!(progress.is_over());
        }
    }
}
