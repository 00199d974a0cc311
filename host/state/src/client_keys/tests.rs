use super::*;

fn key(name: &str, byte: u8) -> StoredKey {
    StoredKey {
        name: name.to_owned(),
        sha256: [byte; 32],
        previous: None,
        routes: None,
        created: 7,
        rotated: None,
        expires: None,
        disabled: false,
    }
}

fn names(content: &ClientKeys) -> Vec<&str> {
    content.keys.iter().map(|key| key.name.as_str()).collect()
}

#[test]
fn keys_are_there_after_the_file_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.redb");
    let (mut store, content) = ClientKeyStore::open(&path).unwrap();
    assert_eq!(content, ClientKeys::default());
    assert!(!path.exists(), "a gateway without stored keys has no file of them");
    store.put(&key("b", 1), true).unwrap();
    store.put(&key("a", 2), true).unwrap();
    let changed = StoredKey { disabled: true, expires: Some(9), ..key("b", 3) };
    store.put(&changed, false).unwrap();
    drop(store);

    let (mut store, content) = ClientKeyStore::open(&path).unwrap();
    assert_eq!(content, ClientKeys { keys: vec![key("a", 2), changed], created: 2 });
    store.remove("b").unwrap();
    store.remove("no such key").unwrap();
    drop(store);
    assert_eq!(names(&ClientKeyStore::open(&path).unwrap().1), ["a"]);
}

#[test]
fn a_file_whose_last_key_was_removed_remembers_that_there_were_keys() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.redb");
    let (mut store, _) = ClientKeyStore::open(&path).unwrap();
    store.put(&key("a", 1), true).unwrap();
    store.remove("a").unwrap();
    drop(store);
    let (_, content) = ClientKeyStore::open(&path).unwrap();
    assert_eq!(content, ClientKeys { keys: Vec::new(), created: 1 });
}

#[test]
fn a_file_that_is_none_of_ours_is_an_error_and_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.redb");
    std::fs::write(&path, "a text of somebody").unwrap();
    let error = ClientKeyStore::open(&path).unwrap_err().to_string();
    assert!(error.contains("cannot open") && error.contains("keys.redb"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"a text of somebody");
}

#[test]
fn a_damaged_file_is_an_error_or_has_the_same_keys() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.redb");
    let (mut store, _) = ClientKeyStore::open(&path).unwrap();
    for number in 0..40 {
        store.put(&key(&format!("key-{number:02}"), number), true).unwrap();
    }
    drop(store);
    let (_, whole) = ClientKeyStore::open(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let used: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] != 0).collect();
    let mut refused = 0;
    for at in used.iter().step_by((used.len() / 300).max(1)) {
        let mut damaged = bytes.clone();
        damaged[*at] ^= 0x55;
        std::fs::write(&path, &damaged).unwrap();
        match ClientKeyStore::open(&path) {
            Ok((_, content)) => assert_eq!(content, whole, "byte {at}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 10, "{refused} were refused");
}

#[test]
fn a_change_that_cannot_be_written_is_an_error_and_a_later_one_succeeds() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.redb");
    let (mut store, _) = ClientKeyStore::open(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let error = store.put(&key("a", 1), true).unwrap_err().to_string();
    assert!(error.contains("cannot open") && error.contains("keys.redb"), "{error}");
    std::fs::remove_dir(&path).unwrap();
    store.put(&key("a", 1), true).unwrap();
    drop(store);
    assert_eq!(names(&ClientKeyStore::open(&path).unwrap().1), ["a"]);
}
