use super::*;

fn progress(plan: &Plan, parallel: usize) -> PlanProgress {
    PlanProgress::new(plan, parallel)
}

fn all(progress: &mut PlanProgress) -> Vec<usize> {
    std::iter::from_fn(|| progress.begin()).collect()
}

#[test]
fn independent_tasks_start_at_once_and_others_after_their_dependencies() {
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
fn no_more_tasks_run_than_the_limit() {
    let mut tasks: Vec<TaskProposal> = (0..5).map(|at| task(&format!("t{at}"), &[])).collect();
    tasks.push(task("last", &[0, 1, 2, 3, 4]));
    let plan = checked(plan(tasks)).unwrap();
    let mut progress = progress(&plan, 2);
    assert_eq!(all(&mut progress), [0, 1]);
    progress.ended(0);
    assert_eq!(all(&mut progress), [2]);
}

#[test]
fn the_end_of_a_task_that_does_not_run_changes_nothing() {
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
