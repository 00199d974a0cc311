use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, channel};

use bytes::Bytes;

use super::*;
use crate::durable::StoredChange;

/// Attempt to store changes: whether it failed, and the changes.
type Attempt = (bool, Vec<StoredChange>);

/// Storage that reports each attempt, and fails on request.
struct Scripted {
    attempts: Sender<Attempt>,
    fails: Arc<AtomicBool>,
    entries: BTreeMap<(PolicyName, Box<str>), crate::StateEntry>,
}

impl DurableStore for Scripted {
    fn load(&mut self, policy: &PolicyName) -> Result<Vec<StoredEntry>, DurableError> {
        let own = self.entries.iter().filter(|((owner, _), _)| owner == policy);
        Ok(own.map(|((_, key), entry)| StoredEntry { key: key.clone(), entry: entry.clone() }).collect())
    }

    fn store(&mut self, changes: &[StoredChange]) -> Result<(), DurableError> {
        let fails = self.fails.load(Ordering::Relaxed);
        // The test may have ended.
        let _ = self.attempts.send((fails, changes.to_vec()));
        if fails { Err(DurableError("the disk is full".to_owned())) } else { Ok(()) }
    }
}

fn scripted(fails: bool) -> (StateStores, Receiver<Attempt>, Arc<AtomicBool>) {
    let (attempts, received) = channel();
    let fails = Arc::new(AtomicBool::new(fails));
    let storage = Scripted { attempts, fails: Arc::clone(&fails), entries: BTreeMap::new() };
    (StateStores::with_storage(storage).unwrap(), received, fails)
}

fn set(state: &PolicyState, key: &str, value: &'static str) {
    state.set(key, Bytes::from_static(value.as_bytes()), None, 0).unwrap();
}

#[test]
fn changes_of_all_policies_share_a_transaction_and_only_the_last_of_a_key_is_stored() {
    let (stores, attempts, _) = scripted(false);
    let [a, b] = ["a", "b"].map(|name| stores.of(&PolicyName::new(name)).unwrap());
    set(&a, "k", "1");
    set(&a, "k", "2");
    set(&b, "k", "3");
    b.delete("k");
    // The first transaction may begin before the last of these changes.
    let mut last = BTreeMap::new();
    while last.get(&("b".to_owned(), "k".into())) != Some(&None) {
        for change in attempts.recv().unwrap().1 {
            let value = change.entry.map(|entry| entry.value);
            last.insert((change.policy.as_str().to_owned(), change.key), value);
        }
    }
    assert_eq!(last[&("a".to_owned(), "k".into())], Some("2".into()));
}

#[test]
fn reads_and_writes_go_on_while_the_storage_fails_and_nothing_is_lost() {
    let (stores, attempts, fails) = scripted(true);
    let state = stores.of(&PolicyName::new("a")).unwrap();
    set(&state, "k", "1");
    let (failed, changes) = attempts.recv().unwrap();
    assert_eq!((failed, changes.len()), (true, 1));
    set(&state, "l", "2");
    assert_eq!(state.get("k", 0).unwrap().value, "1");
    // The attempt after this one begins when this one has been counted.
    assert!(attempts.recv().unwrap().0);
    assert!(stores.storage().unwrap().failures >= 1);
    fails.store(false, Ordering::Relaxed);
    drop(stores);
    let stored: Vec<StoredChange> =
        attempts.iter().filter(|(failed, _)| !failed).flat_map(|it| it.1).collect();
    let mut keys: Vec<&str> = stored.iter().map(|change| &*change.key).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["k", "l"]);
}

#[test]
fn the_last_changes_are_stored_when_the_stores_are_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let name = PolicyName::new("a");
    let stores = StateStores::open(&path).unwrap();
    let state = stores.of(&name).unwrap();
    assert!(Arc::ptr_eq(&state, &stores.of(&name).unwrap()));
    set(&state, "k", "1");
    state.add("n", 5, None, 0).unwrap();
    drop(stores);
    let stores = StateStores::open(&path).unwrap();
    let state = stores.of(&name).unwrap();
    assert_eq!(state.get("k", 0).unwrap().value, "1");
    assert_eq!(state.add("n", 1, None, 0), Ok(6));
    assert_eq!(stores.of(&PolicyName::new("b")).unwrap().size().keys, 0);
}

#[test]
fn a_file_in_use_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let _stores = StateStores::open(&path).unwrap();
    assert!(StateStores::open(&path).is_err());
}

#[test]
fn a_closed_storage_can_be_opened_again_while_states_are_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let name = PolicyName::new("a");
    let stores = StateStores::open(&path).unwrap();
    let state = stores.of(&name).unwrap();
    set(&state, "k", "1");
    assert!(stores.close(Duration::from_secs(60)));
    // It goes on in memory.
    set(&state, "k", "2");
    assert!(stores.of(&PolicyName::new("b")).is_err());
    let next = StateStores::open(&path).unwrap();
    assert_eq!(next.of(&name).unwrap().get("k", 0).unwrap().value, "1");
}
