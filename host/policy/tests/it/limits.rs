//! Limits of the process and of one policy.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use pointsman_domain::ids::PolicyName;
use pointsman_guests::{FIRST, HOSTILE, Misdeed, misbehaving};
use pointsman_policy::{Code, HostCalls, Limits, PolicySpec, Runtime, RuntimeConfig};

use crate::support::{decide, hasty, input, load, spec, spec_with};

fn runtime_for(concurrent_decisions: u32) -> Runtime {
    Runtime::new(RuntimeConfig { concurrent_decisions, idle_instances: 1, ..RuntimeConfig::default() })
        .unwrap()
}

fn no_deadline() -> Limits {
    Limits { deadline: Duration::from_secs(3_600), ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_wait_for_a_permit_instead_of_failing() {
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
async fn a_decision_that_gets_no_permit_in_time_fails_as_saturated() {
    let runtime = runtime_for(1);
    let endless = PolicySpec { limits: no_deadline(), ..spec_with(&misbehaving(Misdeed::LoopInRoute)) };
    let endless = runtime.load(endless, &Code::new(HOSTILE)).unwrap();
    let honest = runtime.load(hasty(spec()), &Code::new(FIRST)).unwrap();
    let patient = PolicySpec { limits: no_deadline(), ..spec() };
    let patient = runtime.load(patient, &Code::new(FIRST)).unwrap();
    let failure = tokio::select! {
        biased;
        _ = decide(&endless) => panic!("the endless policy ended"),
        result = decide(&honest) => result.unwrap_err(),
    };
    assert_eq!(failure.reason(), "saturated");
    assert!(!failure.is_policys_fault());
    // The endless call was stopped when its future was dropped, and its permit was released.
    decide(&patient).await.unwrap();
}

#[test]
fn a_policy_can_be_loaded_while_all_permits_are_taken() {
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

#[tokio::test]
async fn a_policy_has_a_limit_on_concurrent_decisions_that_leaves_others_alone() {
    let limits = Limits { concurrency: 1, ..Limits::default() };
    let endless = PolicySpec { limits, ..spec_with(&misbehaving(Misdeed::LoopInRoute)) };
    let endless = load(endless, HOSTILE).unwrap();
    let honest = load(spec(), FIRST).unwrap();
    // The second may get the permit of the first in time, and then the third does not.
    let (first, _, third, other) =
        tokio::join!(decide(&endless), decide(&endless), decide(&endless), decide(&honest));
    let (first, third) = (first.unwrap_err(), third.unwrap_err());
    assert_eq!((first.reason(), third.reason()), ("deadline", "busy"));
    assert!(!third.is_policys_fault());
    other.unwrap();
}

#[test]
fn a_long_call_moves_to_another_thread() {
    let timers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let _inside = timers.enter();
    let endless = load(hasty(spec_with(&misbehaving(Misdeed::LoopInRoute))), HOSTILE).unwrap();
    let mut call = pin!(decide(&endless));
    let (woken, wakes) = std::sync::mpsc::channel();
    let waker = Waker::from(Arc::new(WakeSender(woken)));
    // The first poll runs it until its first yield. The second moves it to the slow lane, where it uses
    // up its time without being polled from here.
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    wakes.recv().unwrap();
    let Poll::Ready(result) = call.as_mut().poll(&mut Context::from_waker(&waker)) else {
        panic!("it waits to be polled again");
    };
    assert_eq!(result.unwrap_err().reason(), "deadline");
}

/// A waker that sends a message.
struct WakeSender(std::sync::mpsc::Sender<()>);

impl Wake for WakeSender {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(());
    }
}

#[tokio::test]
async fn the_limit_on_host_calls_grows_with_the_candidates_unless_it_is_exact() {
    // The policy makes 10,000 calls.
    let scaled = load(spec_with(&misbehaving(Misdeed::FloodHost)), HOSTILE).unwrap();
    assert_eq!(decide(&scaled).await.unwrap_err().reason(), "host_calls");
    scaled.decide(input(1_000)).await.unwrap();
    let limits = Limits { host_calls: HostCalls::Exactly(9_999), ..spec().limits };
    let exact = PolicySpec { limits, ..spec_with(&misbehaving(Misdeed::FloodHost)) };
    let failure = load(exact, HOSTILE).unwrap().decide(input(1_000)).await.unwrap_err();
    assert_eq!(failure.reason(), "host_calls");
}

#[tokio::test]
async fn dropped_log_lines_are_counted_over_all_versions_of_a_policy() {
    let flooding =
        |name| PolicySpec { name: PolicyName::new(name), ..spec_with(&misbehaving(Misdeed::FloodLog)) };
    let (one, two) = (load(flooding("loud"), HOSTILE).unwrap(), load(flooding("loud"), HOSTILE).unwrap());
    let other = load(flooding("quiet"), HOSTILE).unwrap();
    decide(&one).await.unwrap();
    decide(&two).await.unwrap();
    // The policy writes 500 lines in each call, of which 32 are allowed.
    assert_eq!(one.usage().log_lines_dropped, 2 * 468);
    assert_eq!(two.usage().log_lines_dropped, 2 * 468);
    assert_eq!(other.usage().log_lines_dropped, 0);
}
