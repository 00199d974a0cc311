//! Fresh and warm instances.

use std::time::Duration;

use pointsman_domain::ids::ModelId;
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::{Outcome, RequestEnd};
use pointsman_domain::usage::Usage;
use pointsman_guests::{FIRST, HOSTILE, Misdeed, RECORDER, misbehaving};
use pointsman_policy::{Isolation, Policy, PolicySpec};
use pointsman_state::StateAccess;

use crate::support::{decide, label, load, reason, spec, spec_with};

fn recorder(isolation: Isolation) -> Policy {
    load(PolicySpec { isolation, ..spec() }, RECORDER).unwrap()
}

pub fn outcome() -> Outcome {
    Outcome {
        id: "decision-1".to_owned(),
        label: "decision-1:outcomes-0".to_owned(),
        ending: RequestEnd::Answered,
        model: Some(ModelId::new("fleet/model-0")),
        attempts: 2,
        usage: Usage::counted(1_200, 80),
        cost: Picodollars::from_usd(0.25),
        first_token: Some(Duration::from_millis(150)),
        latency: Duration::from_millis(1_500),
        error: None,
        fault: None,
    }
}

#[tokio::test]
async fn a_fresh_instance_remembers_nothing() {
    let policy = recorder(Isolation::Fresh);
    for _ in 0..3 {
        assert_eq!(label(decide(&policy).await), "decision-1:outcomes-0");
        policy.observe(&outcome(), StateAccess::Direct).await.unwrap();
    }
}

#[tokio::test]
async fn a_warm_instance_is_reused_until_it_is_recycled() {
    let policy = recorder(Isolation::Warm { recycle_after: 3, instances: 1 });
    for expected in [1, 2, 3, 1, 2, 3, 1] {
        assert_eq!(label(decide(&policy).await), format!("decision-{expected}:outcomes-0"));
    }
}

#[tokio::test]
async fn a_warm_instance_learns_from_outcomes() {
    let policy = recorder(Isolation::Warm { recycle_after: 100, instances: 1 });
    assert!(policy.wants_outcomes());
    policy.observe(&outcome(), StateAccess::Direct).await.unwrap();
    let answer = decide(&policy).await;
    assert_eq!(label(answer.clone()), "decision-1:outcomes-1");
    let seen = reason(answer);
    for part in
        ["OutcomeStatus::Answered", "fleet/model-0", "attempts: 2", "cost: 0.25", "latency-ms: 1500.0"]
    {
        assert!(seen.contains(part), "{part} not in {seen}");
    }
}

#[tokio::test]
async fn a_policy_without_an_observer_is_not_called() {
    let policy = load(spec(), FIRST).unwrap();
    assert!(!policy.wants_outcomes());
    policy.observe(&outcome(), StateAccess::Direct).await.unwrap();
}

#[tokio::test]
async fn a_failed_instance_is_not_reused() {
    let isolation = Isolation::Warm { recycle_after: 100, instances: 1 };
    let spec = PolicySpec { isolation, ..spec_with(&misbehaving(Misdeed::Trap)) };
    let policy = load(spec, HOSTILE).unwrap();
    for _ in 0..3 {
        // wasmtime reports another error for an instance that has trapped: it cannot be entered.
        assert_eq!(decide(&policy).await.unwrap_err().reason(), "trap");
    }
}

#[tokio::test]
async fn more_decisions_than_warm_instances_run_concurrently() {
    let policy = recorder(Isolation::Warm { recycle_after: 100, instances: 1 });
    // Creates the one warm instance, then lets two decisions overlap.
    assert_eq!(label(decide(&policy).await), "decision-1:outcomes-0");
    let (one, two) = tokio::join!(decide(&policy), decide(&policy));
    one.unwrap();
    two.unwrap();
}
