use super::*;

fn event(number: u64) -> AuditEntry {
    AuditEntry { at: number, ..AuditEntry::new(Actor::Admin("alice".to_owned()), "pin") }
}

#[test]
fn entries_survive_a_restart_and_are_listed_newest_first() {
    let directory = tempfile::tempdir().unwrap();
    let audit = AuditLog::open(Some(directory.path())).unwrap();
    let full = event(1)
        .policy(&PolicyName::new("own"))
        .route(&RouteName::new("main"))
        .from(Digest::new([1; 32]))
        .to(Digest::new([2; 32]))
        .why("because");
    audit.record(full.clone());
    audit.record(event(2));
    drop(audit);
    let audit = AuditLog::open(Some(directory.path())).unwrap();
    audit.record(event(3));
    assert_eq!(audit.newest(10), [event(3), event(2), full.clone()]);
    assert_eq!(audit.newest(1), [event(3)]);
}

#[test]
fn a_truncated_line_does_not_affect_others() {
    let directory = tempfile::tempdir().unwrap();
    let audit = AuditLog::open(Some(directory.path())).unwrap();
    audit.record(event(1));
    drop(audit);
    let path = directory.path().join(FILE);
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("{\"at\": 2, \"wh");
    std::fs::write(&path, text).unwrap();
    let audit = AuditLog::open(Some(directory.path())).unwrap();
    audit.record(event(3));
    drop(audit);
    let audit = AuditLog::open(Some(directory.path())).unwrap();
    assert_eq!(audit.newest(10), [event(3), event(1)]);
}

#[test]
fn memory_holds_the_newest_entries_and_the_file_all() {
    let directory = tempfile::tempdir().unwrap();
    let audit = AuditLog::open(Some(directory.path())).unwrap();
    for number in 0..NEWEST as u64 + 5 {
        audit.record(event(number));
    }
    assert_eq!(audit.newest(usize::MAX).len(), NEWEST);
    let lines = std::fs::read_to_string(directory.path().join(FILE)).unwrap();
    assert_eq!(lines.lines().count(), NEWEST + 5);
}

#[test]
fn entries_that_could_not_be_written_are_written_later_in_order() {
    use std::io::{Read, Seek};
    let audit = AuditLog::default();
    audit.log().file = Some(File::options().write(true).open("/dev/full").unwrap());
    audit.record(event(1));
    audit.record(event(2));
    assert!(audit.has_unwritten());
    assert_eq!(audit.newest(10), [event(2), event(1)]);
    let mut file = tempfile::tempfile().unwrap();
    audit.log().file = Some(file.try_clone().unwrap());
    audit.record(event(3));
    assert!(!audit.has_unwritten());
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    let events: Vec<AuditEntry> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events, [event(1), event(2), event(3)]);
}
