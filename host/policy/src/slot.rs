//! One configured policy, whatever version of it is loaded.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use pointsman_domain::ids::{Digest, PolicyName};
use serde::Serialize;

use crate::failure::PolicyFailure;
use crate::policy::Policy;

/// The version of a policy that serves now, and how it is doing. Requests that
/// hold the old version finish on it when another takes its place.
pub struct Slot {
    name: PolicyName,
    versions: ArcSwap<Versions>,
    swaps: AtomicU64,
    decisions: AtomicU64,
    failures: [AtomicU64; PolicyFailure::REASONS.len()],
    rejected: Mutex<Option<Rejected>>,
}

struct Versions {
    active: Arc<Policy>,
    previous: Option<Arc<Policy>>,
    loaded_at: u64,
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
        let versions = Versions { active: Arc::new(policy), previous: None, loaded_at: unix_seconds() };
        Self {
            name,
            versions: ArcSwap::from_pointee(versions),
            swaps: AtomicU64::new(0),
            decisions: AtomicU64::new(0),
            failures: Default::default(),
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

    /// Lets a version serve from now on.
    pub fn swap(&self, policy: Policy) {
        let active = Arc::new(policy);
        let loaded_at = unix_seconds();
        self.versions.rcu(|old| Versions {
            active: Arc::clone(&active),
            previous: Some(Arc::clone(&old.active)),
            loaded_at,
        });
        self.swaps.fetch_add(1, Ordering::Relaxed);
        *self.last_rejected() = None;
    }

    /// Notes that a version was not let in.
    pub fn rejected(&self, digest: Option<Digest>, error: String) {
        let digest = digest.map(|digest| digest.to_string());
        *self.last_rejected() = Some(Rejected { digest, error, at: unix_seconds() });
    }

    /// Counts a decision that was asked for, whatever came of it.
    pub fn count_decision(&self) {
        self.decisions.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a failure.
    pub fn count_failure(&self, failure: &PolicyFailure) {
        self.failures[failure.index()].fetch_add(1, Ordering::Relaxed);
    }

    /// What there is to say at this moment.
    pub fn status(&self) -> SlotStatus {
        let versions = self.versions.load();
        let counts = self.failures.iter().map(|count| count.load(Ordering::Relaxed));
        SlotStatus {
            name: self.name.to_string(),
            active: versions.active.digest().to_string(),
            previous: versions.previous.as_ref().map(|policy| policy.digest().to_string()),
            loaded_at: versions.loaded_at,
            swaps: self.swaps.load(Ordering::Relaxed),
            decisions: self.decisions.load(Ordering::Relaxed),
            failures: PolicyFailure::REASONS
                .into_iter()
                .zip(counts)
                .filter(|(_, count)| *count > 0)
                .collect(),
            rejected: self.last_rejected().clone(),
        }
    }

    fn last_rejected(&self) -> MutexGuard<'_, Option<Rejected>> {
        self.rejected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
