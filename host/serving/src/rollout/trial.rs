//! Policies on trial, and their comparison with the active policies.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use pointsman_config::Mode;
use pointsman_domain::ids::{Digest, ModelId};
use pointsman_domain::money::Picodollars;
use pointsman_domain::request::RequestFacts;
use pointsman_policy::{Policy, PolicySlot, PolicyStats, PolicyStatsSummary};
use pointsman_state::Overlay;
use sha2::{Digest as _, Sha256};

use crate::clock::unix_seconds;

/// A policy on trial at a route.
pub struct Trial {
    /// The policy, with whichever version is loaded.
    pub slot: Arc<PolicySlot>,
    /// Shadow, or canary with its share of the requests.
    pub mode: Mode,
    /// State that the policy keeps while it is a canary: merged into its state when it is promoted, and
    /// dropped with the trial. It is in memory, so it starts over with the gateway.
    pub overlay: Arc<Overlay>,
    stats: Arc<ArcSwap<TrialStats>>,
}

/// A promoted policy, with the statistics that the automatic rollback compares.
pub struct Promotion {
    /// Statistics since the promotion.
    pub new: Arc<PolicyStats>,
    /// Statistics of the replaced policy.
    pub old: Arc<PolicyStats>,
    /// Time of the promotion, in seconds since 1970.
    pub at: u64,
}

/// Statistics of a version on trial, and of the active policy over the same time.
pub struct TrialStats {
    version: Digest,
    since: u64,
    /// Statistics of the active policy.
    pub active: Arc<PolicyStats>,
    /// Statistics of the policy on trial.
    pub trial: Arc<PolicyStats>,
    compared: Mutex<ShadowComparison>,
}

/// Sums over the decisions that both policies made. Arrays hold the active policy first.
#[derive(Clone, Copy, Debug, Default)]
struct ShadowComparison {
    decisions: u64,
    agreed: u64,
    skipped: u64,
    /// Decisions in which both name a model.
    models: u64,
    cost: [Picodollars; 2],
    /// Decisions in which both name a model of known speed.
    timed: u64,
    latency: [Duration; 2],
}

/// The part of a policy's decision that is compared.
#[derive(Clone, Debug, PartialEq)]
pub enum ComparableDecision {
    /// The first model, with its predicted cost and latency.
    Model {
        /// Id of the model.
        id: ModelId,
        /// Predicted cost.
        cost: Picodollars,
        /// `None` if the model's speed is not known.
        latency: Option<Duration>,
    },
    /// A plan, or a text composed by the policy.
    Plan,
    /// A refusal of the request.
    Refusal,
}

/// Summary of [`TrialStats`] for the admin API.
#[derive(Debug)]
pub struct TrialStatsSummary {
    /// SHA-256 of the version on trial.
    pub version: String,
    /// Start of the statistics, in seconds since 1970.
    pub since: u64,
    /// Comparison of decisions; shadows only.
    pub compared: Option<ShadowComparisonSummary>,
    /// Statistics of the active policy.
    pub active: PolicyStatsSummary,
    /// Statistics of the policy on trial.
    pub trial: PolicyStatsSummary,
}

/// Comparison of a shadow with the active policy.
#[derive(Debug)]
pub struct ShadowComparisonSummary {
    /// Decisions that both policies made.
    pub decisions: u64,
    /// Decisions that the shadow missed because it was too slow.
    pub skipped: u64,
    /// Share of decisions in which both call the same model first, from 0 to 1.
    pub agreement: Option<f64>,
    /// Mean of a request's predicted cost, in US dollars.
    pub predicted_cost_usd: Option<ComparedMeans>,
    /// Mean of a request's predicted time, in milliseconds.
    pub predicted_latency_ms: Option<ComparedMeans>,
}

/// Means of a figure for both policies.
#[derive(Debug)]
pub struct ComparedMeans {
    /// Mean of the active policy.
    pub active: f64,
    /// Mean of the policy on trial.
    pub trial: f64,
    /// `trial` minus `active`.
    pub difference: f64,
}

impl Trial {
    /// Creates a trial, which continues the statistics of the previous one if that has the same policy
    /// and mode.
    pub fn new(slot: Arc<PolicySlot>, mode: Mode, before: Option<&Self>) -> Self {
        let goes_on = before.filter(|before| {
            Arc::ptr_eq(&before.slot, &slot)
                && std::mem::discriminant(&before.mode) == std::mem::discriminant(&mode)
        });
        let (overlay, stats) = match goes_on {
            Some(before) => (Arc::clone(&before.overlay), Arc::clone(&before.stats)),
            None => (Arc::default(), Arc::new(ArcSwap::from_pointee(TrialStats::new(&slot.active())))),
        };
        Self { slot, mode, overlay, stats }
    }

