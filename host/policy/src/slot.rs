//! One configured policy, whatever version of it is loaded.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use pointsman_domain::ids::{Digest, PolicyName};
use serde::Serialize;

use crate::failure::PolicyFailure;
use crate::policy::Policy;
use crate::record::RecordStatus;

mod totals;

use totals::Totals;
pub use totals::{Measures, PolicyUsage};

/// The version of a policy that serves now, and how it is doing. Requests that
/// hold the old version finish on it when another takes its place.
pub struct Slot {
    name: PolicyName,
    versions: ArcSwap<Versions>,
    swaps: AtomicU64,
    /// Over all versions.
    total: Totals,
    rejected: Mutex<Option<Rejected>>,
}

struct Versions {
    active: Arc<Policy>,
    previous: Option<Arc<Policy>>,
    loaded_at: u64,
    /// When the active version took over from the previous one, in seconds since
    /// 1970; `None` if what served before it was not that, or other settings of it.
    took_over_at: Option<u64>,
}

/// A version that took over from another one.
pub struct TookOver {
    /// The version that serves.
    pub new: Arc<Policy>,
    /// The one that served before.
    pub old: Arc<Policy>,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// What a slot says of itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SlotStatus {
    /// The policy's name.
    pub name: String,
    /// SHA-256 of the version that serves, in hex.
    pub active: String,
    /// SHA-256 of the version that served before it.
    pub previous: Option<String>,
    /// When the active version was let in, in seconds since 1970.
    pub loaded_at: u64,
    /// How often another version took over.
    pub swaps: u64,
    /// Decisions asked for since the start, over all versions.
    pub decisions: u64,
    /// Failures by [`PolicyFailure::reason`], those that happened.
    pub failures: Vec<(&'static str, u64)>,
    /// The last version that was not let in, if none was let in since.
    pub rejected: Option<Rejected>,
    /// What the active version did since it was let in.
    pub active_record: RecordStatus,
    /// What the version before it did.
    pub previous_record: Option<RecordStatus>,
}

/// A version that took over again from the one after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RolledBack {
    /// The version that no longer serves.
    pub from: Digest,
    /// The version that serves instead.
    pub to: Digest,
}

/// A version that was not let in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rejected {
    /// SHA-256 of its bytes in hex; absent when they could not be read.
    pub digest: Option<String>,
    /// Why.
    pub error: String,
    /// When, in seconds since 1970.
    pub at: u64,
}

impl Slot {
    /// With the first version.
    pub fn new(policy: Policy) -> Self {
        let name = policy.name().clone();
        let versions = Versions {
            active: Arc::new(policy),
            previous: None,
            loaded_at: unix_seconds(),
            took_over_at: None,
        };
        Self {
            name,
            versions: ArcSwap::from_pointee(versions),
            swaps: AtomicU64::new(0),
            total: Totals::new(),
            rejected: Mutex::default(),
        }
    }

    /// The policy's name, the same for all versions.
    pub fn name(&self) -> &PolicyName {
        &self.name
    }

    /// The version that serves now.
    pub fn active(&self) -> Arc<Policy> {
        Arc::clone(&self.versions.load().active)
    }

    /// The version that served before the active one.
    pub fn previous(&self) -> Option<Arc<Policy>> {
        self.versions.load().previous.clone()
    }

    /// That the active version took over from the previous one, if it did.
    pub fn took_over(&self) -> Option<TookOver> {
        let versions = self.versions.load();
        Some(TookOver {
            new: Arc::clone(&versions.active),
            old: versions.previous.clone()?,
            at: versions.took_over_at?,
        })
    }

    /// Keeps a version beside the first one, as if it had served before it: what
    /// served before a restart. `took_over` says that the first one is new.
    pub fn with_previous(self, previous: Option<Policy>, took_over: bool) -> Self {
        let versions = self.versions.load_full();
        self.versions.store(Arc::new(Versions {
            active: Arc::clone(&versions.active),
            previous: previous.map(Arc::new),
            loaded_at: versions.loaded_at,
            took_over_at: took_over.then_some(versions.loaded_at),
        }));
        self
    }

    /// Lets the previous version serve again instead of this one, which is not
    /// kept. `None` when this one does not serve, or there is none before it.
    pub fn roll_back(&self, bad: Digest) -> Option<RolledBack> {
        let versions = self.versions.load_full();
        let back = versions.previous.clone().filter(|_| versions.active.digest() == bad)?;
        let to = back.digest();
        self.versions.store(Arc::new(Versions {
            active: back,
            previous: None,
            loaded_at: unix_seconds(),
            took_over_at: None,
        }));
        self.swaps.fetch_add(1, Ordering::Relaxed);
        Some(RolledBack { from: bad, to })
    }

    /// Lets a version serve from now on. One that differs from the active one in
    /// its specification only takes its place and leaves the previous one.
    pub fn swap(&self, policy: Policy) {
        let active = Arc::new(policy);
        let loaded_at = unix_seconds();
        self.versions.rcu(|old| {
            let is_other_code = old.active.digest() != active.digest();
            Versions {
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

    /// Notes that a version was not let in.
    pub fn rejected(&self, digest: Option<Digest>, error: String) {
        self.total.rejected.fetch_add(1, Ordering::Relaxed);
        let digest = digest.map(|digest| digest.to_string());
        *self.last_rejected() = Some(Rejected { digest, error, at: unix_seconds() });
    }

    /// Counts a decision that one of its versions was asked for, whatever came of it.
    pub fn decided(&self, version: &Policy, took: Duration, failure: Option<&PolicyFailure>) {
        self.total.decided(took);
        if let Some(failure) = failure {
            self.total.counts.failed(failure);
        }
        version.record().decided(took, failure);
    }

    /// Counts a failure of one of its versions after its decision.
    pub fn failed(&self, version: &Policy, failure: &PolicyFailure) {
        self.total.counts.failed(failure);
        version.record().failed(failure);
    }

    /// What there is to say at this moment.
    pub fn status(&self) -> SlotStatus {
        let versions = self.versions.load();
        SlotStatus {
            name: self.name.to_string(),
            active: versions.active.digest().to_string(),
            previous: versions.previous.as_ref().map(|policy| policy.digest().to_string()),
            loaded_at: versions.loaded_at,
            swaps: self.swaps.load(Ordering::Relaxed),
            decisions: self.total.counts.decisions(),
            failures: self.total.counts.failures(),
            rejected: self.last_rejected().clone(),
            active_record: versions.active.record().status(),
            previous_record: versions.previous.as_ref().map(|policy| policy.record().status()),
        }
    }

    /// What there is to measure at this moment.
    pub fn measures(&self) -> Measures {
        let versions = self.versions.load();
        Measures {
            active: versions.active.digest(),
            loaded_at: versions.loaded_at,
            swaps: self.swaps.load(Ordering::Relaxed),
            rejected: self.total.rejected.load(Ordering::Relaxed),
            failures: self.total.counts.by_reason(),
            decision_times: self.total.decision_times(),
            decision_time: self.total.decision_time(),
            usage: versions.active.usage(),
        }
    }

    fn last_rejected(&self) -> MutexGuard<'_, Option<Rejected>> {
        self.rejected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
