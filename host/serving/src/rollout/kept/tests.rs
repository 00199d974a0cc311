use std::os::unix::fs::PermissionsExt;

use pointsman_domain::ids::PolicyName;

use super::*;

fn state_with(versions: &[Digest]) -> State {
    let mut state = State::default();
    let policy = state.policy_mut(&PolicyName::new("own"));
    policy.active = versions.first().copied();
    policy.previous = versions.get(1).copied();
    state
}

#[test]
fn code_is_kept_as_long_as_the_state_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let (kept, state) = Kept::open(Some(directory.path())).unwrap();
    assert_eq!(state, State::default());
    let (one, two) = (Code::new(b"one".to_vec()), Code::new(b"two".to_vec()));
    kept.keep(&one).unwrap();
    kept.keep(&two).unwrap();
    kept.save(&state_with(&[one.digest(), two.digest()])).unwrap();
    drop(kept);
    let (again, state) = Kept::open(Some(directory.path())).unwrap();
    assert_eq!(state, state_with(&[one.digest(), two.digest()]));
    assert_eq!(again.code(one.digest()).unwrap().bytes(), b"one");
    again.save(&state_with(&[two.digest()])).unwrap();
    assert!(again.code(one.digest()).is_none());
    assert!(again.has(two.digest()));
}

#[test]
fn a_damaged_file_is_no_code() {
    let directory = tempfile::tempdir().unwrap();
    let (kept, _) = Kept::open(Some(directory.path())).unwrap();
    let code = Code::new(b"code".to_vec());
    kept.keep(&code).unwrap();
    fs::write(code_path(directory.path(), code.digest()), b"cod").unwrap();
    assert!(kept.code(code.digest()).is_none());
    kept.keep(&code).unwrap();
    assert_eq!(kept.code(code.digest()).unwrap().bytes(), b"code", "written again");
}

#[test]
fn without_a_directory_only_uploads_are_kept() {
    let (kept, _) = Kept::open(None).unwrap();
    let code = Code::new(b"code".to_vec());
    kept.keep(&code).unwrap();
    assert!(kept.code(code.digest()).is_none());
    kept.keep_uploaded(code.clone()).unwrap();
    assert_eq!(kept.versions(), [code.digest()]);
    kept.save(&State::default()).unwrap();
    assert!(kept.code(code.digest()).is_none());
}

#[test]
fn others_cannot_look_into_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let inside = directory.path().join("state");
    Kept::open(Some(&inside)).unwrap();
    assert_eq!(fs::metadata(&inside).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_directory_that_cannot_be_made_is_told_with_its_key() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Kept::open(Some(&file.path().join("state"))).unwrap_err().to_string();
    assert!(error.starts_with("cannot make ") && error.contains("state.dir"), "{error}");
}

#[test]
fn a_directory_is_of_one_gateway_until_it_ends() {
    let directory = tempfile::tempdir().unwrap();
    let first = Kept::open(Some(directory.path())).unwrap();
    let error = Kept::open(Some(directory.path())).unwrap_err().to_string();
    assert!(error.contains(&directory.path().display().to_string()), "{error}");
    assert!(error.contains("another gateway") && error.contains("state.dir"), "{error}");
    drop(first);
    Kept::open(Some(directory.path())).unwrap();
}

#[test]
fn what_a_process_left_unfinished_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let code = directory.path().join(CODE);
    fs::create_dir(&code).unwrap();
    let unfinished = [directory.path().join("rollouts.new"), code.join("0123.new")];
    unfinished.iter().for_each(|path| fs::write(path, "half").unwrap());
    Kept::open(Some(directory.path())).unwrap();
    assert!(unfinished.iter().all(|path| !path.exists()));
}
