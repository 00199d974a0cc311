use super::*;

fn progress(plan: &Plan, parallel: usize) -> PlanProgress {
    PlanProgress::new(plan, parallel)
}

fn all(progress: &mut PlanProgress) -> Vec<usize> {
    std::iter::from_fn(|| progress.begin()).collect()
}

#[test]
fn what_can_run_side_by_side_begins_at_once_and_the_rest_when_its_turn_comes() {
    let plan =
        checked(plan(vec![task("a", &[]), task("b", &[]), task("c", &[0]), task("d", &[1, 2])])).unwrap();
    let mut progress = progress(&plan, 8);
    assert_eq!(all(&mut progress), [0, 1]);
    progress.ended(1);
    assert_eq!(all(&mut progress), [] as [usize; 0]);
    progress.ended(0);
    assert_eq!(all(&mut progress), [2]);
    progress.ended(2);
    assert_eq!(all(&mut progress), [3]);
    assert!(!progress.is_over());
    progress.ended(3);
    assert!(progress.is_over());
}

#[test]
fn no_more_run_at_once_than_may() {
    let mut tasks: Vec<TaskProposal> = (0..5).map(|at| task(&format!("t{at}"), &[])).collect();
    tasks.push(task("last", &[0, 1, 2, 3, 4]));
    let plan = checked(plan(tasks)).unwrap();
    let mut progress = progress(&plan, 2);
    assert_eq!(all(&mut progress), [0, 1]);
    progress.ended(0);
    assert_eq!(all(&mut progress), [2]);
}

#[test]
fn numbers_of_tasks_that_do_not_run_change_nothing() {
    let proposal =
        PlanProposal { next: Continuation::Answer(11), ..plan(vec![task("a", &[]), task("b", &[10])]) };
    let plan = checked_after(10, proposal, PlanLimits::default()).unwrap();
    let mut progress = progress(&plan, 8);
    assert_eq!(all(&mut progress), [10]);
    progress.ended(3);
    progress.ended(99);
    progress.ended(10);
    assert_eq!(all(&mut progress), [11]);
}
