//! State that policies keep between calls.

use std::sync::Arc;

use pointsman_domain::ids::{ModelId, PolicyName};
use pointsman_domain::rating::Rating;
use pointsman_guests::{FIRST, KEEPER};
use pointsman_policy::{
    Code, DecisionInput, Grants, Isolation, Policy, PolicyAnswer, PolicyFailure, PolicySpec, Runtime,
    RuntimeConfig, StateUse,
};
use pointsman_state::{MAX_WRITES, Overlay, StateAccess, StateStores};

use crate::isolation::outcome;
use crate::support::{input, label, load_error, reason, spec};

/// A runtime of its own, whose states no other test changes.
fn runtime(states: StateStores) -> Runtime {
    let config = RuntimeConfig { concurrent_decisions: 2, idle_instances: 1, ..RuntimeConfig::default() };
    Runtime::with_states(config, states).unwrap()
}

fn granted(name: &str) -> PolicySpec {
    PolicySpec { name: PolicyName::new(name), grants: Grants::STATE, ..spec() }
}

fn load(runtime: &Runtime, spec: PolicySpec) -> Policy {
    runtime.load(spec, &Code::new(KEEPER.to_vec())).unwrap()
}

async fn decide(policy: &Policy, access: &StateAccess) -> Result<PolicyAnswer, PolicyFailure> {
    policy.decide(DecisionInput { state: access.clone().into(), ..input(2) }).await
}

#[test]
fn a_policy_that_keeps_values_needs_the_grant() {
    assert_eq!(
        load_error(spec(), KEEPER),
        "the policy imports `pointsman:policy/state@0.1.0`, which it is not granted; \
         to grant it: grants = [\"state\"]"
    );
}

#[tokio::test]
async fn versions_and_fresh_instances_share_what_a_policy_keeps() {
    let runtime = runtime(StateStores::in_memory());
    let policy = load(&runtime, granted("keeper"));
    assert!(policy.wants_outcomes() && policy.wants_ratings());
    // The load gate's probe leaves nothing.
    assert_eq!(label(decide(&policy, &StateAccess::Direct).await), "decisions-1:outcomes-0:ratings-0");
    policy.observe(&outcome(), StateAccess::Direct).await.unwrap();
    let rating = Rating {
        decision: "decision-1".to_owned(),
        label: "a".to_owned(),
        model: ModelId::new("fleet/model-0"),
        score: 0.5,
        name: Some("helpful".to_owned()),
    };
    policy.rate(&rating, StateAccess::Direct).await.unwrap();
    let isolation = Isolation::Warm { recycle_after: 10, instances: 1 };
    let next = load(&runtime, PolicySpec { isolation, ..granted("keeper") });
    let answer = decide(&next, &StateAccess::Direct).await;
    assert_eq!(label(answer.clone()), "decisions-2:outcomes-1:ratings-1");
    assert_eq!(reason(answer), "decisions=2 last-rating=helpful:0.5 outcomes=1 ratings=1");
    // Another policy has its own, unless it shares this one's.
    let other = load(&runtime, granted("other"));
    assert_eq!(label(decide(&other, &StateAccess::Direct).await), "decisions-1:outcomes-0:ratings-0");
    let sharing = PolicySpec { state_of: Some(PolicyName::new("keeper")), ..granted("third") };
    let sharing = load(&runtime, sharing);
    assert_eq!(label(decide(&sharing, &StateAccess::Direct).await), "decisions-3:outcomes-1:ratings-1");
}

#[tokio::test]
async fn a_shadow_leaves_nothing_and_a_canary_only_when_it_is_merged() {
    let runtime = runtime(StateStores::in_memory());
    let policy = load(&runtime, granted("keeper"));
    for _ in 0..2 {
        let shadow = decide(&policy, &StateAccess::Discarded).await;
        assert_eq!(label(shadow), "decisions-1:outcomes-0:ratings-0");
    }
    let overlay = Arc::new(Overlay::default());
    let canary = StateAccess::Overlaid(Arc::clone(&overlay));
    for number in 1..3 {
        let label = label(decide(&policy, &canary).await);
        assert_eq!(label, format!("decisions-{number}:outcomes-0:ratings-0"));
    }
    policy.observe(&outcome(), canary).await.unwrap();
    assert_eq!(label(decide(&policy, &StateAccess::Direct).await), "decisions-1:outcomes-0:ratings-0");
    assert_eq!(policy.state().unwrap().merge(&overlay), 0);
    assert_eq!(label(decide(&policy, &StateAccess::Direct).await), "decisions-4:outcomes-1:ratings-0");
}

#[tokio::test]
async fn reads_and_writes_are_limited_and_counted() {
    let runtime = runtime(StateStores::in_memory());
    let spec = PolicySpec { settings: format!(r#"{{"writes": {MAX_WRITES}}}"#), ..granted("keeper") };
    let policy = load(&runtime, spec);
    let usage = Arc::default();
    let state = StateUse { access: StateAccess::Direct, usage: Some(Arc::clone(&usage)) };
    let answer = policy.decide(DecisionInput { state, ..input(2) }).await;
    let error = reason(answer);
    assert!(error.contains("too-many-writes"), "{error}");
    assert_eq!((usage.writes(), usage.rejected(), usage.reads()), (MAX_WRITES, 1, 3));
    assert_eq!(policy.state().unwrap().size().keys, MAX_WRITES as usize);
}

#[tokio::test]
async fn what_a_policy_keeps_survives_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    for expected in ["decisions-1:outcomes-0:ratings-0", "decisions-2:outcomes-0:ratings-0"] {
        let states = StateStores::open(&path).unwrap();
        let policy = load(&runtime(states.clone()), granted("keeper"));
        assert_eq!(label(decide(&policy, &StateAccess::Direct).await), expected);
        assert!(states.close(std::time::Duration::from_secs(60)));
    }
}

#[test]
fn a_policy_that_keeps_nothing_has_no_state() {
    let runtime = runtime(StateStores::in_memory());
    let policy = runtime.load(granted("first"), &Code::new(FIRST.to_vec())).unwrap();
    assert!(policy.state().is_none());
    assert!(runtime.states().loaded(&PolicyName::new("first")).is_none());
}
