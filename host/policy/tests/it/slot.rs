//! The versions of one policy.

use std::sync::Arc;

use pointsman_domain::ids::Digest;
use pointsman_guests::{version, version_label};
use pointsman_policy::{PolicyFailure, Slot};

use crate::support::{decide, label, load, spec};

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
    slot.count_decision();
    slot.count_decision();
    slot.count_failure(&PolicyFailure::Deadline);
    slot.count_failure(&PolicyFailure::Unreadable("nonsense".to_owned()));
    slot.rejected(Some(Digest::new([7; 32])), "does not compile".to_owned());

    let status = slot.status();
    assert_eq!((status.name.as_str(), status.active, status.previous), ("under-test", one.to_string(), None));
    assert_eq!((status.swaps, status.decisions), (0, 2));
    assert_eq!(status.failures, [("deadline", 1), ("invalid", 1)]);
    let rejected = status.rejected.unwrap();
    assert_eq!(rejected.digest.unwrap(), "07".repeat(32));
    assert_eq!(rejected.error, "does not compile");

    slot.swap(load(spec(), &version(2)).unwrap());
    let status = slot.status();
    assert_eq!(status.previous, Some(one.to_string()));
    assert_eq!((status.swaps, status.decisions, status.rejected), (1, 2, None));
}
