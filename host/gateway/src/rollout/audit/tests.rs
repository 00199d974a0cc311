use super::*;

fn event(number: u64) -> Event {
    Event { at: number, ..Event::new(Who::Admin("alice".to_owned()), "pin") }
}

#[test]
fn events_are_there_after_a_restart_the_newest_first() {
    let directory = tempfile::tempdir().unwrap();
    let audit = Audit::open(Some(directory.path())).unwrap();
    let full = event(1)
        .policy(&PolicyName::new("own"))
        .route(&RouteName::new("main"))
        .from(Digest::new([1; 32]))
        .to(Digest::new([2; 32]))
        .why("because");
    audit.note(full.clone());
    audit.note(event(2));
    drop(audit);
    let audit = Audit::open(Some(directory.path())).unwrap();
    audit.note(event(3));
    assert_eq!(audit.newest(10), [event(3), event(2), full.clone()]);
    assert_eq!(audit.newest(1), [event(3)]);
}

#[test]
fn a_line_that_was_cut_off_spoils_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let audit = Audit::open(Some(directory.path())).unwrap();
    audit.note(event(1));
    drop(audit);
    let path = directory.path().join(FILE);
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("{\"at\": 2, \"wh");
    std::fs::write(&path, text).unwrap();
    let audit = Audit::open(Some(directory.path())).unwrap();
    audit.note(event(3));
    drop(audit);
    let audit = Audit::open(Some(directory.path())).unwrap();
    assert_eq!(audit.newest(10), [event(3), event(1)]);
}

#[test]
fn memory_holds_the_newest_and_the_file_all() {
    let directory = tempfile::tempdir().unwrap();
    let audit = Audit::open(Some(directory.path())).unwrap();
    for number in 0..NEWEST as u64 + 5 {
        audit.note(event(number));
    }
    assert_eq!(audit.newest(usize::MAX).len(), NEWEST);
    let lines = std::fs::read_to_string(directory.path().join(FILE)).unwrap();
    assert_eq!(lines.lines().count(), NEWEST + 5);
}
