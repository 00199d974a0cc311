//! Limits of the process rather than of one policy.

use std::sync::Arc;
use std::time::Duration;

use pointsman_guests::{FIRST, HOSTILE, Misdeed, misbehaving};
use pointsman_policy::{Code, Limits, PolicySpec, Runtime, RuntimeConfig};

use crate::support::{decide, spec, spec_with};

fn runtime_for(concurrent_decisions: u32) -> Runtime {
    Runtime::new(RuntimeConfig { concurrent_decisions, idle_instances: 1, ..RuntimeConfig::default() })
        .unwrap()
}

fn no_deadline() -> Limits {
    Limits { deadline: Duration::from_secs(3_600), ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_wait_for_a_place_instead_of_failing() {
    let runtime = runtime_for(1);
    let policy =
        Arc::new(runtime.load(PolicySpec { limits: no_deadline(), ..spec() }, &Code::new(FIRST)).unwrap());
    let mut decisions = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let policy = Arc::clone(&policy);
        decisions.spawn(async move { decide(&policy).await });
    }
    while let Some(decision) = decisions.join_next().await {
        decision.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_decision_that_finds_no_place_in_time_is_told_so() {
    let runtime = runtime_for(1);
    let endless = PolicySpec { limits: no_deadline(), ..spec_with(&misbehaving(Misdeed::LoopInRoute)) };
    let endless = runtime.load(endless, &Code::new(HOSTILE)).unwrap();
    let honest = runtime.load(spec(), &Code::new(FIRST)).unwrap();
    let failure = tokio::select! {
        biased;
        _ = decide(&endless) => panic!("the endless policy ended"),
        result = decide(&honest) => result.unwrap_err(),
    };
    assert_eq!(failure.reason(), "saturated");
    // The endless one was dropped with its future, and its place is free again.
    decide(&honest).await.unwrap();
}

#[test]
fn a_policy_can_be_loaded_while_all_places_are_taken() {
    let runtime = runtime_for(1);
    let executor = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    executor.block_on(async {
        let endless = PolicySpec { limits: no_deadline(), ..spec_with(&misbehaving(Misdeed::LoopInRoute)) };
        let endless = runtime.load(endless, &Code::new(HOSTILE)).unwrap();
        tokio::select! {
            biased;
            _ = decide(&endless) => panic!("the endless policy ended"),
            loaded = async { runtime.load(spec(), &Code::new(FIRST)) } => drop(loaded.unwrap()),
        }
    });
}
