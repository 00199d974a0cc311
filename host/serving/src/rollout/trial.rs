//! Policies on trial, and how they compare with those that decide.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use pointsman_domain::ids::{Digest, ModelId};
use pointsman_domain::money::Picodollars;
use pointsman_domain::request::RequestFacts;
use pointsman_policy::{Policy, PolicySlot, PolicyStats, PolicyStatsSummary};
use sha2::{Digest as _, Sha256};

use crate::clock::unix_seconds;
use pointsman_config::Mode;

/// A policy on trial at a route.
pub struct Trial {
    /// The policy, whatever version is loaded.
    pub slot: Arc<PolicySlot>,
    /// What it is allowed to do.
    pub mode: Mode,
    score: Arc<ArcSwap<Score>>,
}

/// A policy that took over at a route, and is watched.
pub struct Promotion {
    /// What it did since.
    pub new: Arc<PolicyStats>,
    /// What was done before.
    pub old: Arc<PolicyStats>,
    /// When it took over, in seconds since 1970.
    pub at: u64,
}

/// Results of a version on trial, and of the policy that decides in the same time.
pub struct Score {
    version: Digest,
    since: u64,
    /// What the route's own policy did.
    pub active: Arc<PolicyStats>,
    /// What the policy on trial did.
    pub trial: Arc<PolicyStats>,
    compared: Mutex<Compared>,
}

/// Sums over the decisions that a shadow was asked about too.
#[derive(Clone, Copy, Debug, Default)]
struct Compared {
    decisions: u64,
    agreed: u64,
    skipped: u64,
    /// Decisions of which both name a model.
    models: u64,
    cost: [Picodollars; 2],
    /// Decisions of which both name a model of known speed.
    timed: u64,
    latency: [Duration; 2],
}

/// What a policy picked for a request, as far as it can be compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// A model, with what it is predicted to cost and to take.
    Model {
        /// Which.
        id: ModelId,
        /// What it will probably cost.
        cost: Picodollars,
        /// What it will probably take, if its speed is known.
        latency: Option<Duration>,
    },
    /// A plan of several calls, or a text of its own.
    Plan,
    /// To turn the request down.
    Refusal,
}

/// What a trial's score says, for people.
#[derive(Debug)]
pub struct ScoreStatus {
    /// SHA-256 of the version on trial.
    pub version: String,
    /// Since when it counts, in seconds since 1970.
    pub since: u64,
    /// Only of a shadow: decisions that both were asked for.
    pub compared: Option<ComparedStatus>,
    /// What the route's own policy did since.
    pub active: PolicyStatsSummary,
    /// What the policy on trial did since.
    pub trial: PolicyStatsSummary,
}

/// Comparison of a shadow with the active policy.
#[derive(Debug)]
pub struct ComparedStatus {
    /// Decisions of both.
    pub decisions: u64,
    /// Decisions about which the shadow was not asked, because it is too slow.
    pub skipped: u64,
    /// The share in which both would call the same model first.
    pub agreement: Option<f64>,
    /// Mean of a request's predicted cost, in US dollars.
    pub predicted_cost_usd: Option<Pair>,
    /// Mean of a request's predicted time, in milliseconds.
    pub predicted_latency_ms: Option<Pair>,
}

/// A figure of the active policy next to that of the policy on trial.
#[derive(Debug)]
pub struct Pair {
    /// Figure of the active policy.
    pub active: f64,
    /// Figure of the policy on trial.
    pub trial: f64,
    /// `trial` minus `active`.
    pub difference: f64,
}

impl Trial {
    /// A trial that begins, or goes on with the score of the one before.
    pub fn new(slot: Arc<PolicySlot>, mode: Mode, before: Option<&Self>) -> Self {
        let goes_on = before.filter(|before| {
            Arc::ptr_eq(&before.slot, &slot)
                && std::mem::discriminant(&before.mode) == std::mem::discriminant(&mode)
        });
        let score = match goes_on {
            Some(before) => Arc::clone(&before.score),
            None => Arc::new(ArcSwap::from_pointee(Score::new(&slot.active()))),
        };
        Self { slot, mode, score }
    }

    /// The score of the version that is loaded now.
    pub fn score(&self) -> Arc<Score> {
        let version = self.slot.active();
        let score = self.score.load_full();
        if score.version == version.digest() {
            return score;
        }
        let fresh = Arc::new(Score::new(&version));
        self.score.store(Arc::clone(&fresh));
        fresh
    }

    /// Whether it decides this request. Requests of one session, else those of
    /// one key, all go the same way; without either each goes its own.
    pub fn decides(&self, request: &RequestFacts) -> bool {
        let Mode::Canary { percent } = self.mode else { return false };
        let tenant = || request.tenant.as_ref().map(|key| key.as_str());
        let together = request.session.as_deref().or_else(tenant).unwrap_or(&request.id);
        position(self.slot.name().as_str(), together) * 100.0 < percent
    }
}

/// Where a group of requests stands between 0 and 1, the same at every gateway
/// and after every start. Each trial mixes the groups anew.
fn position(trial: &str, group: &str) -> f64 {
    let hash = Sha256::new().chain_update(trial).chain_update([0]).chain_update(group).finalize();
    let (start, _) = hash.split_at(8);
    let number = start.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    number as f64 / 2_f64.powi(64)
}

impl Score {
    fn new(version: &Policy) -> Self {
        Self {
            version: version.digest(),
            since: unix_seconds(),
            active: Arc::new(version.stats().new_sibling()),
            trial: Arc::new(version.stats().new_sibling()),
            compared: Mutex::default(),
        }
    }

    /// Notes what both picked for the same request.
    pub fn compare(&self, active: &Pick, trial: &Pick) {
        let mut compared = self.compared();
        compared.decisions += 1;
        match (active, trial) {
            (
                Pick::Model { id, cost, latency },
                Pick::Model { id: other, cost: others_cost, latency: others_latency },
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

    /// Notes a request about which a shadow was not asked.
    pub fn skipped(&self) {
        self.compared().skipped += 1;
    }

    /// What there is to say at this moment.
    pub fn status(&self, mode: Mode) -> ScoreStatus {
        ScoreStatus {
            version: self.version.to_string(),
            since: self.since,
            compared: (mode == Mode::Shadow).then(|| self.compared().status()),
            active: self.active.summary(),
            trial: self.trial.summary(),
        }
    }

    fn compared(&self) -> MutexGuard<'_, Compared> {
        self.compared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Compared {
    fn status(&self) -> ComparedStatus {
        let mean = |sum: f64, count: u64| (count > 0).then(|| sum / count as f64);
        let pair = |[active, trial]: [f64; 2], count: u64| {
            let (active, trial) = (mean(active, count)?, mean(trial, count)?);
            Some(Pair { active, trial, difference: trial - active })
        };
        ComparedStatus {
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
    fn groups_spread_evenly_and_stay_where_they_are() {
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
