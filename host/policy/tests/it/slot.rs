//! The versions of one policy.

use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::ids::Digest;
use pointsman_guests::{HOSTILE, Misdeed, misbehaving, version, version_label};
use pointsman_policy::{FailureReason, Isolation, PolicyFailure, PolicySlot, PolicySpec, SlotRollback};

use crate::support::{decide, label, load, runtime, spec, spec_with};

#[tokio::test]
async fn a_swap_serves_the_new_version_and_lets_the_old_one_finish() {
    let slot = PolicySlot::new(load(spec(), &version(1)).unwrap());
    let held = slot.active();
    slot.swap(load(spec(), &version(2)).unwrap());
    assert_eq!(label(decide(&held).await), version_label(1));
    assert_eq!(label(decide(&slot.active()).await), version_label(2));
    assert_eq!(label(decide(&slot.previous().unwrap()).await), version_label(1));
}

#[test]
fn only_the_last_two_versions_are_kept() {
    let slot = PolicySlot::new(load(spec(), &version(1)).unwrap());
    let first = Arc::downgrade(&slot.active());
    slot.swap(load(spec(), &version(2)).unwrap());
    assert!(first.upgrade().is_some());
    slot.swap(load(spec(), &version(3)).unwrap());
    assert!(first.upgrade().is_none());
}

#[test]
fn the_status_has_versions_counts_and_the_last_rejection() {
    let slot = PolicySlot::new(load(spec(), &version(1)).unwrap());
    let one = slot.active().digest();
    let active = slot.active();
    slot.record_decision(&active, Duration::from_millis(20), Some(&PolicyFailure::Deadline));
    slot.record_decision(&active, Duration::from_millis(1), None);
    slot.record_failure(&active, &PolicyFailure::Unreadable("nonsense".to_owned()));
    slot.record_rejection(Some(Digest::new([7; 32])), "does not compile".to_owned());

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
async fn a_rollback_leaves_only_the_previous_version() {
    let slot = PolicySlot::new(load(spec(), &version(1)).unwrap());
    let one = slot.active().digest();
    assert_eq!(slot.roll_back(one), None, "there is no previous version");
    slot.swap(load(spec(), &version(2)).unwrap());
    let two = slot.active().digest();
    assert_eq!(slot.roll_back(one), None, "it is not active");
    assert_eq!(slot.roll_back(two), Some(SlotRollback { from: two, to: one }));
    assert_eq!(label(decide(&slot.active()).await), version_label(1));
    assert!(slot.previous().is_none());
    assert_eq!(slot.status().swaps, 2);
}

#[tokio::test]
async fn a_changed_specification_keeps_the_previous_version() {
    let slot = PolicySlot::new(load(spec(), &version(1)).unwrap());
    slot.swap(load(spec(), &version(2)).unwrap());
    let active = slot.active();
    let changed = PolicySpec { settings: r#"{"label": "changed"}"#.to_owned(), ..spec() };
    slot.swap(runtime().respecify(&active, changed).unwrap());
    assert_eq!(slot.active().digest(), active.digest());
    assert_eq!(label(decide(&slot.active()).await), "changed");
    assert_eq!(label(decide(&slot.previous().unwrap()).await), version_label(1));
}

#[tokio::test]
async fn the_metrics_count_the_decisions_of_all_versions() {
    let slot = PolicySlot::new(load(spec(), &version(1)).unwrap());
    let one = slot.active();
    slot.record_decision(&one, Duration::from_micros(10), None);
    slot.swap(load(spec(), &version(2)).unwrap());
    slot.record_decision(&slot.active(), Duration::from_millis(20), Some(&PolicyFailure::Deadline));
    slot.record_decision(&slot.active(), Duration::from_secs(1_000), None);
    slot.record_rejection(None, "it is missing".to_owned());

    let metrics = slot.metrics();
    assert_eq!(metrics.active, slot.active().digest());
    assert_eq!((metrics.swaps, metrics.rejected), (1, 1));
    assert_eq!(metrics.failures.len(), FailureReason::ALL.len());
    assert!(metrics.failures.contains(&("deadline", 1)) && metrics.failures.contains(&("trap", 0)));
    assert_eq!(metrics.decision_time, Duration::from_micros(10 + 20_000 + 1_000_000_000));
    let [(quick, 1), (slow, 1), (longest, 1)] = metrics.decision_times[..] else { panic!("{metrics:?}") };
    assert!(quick >= Duration::from_micros(10) && quick < Duration::from_micros(12), "{quick:?}");
    assert!(slow >= Duration::from_millis(20) && slow < Duration::from_millis(23), "{slow:?}");
    assert!(longest < Duration::from_secs(70), "longer times are counted in the last bucket");
}

#[tokio::test]
async fn the_usage_has_calls_idle_instances_and_the_peak_memory() {
    let warm = Isolation::Warm { recycle_after: 10, instances: 4 };
    let policy = load(PolicySpec { isolation: warm, ..spec() }, &version(1)).unwrap();
    let before = policy.usage();
    assert_eq!((before.calls, before.idle_instances), (0, 0));
    let page = 64 << 10;
    assert!(before.peak_memory >= page, "the load gate's probe is counted: {before:?}");

    decide(&policy).await.unwrap();
    let after = policy.usage();
    assert_eq!((after.calls, after.idle_instances), (0, 1));
    assert!(after.peak_memory >= page && after.peak_memory <= policy.spec().limits.memory_bytes, "{after:?}");
}

#[tokio::test]
async fn a_call_under_way_is_part_of_the_usage() {
    let policy = load(spec_with(&misbehaving(Misdeed::LoopInRoute)), HOSTILE).unwrap();
    let mut call = std::pin::pin!(decide(&policy));
    // The first poll runs it until its first yield.
    tokio::select! {
        biased;
        result = &mut call => panic!("an endless loop ended: {result:?}"),
        () = std::future::ready(()) => {}
    }
    assert_eq!(policy.usage().calls, 1);
}
