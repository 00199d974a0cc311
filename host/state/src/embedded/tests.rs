use super::*;

fn change(policy: &str, key: &str, value: Option<&str>) -> StoredChange {
    let entry = value.map(|value| StateEntry {
        value: Bytes::copy_from_slice(value.as_bytes()),
        expires_ms: value.starts_with('!').then_some(7),
    });
    StoredChange { policy: PolicyName::new(policy), key: key.into(), entry }
}

fn load(store: &mut EmbeddedStore, policy: &str) -> Vec<(String, String, Option<u64>)> {
    let entries = store.load(&PolicyName::new(policy)).unwrap();
    let text = |entry: &StateEntry| String::from_utf8(entry.value.to_vec()).unwrap();
    entries.iter().map(|it| (it.key.to_string(), text(&it.entry), it.entry.expires_ms)).collect()
}

#[test]
fn a_policy_has_its_own_entries_after_the_file_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let mut store = EmbeddedStore::open(&path).unwrap();
    assert!(load(&mut store, "a").is_empty());
    store
        .store(&[change("a", "k", Some("1")), change("ab", "k", Some("2")), change("a", "l", Some("!3"))])
        .unwrap();
    store.store(&[change("a", "k", None), change("a", "m", Some(""))]).unwrap();
    drop(store);
    let mut store = EmbeddedStore::open(&path).unwrap();
    let entry = |key: &str, value: &str, expiry| (key.to_owned(), value.to_owned(), expiry);
    assert_eq!(load(&mut store, "a"), [entry("l", "!3", Some(7)), entry("m", "", None)]);
    assert_eq!(load(&mut store, "ab"), [entry("k", "2", None)]);
    assert!(load(&mut store, "").is_empty());
}

#[test]
fn a_file_that_is_none_of_ours_is_an_error_and_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    std::fs::write(&path, "a text of somebody").unwrap();
    let error = EmbeddedStore::open(&path).unwrap_err().to_string();
    assert!(error.contains("cannot open") && error.contains("state.redb"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"a text of somebody");
}
