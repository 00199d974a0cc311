//! A configured policy with its active and previous versions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use pointsman_domain::ids::{Digest, PolicyName};
use serde::Serialize;

use crate::failure::PolicyFailure;
use crate::policy::Policy;
use crate::stats::PolicyStatsSummary;

mod metrics;

pub use metrics::SlotMetrics;
use metrics::SlotTotals;

/// The active version of a policy, with counts over all versions. Requests that hold an old version
/// finish on it after a swap.
pub struct PolicySlot {
    name: PolicyName,
    versions: ArcSwap<SlotVersions>,
    swaps: AtomicU64,
    totals: SlotTotals,
    last_rejected: Mutex<Option<Rejection>>,
}

struct SlotVersions {
    active: Arc<Policy>,
    previous: Option<Arc<Policy>>,
    loaded_at: u64,
    /// Time at which the active version took over from the previous one, in seconds since 1970.
    /// `None` if the swap changed only settings, or `previous` did not serve before it.
    took_over_at: Option<u64>,
}

/// The takeover of one version from another.
pub struct Takeover {
    /// The active version.
    pub new: Arc<Policy>,
    /// The version that served before.
    pub old: Arc<Policy>,
    /// Time of the takeover, in seconds since 1970.
    pub at: u64,
}

/// State of a slot at one moment, for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SlotStatus {
    /// The policy's name.
    pub name: String,
    /// SHA-256 of the active version, in hex.
    pub active: String,
    /// SHA-256 of the previous version, in hex.
    pub previous: Option<String>,
    /// Time at which the active version was loaded, in seconds since 1970.
    pub loaded_at: u64,
    /// Number of swaps.
    pub swaps: u64,
    /// Decisions since the start, over all versions.
    pub decisions: u64,
    /// Failures by [`PolicyFailure::reason`], without reasons that never occurred.
    pub failures: Vec<(&'static str, u64)>,
    /// The last rejected version, if none was loaded since.
    pub rejected: Option<Rejection>,
    /// Statistics of the active version.
    pub active_record: PolicyStatsSummary,
    /// Statistics of the previous version.
    pub previous_record: Option<PolicyStatsSummary>,
}

/// A swap back to the previous version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRollback {
    /// The version that was active.
    pub from: Digest,
    /// The version that is active now.
    pub to: Digest,
}

/// A version that was not loaded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rejection {
    /// SHA-256 of its bytes in hex; absent when they could not be read.
    pub digest: Option<String>,
    /// The reason.
    pub error: String,
    /// Time of the rejection, in seconds since 1970.
    pub at: u64,
}

impl PolicySlot {
    /// Creates a slot with its first version.
    pub fn new(policy: Policy) -> Self {
        let name = policy.name().clone();
        let versions = SlotVersions {
            active: Arc::new(policy),
            previous: None,
            loaded_at: unix_seconds(),
            took_over_at: None,
        };
        Self {
            name,
            versions: ArcSwap::from_pointee(versions),
            swaps: AtomicU64::new(0),
            totals: SlotTotals::new(),
            last_rejected: Mutex::default(),
        }
    }

    /// Returns the policy's name, which all versions share.
    pub fn name(&self) -> &PolicyName {
        &self.name
    }

    /// Returns the active version.
    pub fn active(&self) -> Arc<Policy> {
        Arc::clone(&self.versions.load().active)
    }

    /// Returns the version that served before the active one.
    pub fn previous(&self) -> Option<Arc<Policy>> {
        self.versions.load().previous.clone()
    }

    /// Returns the takeover of the active version from the previous one, if there was one.
    pub fn takeover(&self) -> Option<Takeover> {
        let versions = self.versions.load();
        Some(Takeover {
            new: Arc::clone(&versions.active),
            old: versions.previous.clone()?,
            at: versions.took_over_at?,
        })
    }

