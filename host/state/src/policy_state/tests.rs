use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::limits::{MAX_KEY_BYTES, MAX_VALUE_BYTES};

fn state() -> PolicyState {
    PolicyState::new(PolicyName::new("learner"), [], None)
}

fn keys(listed: &[(Box<str>, StateEntry)]) -> Vec<&str> {
    listed.iter().map(|(key, _)| &**key).collect()
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

#[test]
fn an_entry_expires_after_its_time_to_live() {
    let state = state();
    state.set("a", bytes("1"), Some(Duration::from_millis(50)), 1_000).unwrap();
    assert_eq!(state.get("a", 1_049).unwrap().value, "1");
    assert_eq!(state.get("a", 1_050), None);
    // A counter counts from zero again, and keeps its time while it counts.
    assert_eq!(state.add("a", 5, Some(1_100), 1_050), Ok(5));
    assert_eq!(state.add("a", 1, Some(9_999), 1_099), Ok(6));
    assert_eq!(state.get("a", 1_100), None);
}

#[test]
fn a_counter_is_its_decimal_digits() {
    let state = state();
    assert_eq!(state.add("n", -3, None, 0), Ok(-3));
    assert_eq!(state.get("n", 0).unwrap().value, "-3");
    state.set("n", bytes("40"), None, 0).unwrap();
    assert_eq!(state.add("n", 2, None, 0), Ok(42));
    assert_eq!(state.add("n", i64::MAX, None, 0), Ok(i64::MAX));
    state.set("n", bytes("4.0"), None, 0).unwrap();
    assert_eq!(state.add("n", 2, None, 0), Err(WriteError::NotANumber));
    assert_eq!(state.get("n", 0).unwrap().value, "4.0");
}

#[test]
fn keys_and_values_are_bounded() {
    let state = state();
    let set = |key: &str, size: usize| state.set(key, vec![b'x'; size].into(), None, 0);
    assert_eq!(set("", 1), Err(WriteError::InvalidKey));
    assert_eq!(set(&"k".repeat(MAX_KEY_BYTES + 1), 1), Err(WriteError::InvalidKey));
    assert_eq!(set("k", MAX_VALUE_BYTES + 1), Err(WriteError::TooLarge));
    assert_eq!(set(&"k".repeat(MAX_KEY_BYTES), MAX_VALUE_BYTES), Ok(()));
    state.delete(&"k".repeat(MAX_KEY_BYTES));

    // 255 values of the largest size and their keys leave less room than one more needs.
    for number in 0..255 {
        set(&format!("{number:03}"), MAX_VALUE_BYTES).unwrap();
    }
    assert_eq!(set("last", MAX_VALUE_BYTES), Err(WriteError::Full));
    assert_eq!(state.add("last", 1, None, 0), Ok(1));
    // A value in place of another one needs only the difference.
    assert_eq!(set("000", MAX_VALUE_BYTES), Ok(()));
    state.delete("001");
    assert_eq!(set("last", MAX_VALUE_BYTES), Ok(()));
}

#[test]
fn the_number_of_keys_is_bounded_and_expired_ones_make_room() {
    let state = state();
    let expiring = Some(Duration::from_millis(10));
    for number in 0..MAX_KEYS {
        state.set(&number.to_string(), bytes(""), expiring.filter(|_| number % 2 == 0), 0).unwrap();
    }
    assert_eq!(state.set("more", bytes(""), None, 9), Err(WriteError::Full));
    assert_eq!(state.set("more", bytes(""), None, 10), Ok(()));
    let StateSize { keys, bytes, .. } = state.size();
    assert_eq!(keys, MAX_KEYS / 2 + 1);
    let listed = state.list_with(None, "", None, usize::MAX, 10);
    assert_eq!(listed.len(), MAX_LISTED);
    let odd: usize =
        (0..MAX_KEYS).filter(|number| number % 2 == 1).map(|number| number.to_string().len()).sum();
    assert_eq!(bytes, odd + "more".len());
}

#[test]
fn a_list_goes_on_after_a_key_and_is_bounded_in_bytes() {
    let state = state();
    for key in ["a/1", "a/2", "a/3", "b/1", "a"] {
        state.set(key, bytes(key), None, 0).unwrap();
    }
    assert_eq!(keys(&state.list("a/", None, 10)), ["a/1", "a/2", "a/3"]);
    assert_eq!(keys(&state.list("a/", None, 2)), ["a/1", "a/2"]);
    assert_eq!(keys(&state.list("a/", Some("a/1"), 10)), ["a/2", "a/3"]);
    assert_eq!(keys(&state.list("a/", Some("a"), 10)), ["a/1", "a/2", "a/3"]);
    assert_eq!(keys(&state.list("", None, 10)), ["a", "a/1", "a/2", "a/3", "b/1"]);
    assert!(state.list("a/", None, 0).is_empty());
    for number in 0..6 {
        state.set(&format!("big/{number}"), vec![0; MAX_VALUE_BYTES].into(), None, 0).unwrap();
    }
    assert_eq!(state.list("big/", None, 10).len(), 3);
}

#[test]
fn entries_are_replaced_as_a_whole() {
    let state = state();
    state.set("a", bytes("1"), Some(Duration::from_millis(1)), 0).unwrap();
    state.set("b", bytes("2"), None, 0).unwrap();
    state.replace([("b", bytes("3")), ("c", bytes("4"))]).unwrap();
    assert_eq!(keys(&state.list("", None, 9)), ["b", "c"]);
    assert_eq!((state.value("b"), state.value("a")), (Some(bytes("3")), None));
    assert_eq!(state.replace([("", bytes("5"))]), Err(WriteError::InvalidKey));
    assert_eq!(state.size().keys, 0);
}

#[test]
fn what_the_state_has_no_room_for_is_dropped_when_an_overlay_is_merged() {
    let state = state();
    for number in 0..MAX_KEYS - 1 {
        state.set(&number.to_string(), bytes(""), None, 0).unwrap();
    }
    let overlay = Overlay::default();
    for key in ["x", "y"] {
        overlay.lock().put(key, Change::Set(StateEntry::counter(1, None))).unwrap();
    }
    overlay.lock().put("0", Change::Set(StateEntry::counter(7, None))).unwrap();
    assert_eq!(state.merge(&overlay), 1);
    assert!(overlay.is_empty());
    assert_eq!(state.get("0", 0).unwrap().value, "7");
    assert_eq!((state.get("x", 0).is_some(), state.get("y", 0).is_some()), (true, false));
}

/// Write of a policy.
#[derive(Clone, Debug)]
enum Write {
    Set(String, String),
    Delete(String),
    Add(String, i64),
}

fn write() -> impl Strategy<Value = Write> {
    let key = || prop::sample::select(vec!["a", "a/1", "a/2", "b"]).prop_map(str::to_owned);
    prop_oneof![
        (key(), prop::sample::select(vec!["1", "-5", "text", ""]))
            .prop_map(|(key, value)| Write::Set(key, value.to_owned())),
        key().prop_map(Write::Delete),
        (key(), -3_i64..4).prop_map(|(key, amount)| Write::Add(key, amount)),
    ]
}

proptest! {
    /// A reader sees the same through an overlay as if its changes had been made, and so does
    /// everybody after the merge.
    #[test]
    fn an_overlay_shows_and_merges_what_direct_writes_would_have_done(
        before in prop::collection::vec(write(), 0..8), after in prop::collection::vec(write(), 0..12),
    ) {
        let [direct, below] = [(); 2].map(|()| state());
        let apply = |state: &PolicyState, write: &Write| match write {
            Write::Set(key, value) => state.set(key, bytes(value), None, 0).map(|()| 0),
            Write::Delete(key) => { state.delete(key); Ok(0) }
            Write::Add(key, amount) => state.add(key, *amount, None, 0),
        };
        for write in &before {
            prop_assert_eq!(apply(&direct, write), apply(&below, write));
        }
        let overlay = Overlay::default();
        for write in &after {
            let mut changes = overlay.lock();
            let overlaid = match write {
                Write::Set(key, value) => {
                    changes.put(key, Change::Set(StateEntry::new(bytes(value), None, 0))).map(|()| 0)
                }
                Write::Delete(key) => changes.put(key, Change::Delete).map(|()| 0),
                Write::Add(key, amount) => {
                    Change::plus(changes.get(key), below.get(key, 0).as_ref(), *amount, None, 0)
                        .and_then(|(change, sum)| changes.put(key, change).map(|()| sum))
                }
            };
            prop_assert_eq!(apply(&direct, write), overlaid);
        }
        let all = |state: &PolicyState, changes: Option<&Changes>| {
            state.list_with(changes, "", None, 100, 0).into_iter().collect::<BTreeMap<_, _>>()
        };
        prop_assert_eq!(all(&below, Some(&overlay.lock())), all(&direct, None));
        prop_assert_eq!(below.merge(&overlay), 0);
        prop_assert_eq!(all(&below, None), all(&direct, None));
        prop_assert_eq!(below.size().bytes, direct.size().bytes);
    }
}
