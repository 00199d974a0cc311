use pointsman_domain::ids::PolicyName;

use super::*;
use crate::store::StateStores;

fn state() -> Arc<PolicyState> {
    StateStores::in_memory().of(&PolicyName::new("learner")).unwrap()
}

fn call(state: &Arc<PolicyState>, access: &StateAccess) -> StateCall {
    StateCall::new(Arc::clone(state), access, Arc::default())
}

#[test]
fn a_call_sees_its_own_writes_whatever_becomes_of_them() {
    let overlay = Arc::new(Overlay::default());
    for access in [StateAccess::Direct, StateAccess::Overlaid(overlay), StateAccess::Discarded] {
        let state = state();
        call(&state, &StateAccess::Direct).set("a", "1".into(), None).unwrap();
        let mut call = call(&state, &access);
        assert_eq!(call.add("a", 1, None), Ok(2));
        assert_eq!(call.get("a").unwrap(), "2");
        call.delete("a").unwrap();
        assert_eq!(call.get("a"), None);
        call.set("b", "x".into(), None).unwrap();
        let keys: Vec<_> = call.list("", None, 10).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["b".into()], "{access:?}");
    }
}

#[test]
fn writes_of_a_shadow_end_with_the_call_and_those_of_a_canary_stay_apart() {
    let state = state();
    call(&state, &StateAccess::Discarded).set("a", "1".into(), None).unwrap();
    assert_eq!(call(&state, &StateAccess::Discarded).get("a"), None);

    let overlay = Arc::new(Overlay::default());
    let canary = StateAccess::Overlaid(Arc::clone(&overlay));
    call(&state, &canary).set("a", "1".into(), None).unwrap();
    assert_eq!(call(&state, &canary).get("a").unwrap(), "1");
    assert_eq!(call(&state, &StateAccess::Direct).get("a"), None);
    assert_eq!(state.merge(&overlay), 0);
    assert_eq!(call(&state, &StateAccess::Direct).get("a").unwrap(), "1");
}

#[test]
fn the_writes_of_a_call_are_limited_and_counted() {
    let state = state();
    let usage = Arc::<StateUsage>::default();
    let mut call = StateCall::new(Arc::clone(&state), &StateAccess::Direct, Arc::clone(&usage));
    for number in 0..MAX_WRITES - 1 {
        call.add("n", 1, None).unwrap();
        assert_eq!(call.get("n").unwrap(), (number + 1).to_string());
    }
    // A rejected write is one too.
    assert_eq!(call.set("", "x".into(), None), Err(WriteError::InvalidKey));
    assert_eq!(call.delete("n"), Err(WriteError::TooManyWrites));
    assert_eq!(call.list("", None, 1).len(), 1);
    assert_eq!((usage.reads(), usage.writes(), usage.rejected()), (MAX_WRITES, MAX_WRITES - 1, 2));
    assert_eq!(state.size().rejected_writes, 2);
}