    /// Merges what the policy kept as a canary into its state.
    pub fn merge_state(&self) {
        let policy = self.slot.active();
        let Some(state) = policy.state() else { return };
        let dropped = state.merge(&self.overlay);
        if dropped > 0 {
            tracing::warn!(
                policy = policy.version(),
                dropped,
                "the state of the policy has no room for all that it kept as a canary"
            );
        }
    }

    /// Returns the statistics of the loaded version, which start over when the version changes.
    pub fn stats(&self) -> Arc<TrialStats> {
        let version = self.slot.active();
        let stats = self.stats.load_full();
        if stats.version == version.digest() {
            return stats;
        }
        let fresh = Arc::new(TrialStats::new(&version));
        self.stats.store(Arc::clone(&fresh));
        fresh
    }

    /// Returns whether the policy decides this request as a canary. All requests of a session, or else
    /// of a key, get the same result; others are spread by request id.
    pub fn decides(&self, request: &RequestFacts) -> bool {
        let Mode::Canary { percent } = self.mode else { return false };
        let tenant = || request.tenant.as_ref().map(|key| key.as_str());
        let together = request.session.as_deref().or_else(tenant).unwrap_or(&request.id);
        position(self.slot.name().as_str(), together) * 100.0 < percent
    }
}

/// Returns the position of a group of requests in `0.0..1.0`: a hash, equal on every gateway and
/// after every restart. Positions in different trials are independent.
fn position(trial: &str, group: &str) -> f64 {
    let hash = Sha256::new().chain_update(trial).chain_update([0]).chain_update(group).finalize();
    let (start, _) = hash.split_at(8);
    let number = start.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    number as f64 / 2_f64.powi(64)
}

impl TrialStats {
    fn new(version: &Policy) -> Self {
        Self {
            version: version.digest(),
            since: unix_seconds(),
            active: Arc::new(version.stats().new_sibling()),
            trial: Arc::new(version.stats().new_sibling()),
            compared: Mutex::default(),
        }
    }

    /// Adds the decisions of both policies for the same request.
    pub fn compare(&self, active: &ComparableDecision, trial: &ComparableDecision) {
        let mut compared = self.compared();
        compared.decisions += 1;
        match (active, trial) {
            (
                ComparableDecision::Model { id, cost, latency },
                ComparableDecision::Model { id: other, cost: others_cost, latency: others_latency },
            ) => {
                compared.agreed += u64::from(id == other);
                compared.models += 1;
                compared.cost[0] += *cost;
                compared.cost[1] += *others_cost;
                if let (Some(latency), Some(others_latency)) = (latency, others_latency) {
                    compared.timed += 1;
                    compared.latency[0] += *latency;
                    compared.latency[1] += *others_latency;
                }
            }
            (one, other) => compared.agreed += u64::from(one == other),
        }
    }

    /// Counts a request that the shadow missed.
    pub fn record_skipped(&self) {
        self.compared().skipped += 1;
    }

    /// Returns a summary as of now.
    pub fn summary(&self, mode: Mode) -> TrialStatsSummary {
        TrialStatsSummary {
            version: self.version.to_string(),
            since: self.since,
            compared: (mode == Mode::Shadow).then(|| self.compared().status()),
            active: self.active.summary(),
            trial: self.trial.summary(),
        }
    }

    fn compared(&self) -> MutexGuard<'_, ShadowComparison> {
        self.compared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ShadowComparison {
    fn status(&self) -> ShadowComparisonSummary {
        let mean = |sum: f64, count: u64| (count > 0).then(|| sum / count as f64);
        let pair = |[active, trial]: [f64; 2], count: u64| {
            let (active, trial) = (mean(active, count)?, mean(trial, count)?);
            Some(ComparedMeans { active, trial, difference: trial - active })
        };
        ShadowComparisonSummary {
            decisions: self.decisions,
            skipped: self.skipped,
            agreement: mean(self.agreed as f64, self.decisions),
            predicted_cost_usd: pair(self.cost.map(Picodollars::usd), self.models),
            predicted_latency_ms: pair(self.latency.map(|sum| sum.as_secs_f64() * 1e3), self.timed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_spread_evenly_and_have_a_fixed_position() {
        let below = |trial: &str| {
            (0..10_000).filter(|group| position(trial, &format!("session-{group}")) < 0.1).count()
        };
        assert!((900..1_100).contains(&below("vendor")), "{}", below("vendor"));
        assert_eq!(below("vendor"), below("vendor"));
        let both = (0..10_000).filter(|group| {
            let group = format!("session-{group}");
            position("one", &group) < 0.1 && position("two", &group) < 0.1
        });
        assert!((60..150).contains(&both.count()), "trials mix independently");
    }
}
