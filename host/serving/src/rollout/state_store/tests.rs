use std::os::unix::fs::PermissionsExt;

use pointsman_domain::ids::PolicyName;

use super::*;

fn state_with(versions: &[Digest]) -> RolloutState {
    let mut state = RolloutState::default();
    let policy = state.policy_mut(&PolicyName::new("own"));
    policy.active = versions.first().copied();
    policy.previous = versions.get(1).copied();
    state
}

#[test]
fn code_is_kept_as_long_as_the_state_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let (state_store, state) = StateStore::open(Some(directory.path())).unwrap();
    assert_eq!(state, RolloutState::default());
    let (one, two) = (Code::new(b"one".to_vec()), Code::new(b"two".to_vec()));
    state_store.store_code(&one).unwrap();
    state_store.store_code(&two).unwrap();
    state_store.save(&state_with(&[one.digest(), two.digest()])).unwrap();
    drop(state_store);
    let (again, state) = StateStore::open(Some(directory.path())).unwrap();
    assert_eq!(state, state_with(&[one.digest(), two.digest()]));
    assert_eq!(again.code(one.digest()).unwrap().bytes(), b"one");
    again.save(&state_with(&[two.digest()])).unwrap();
    assert!(again.code(one.digest()).is_none());
    assert!(again.contains_code(two.digest()));
}

#[test]
fn a_damaged_file_is_not_returned_as_code() {
    let directory = tempfile::tempdir().unwrap();
    let (state_store, _) = StateStore::open(Some(directory.path())).unwrap();
    let code = Code::new(b"code".to_vec());
    state_store.store_code(&code).unwrap();
    fs::write(code_path(directory.path(), code.digest()), b"cod").unwrap();
    assert!(state_store.code(code.digest()).is_none());
    state_store.store_code(&code).unwrap();
    assert_eq!(state_store.code(code.digest()).unwrap().bytes(), b"code", "written again");
}

#[test]
fn without_a_directory_only_uploads_are_kept() {
    let (state_store, _) = StateStore::open(None).unwrap();
    let code = Code::new(b"code".to_vec());
    state_store.store_code(&code).unwrap();
    assert!(state_store.code(code.digest()).is_none());
    state_store.store_uploaded_code(code.clone()).unwrap();
    assert_eq!(state_store.versions(), [code.digest()]);
    state_store.save(&RolloutState::default()).unwrap();
    assert!(state_store.code(code.digest()).is_none());
}

#[test]
fn the_directory_is_not_readable_by_other_users() {
    let directory = tempfile::tempdir().unwrap();
    let inside = directory.path().join("state");
    StateStore::open(Some(&inside)).unwrap();
    assert_eq!(fs::metadata(&inside).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn an_error_about_the_directory_names_its_configuration_key() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = StateStore::open(Some(&file.path().join("state"))).unwrap_err().to_string();
    assert!(error.starts_with("cannot make ") && error.contains("state.dir"), "{error}");
}

#[test]
fn a_directory_is_locked_until_its_gateway_ends() {
    let directory = tempfile::tempdir().unwrap();
    let first = StateStore::open(Some(directory.path())).unwrap();
    let error = StateStore::open(Some(directory.path())).unwrap_err().to_string();
    assert!(error.contains(&directory.path().display().to_string()), "{error}");
    assert!(error.contains("another gateway") && error.contains("state.dir"), "{error}");
    drop(first);
    StateStore::open(Some(directory.path())).unwrap();
}

#[test]
fn half_written_files_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    let code = directory.path().join(CODE);
    fs::create_dir(&code).unwrap();
    let unfinished = [directory.path().join("rollouts.new"), code.join("0123.new")];
    unfinished.iter().for_each(|path| fs::write(path, "half").unwrap());
    StateStore::open(Some(directory.path())).unwrap();
    assert!(unfinished.iter().all(|path| !path.exists()));
}
