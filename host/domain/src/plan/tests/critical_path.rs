use super::*;

fn span(begun: u64, ended: u64, after: &[usize]) -> TaskSpan {
    TaskSpan {
        begun: Duration::from_millis(begun),
        ended: Duration::from_millis(ended),
        after: after.to_vec(),
    }
}

#[test]
fn the_path_follows_the_last_dependency_of_each_task() {
    let spans = [span(0, 30, &[]), span(0, 50, &[]), span(50, 60, &[0, 1])];
    assert_eq!(critical_path(&spans), [1, 2]);
}

#[test]
fn steps_follow_one_another_without_naming_each_other() {
    let spans = [span(0, 30, &[]), span(0, 20, &[]), span(31, 40, &[]), span(31, 45, &[])];
    assert_eq!(critical_path(&spans), [0, 3]);
}

#[test]
fn an_empty_plan_has_no_path_and_invalid_spans_terminate() {
    assert_eq!(critical_path(&[]), [] as [usize; 0]);
    assert_eq!(critical_path(&[span(0, 1, &[0, 9])]), [0]);
}