    /// Adds the version that served before a restart as the previous one. With `took_over`, the
    /// active version counts as having taken over from it now.
    pub fn with_previous(self, previous: Option<Policy>, took_over: bool) -> Self {
        let versions = self.versions.load_full();
        self.versions.store(Arc::new(SlotVersions {
            active: Arc::clone(&versions.active),
            previous: previous.map(Arc::new),
            loaded_at: versions.loaded_at,
            took_over_at: took_over.then_some(versions.loaded_at),
        }));
        self
    }

    /// Swaps back from this version to the previous one, and drops this one. Returns `None` if this
    /// version is not active, or there is no previous one.
    pub fn roll_back(&self, bad: Digest) -> Option<SlotRollback> {
        let versions = self.versions.load_full();
        let restored = versions.previous.clone().filter(|_| versions.active.digest() == bad)?;
        let to = restored.digest();
        self.versions.store(Arc::new(SlotVersions {
            active: restored,
            previous: None,
            loaded_at: unix_seconds(),
            took_over_at: None,
        }));
        self.swaps.fetch_add(1, Ordering::Relaxed);
        Some(SlotRollback { from: bad, to })
    }

    /// Makes a version the active one. If it differs from the active version only in its
    /// specification, the previous version stays.
    pub fn swap(&self, policy: Policy) {
        let active = Arc::new(policy);
        let loaded_at = unix_seconds();
        self.versions.rcu(|old| {
            let is_other_code = old.active.digest() != active.digest();
            SlotVersions {
                active: Arc::clone(&active),
                previous: match &old.previous {
                    Some(previous) if !is_other_code => Some(Arc::clone(previous)),
                    _ => Some(Arc::clone(&old.active)),
                },
                loaded_at,
                took_over_at: is_other_code.then_some(loaded_at),
            }
        });
        self.swaps.fetch_add(1, Ordering::Relaxed);
        *self.last_rejected() = None;
    }

    /// Counts a rejected version, and keeps it for the status.
    pub fn record_rejection(&self, digest: Option<Digest>, error: String) {
        self.totals.rejected.fetch_add(1, Ordering::Relaxed);
        let digest = digest.map(|digest| digest.to_string());
        *self.last_rejected() = Some(Rejection { digest, error, at: unix_seconds() });
    }

    /// Counts a decision of one of its versions, and its failure, if it failed.
    pub fn record_decision(&self, version: &Policy, took: Duration, failure: Option<&PolicyFailure>) {
        self.totals.record_decision(took);
        if let Some(failure) = failure {
            self.totals.counts.record_failure(failure);
        }
        version.stats().record_decision(took, failure);
    }

    /// Counts a failure of one of its versions after its decision.
    pub fn record_failure(&self, version: &Policy, failure: &PolicyFailure) {
        self.totals.counts.record_failure(failure);
        version.stats().record_failure(failure);
    }

    /// Returns its state for people.
    pub fn status(&self) -> SlotStatus {
        let versions = self.versions.load();
        SlotStatus {
            name: self.name.to_string(),
            active: versions.active.digest().to_string(),
            previous: versions.previous.as_ref().map(|policy| policy.digest().to_string()),
            loaded_at: versions.loaded_at,
            swaps: self.swaps.load(Ordering::Relaxed),
            decisions: self.totals.counts.decisions(),
            failures: self.totals.counts.failures(),
            rejected: self.last_rejected().clone(),
            active_record: versions.active.stats().summary(),
            previous_record: versions.previous.as_ref().map(|policy| policy.stats().summary()),
        }
    }

    /// Returns its metrics.
    pub fn metrics(&self) -> SlotMetrics {
        let versions = self.versions.load();
        SlotMetrics {
            active: versions.active.digest(),
            loaded_at: versions.loaded_at,
            swaps: self.swaps.load(Ordering::Relaxed),
            rejected: self.totals.rejected.load(Ordering::Relaxed),
            failures: self.totals.counts.all_failures(),
            decision_times: self.totals.decision_times(),
            decision_time: self.totals.decision_time(),
            usage: versions.active.usage(),
        }
    }

    fn last_rejected(&self) -> MutexGuard<'_, Option<Rejection>> {
        self.last_rejected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
