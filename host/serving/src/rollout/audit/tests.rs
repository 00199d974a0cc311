use super::*;

fn event(number: u64) -> Event {
    Event { at: number, ..Event::new(Actor::Admin("alice".to_owned()), "pin") }
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

#[test]
fn events_that_find_no_room_are_written_in_order_when_there_is_some() {
    use std::io::{Read, Seek};
    let audit = Audit::default();
    audit.log().file = Some(File::options().write(true).open("/dev/full").unwrap());
    audit.note(event(1));
    audit.note(event(2));
    assert!(audit.is_unwritten());
    assert_eq!(audit.newest(10), [event(2), event(1)]);
    let mut file = tempfile::tempfile().unwrap();
    audit.log().file = Some(file.try_clone().unwrap());
    audit.note(event(3));
    assert!(!audit.is_unwritten());
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    let events: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events, [event(1), event(2), event(3)]);
}
