use std::fs;
use std::path::Path;

use pointsman_domain::ids::{Digest, PolicyName};

use super::*;

fn state(number: u8) -> RolloutState {
    let mut state = RolloutState::default();
    state.policy_mut(&PolicyName::new("own")).active = Some(Digest::new([number; 32]));
    state
}

fn stored(directory: &Path) -> RolloutState {
    serde_json::from_slice(&fs::read(directory.join("rollouts.json")).unwrap()).unwrap()
}

#[test]
fn a_state_that_cannot_be_stored_is_not_in_force() {
    let directory = tempfile::tempdir().unwrap();
    let rollouts = Rollouts::open(Some(directory.path())).unwrap();
    rollouts.store(state(1)).unwrap();
    // A directory in the place of the file makes the write fail.
    let obstacle = directory.path().join("rollouts.new");
    fs::create_dir(&obstacle).unwrap();
    let error = rollouts.store(state(2)).unwrap_err().to_string();
    assert!(error.contains("rollouts.json") && error.contains("state.dir"), "{error}");
    assert_eq!((rollouts.state(), stored(directory.path())), (state(1), state(1)));

    // A change that must not wait takes effect, and is stored once that is possible again.
    rollouts.put_in_force(state(3));
    assert_eq!((rollouts.state(), stored(directory.path())), (state(3), state(1)));
    assert!(rollouts.is_unsaved());
    rollouts.store_unsaved();
    assert!(rollouts.is_unsaved());
    fs::remove_dir(&obstacle).unwrap();
    rollouts.store_unsaved();
    assert!(!rollouts.is_unsaved());
    assert_eq!(stored(directory.path()), state(3));
}

#[test]
fn a_state_stored_despite_an_error_is_replaced_by_the_one_in_force() {
    let directory = tempfile::tempdir().unwrap();
    let rollouts = Rollouts::open(Some(directory.path())).unwrap();
    rollouts.store(state(1)).unwrap();
    let obstacle = directory.path().join("rollouts.new");
    fs::create_dir(&obstacle).unwrap();
    rollouts.store(state(2)).unwrap_err();
    fs::remove_dir(&obstacle).unwrap();
    // As if the disk had failed after the file had its name.
    let other = serde_json::to_vec(&state(2)).unwrap();
    fs::write(directory.path().join("rollouts.json"), other).unwrap();
    rollouts.store_unsaved();
    assert_eq!(stored(directory.path()), state(1));
}
