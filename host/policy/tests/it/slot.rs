//! The versions of one policy.

use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::ids::Digest;
use pointsman_guests::{HOSTILE, Misdeed, misbehaving, version, version_label};
use pointsman_policy::{Isolation, PolicyFailure, PolicySpec, RolledBack, Slot};

use crate::support::{decide, label, load, runtime, spec, spec_with};

#[tokio::test]
async fn a_swap_serves_the_new_version_and_lets_the_old_one_finish() {
    let slot = Slot::new(load(spec(), &version(1)).unwrap());
    let held = slot.active();
    slot.swap(load(spec(), &version(2)).unwrap());
    assert_eq!(label(decide(&held).await), version_label(1));
    assert_eq!(label(decide(&slot.active()).await), version_label(2));
    assert_eq!(label(decide(&slot.previous().unwrap()).await), version_label(1));
}

#[test]
fn only_the_last_two_versions_are_kept() {
    let slot = Slot::new(load(spec(), &version(1)).unwrap());
    let first = Arc::downgrade(&slot.active());
    slot.swap(load(spec(), &version(2)).unwrap());
    assert!(first.upgrade().is_some());
    slot.swap(load(spec(), &version(3)).unwrap());
    assert!(first.upgrade().is_none());
}

#[test]
fn the_status_tells_versions_counts_and_the_last_rejection() {
    let slot = Slot::new(load(spec(), &version(1)).unwrap());
    let one = slot.active().digest();
    let active = slot.active();
    slot.decided(&active, Duration::from_millis(20), Some(&PolicyFailure::Deadline));
    slot.decided(&active, Duration::from_millis(1), None);
    slot.failed(&active, &PolicyFailure::Unreadable("nonsense".to_owned()));
    slot.rejected(Some(Digest::new([7; 32])), "does not compile".to_owned());

    let status = slot.status();
    assert_eq!((status.name.as_str(), status.active, status.previous), ("under-test", one.to_string(), None));
    assert_eq!((status.swaps, status.decisions), (0, 2));
    assert_eq!(status.failures, [("deadline", 1), ("unreadable", 1)]);
    assert_eq!(status.active_record.decisions, 2);
    let rejected = status.rejected.unwrap();
    assert_eq!(rejected.digest.unwrap(), "07".repeat(32));
    assert_eq!(rejected.error, "does not compile");

    slot.swap(load(spec(), &version(2)).unwrap());
    let status = slot.status();
    assert_eq!(status.previous, Some(one.to_string()));
    assert_eq!((status.swaps, status.decisions, status.rejected), (1, 2, None));
    assert_eq!((status.active_record.decisions, status.previous_record.unwrap().decisions), (0, 2));
}

#[tokio::test]
async fn a_version_that_is_rolled_back_leaves_the_one_before_it_alone() {
    let slot = Slot::new(load(spec(), &version(1)).unwrap());
    let one = slot.active().digest();
    assert_eq!(slot.roll_back(one), None, "there is none before it");
    slot.swap(load(spec(), &version(2)).unwrap());
    let two = slot.active().digest();
    assert_eq!(slot.roll_back(one), None, "it does not serve");
    assert_eq!(slot.roll_back(two), Some(RolledBack { from: two, to: one }));
    assert_eq!(label(decide(&slot.active()).await), version_label(1));
    assert!(slot.previous().is_none());
    assert_eq!(slot.status().swaps, 2);
}

#[tokio::test]
async fn a_changed_specification_leaves_the_version_before() {
    let slot = Slot::new(load(spec(), &version(1)).unwrap());
    slot.swap(load(spec(), &version(2)).unwrap());
    let active = slot.active();
    let changed = PolicySpec { settings: r#"{"label": "changed"}"#.to_owned(), ..spec() };
    slot.swap(runtime().respecify(&active, changed).unwrap());
    assert_eq!(slot.active().digest(), active.digest());
    assert_eq!(label(decide(&slot.active()).await), "changed");
    assert_eq!(label(decide(&slot.previous().unwrap()).await), version_label(1));
}

#[tokio::test]
async fn the_measures_tell_all_decisions_whatever_version_made_them() {
    let slot = Slot::new(load(spec(), &version(1)).unwrap());
    let one = slot.active();
    slot.decided(&one, Duration::from_micros(10), None);
    slot.swap(load(spec(), &version(2)).unwrap());
    slot.decided(&slot.active(), Duration::from_millis(20), Some(&PolicyFailure::Deadline));
    slot.decided(&slot.active(), Duration::from_secs(1_000), None);
    slot.rejected(None, "it is not there".to_owned());

    let measures = slot.measures();
    assert_eq!(measures.active, slot.active().digest());
    assert_eq!((measures.swaps, measures.rejected), (1, 1));
    assert_eq!(measures.failures.len(), PolicyFailure::REASONS.len());
    assert!(measures.failures.contains(&("deadline", 1)) && measures.failures.contains(&("trap", 0)));
    assert_eq!(measures.decision_time, Duration::from_micros(10 + 20_000 + 1_000_000_000));
    let [(quick, 1), (slow, 1), (longest, 1)] = measures.decision_times[..] else { panic!("{measures:?}") };
    assert!(quick >= Duration::from_micros(10) && quick < Duration::from_micros(12), "{quick:?}");
    assert!(slow >= Duration::from_millis(20) && slow < Duration::from_millis(23), "{slow:?}");
    assert!(longest < Duration::from_secs(70), "what is beyond measure is counted at its end");
}

#[tokio::test]
async fn the_usage_tells_calls_idle_instances_and_the_largest_memory() {
    let warm = Isolation::Warm { recycle_after: 10, instances: 4 };
    let policy = load(PolicySpec { isolation: warm, ..spec() }, &version(1)).unwrap();
    let before = policy.usage();
    assert_eq!((before.calls, before.idle_instances), (0, 0));
    let page = 64 << 10;
    assert!(before.peak_memory >= page, "the load gate's trial is counted: {before:?}");

    decide(&policy).await.unwrap();
    let after = policy.usage();
    assert_eq!((after.calls, after.idle_instances), (0, 1));
    assert!(after.peak_memory >= page && after.peak_memory <= policy.spec().limits.memory_bytes, "{after:?}");
}

#[tokio::test]
async fn a_call_that_is_under_way_is_told() {
    let policy = load(spec_with(&misbehaving(Misdeed::LoopInRoute)), HOSTILE).unwrap();
    let mut call = std::pin::pin!(decide(&policy));
    // It runs until it is first seen to, and is under way from then on.
    tokio::select! {
        biased;
        result = &mut call => panic!("a loop has an end: {result:?}"),
        () = std::future::ready(()) => {}
    }
    assert_eq!(policy.usage().calls, 1);
}
