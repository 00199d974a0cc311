//! Statistics of one version of a policy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use histogram::{AtomicHistogram32, Config, Error};
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::{Outcome, RequestEnd};
use pointsman_domain::rollout::VersionCounts;
use serde::Serialize;
use tokio::sync::Notify;

use crate::failure::{FailureReason, PolicyFailure};

/// Decisions between two notifications while nothing fails.
const DECISIONS_PER_NOTIFICATION: u64 = 64;
/// Buckets for decision times in nanoseconds: up to 69 seconds, with a resolution of an eighth.
const TIME_BUCKETS: Result<Config, Error> = Config::new(3, 36);

/// Notifies those that compare versions of changed statistics. All statistics of a runtime share
/// one.
#[derive(Clone, Debug, Default)]
pub struct ChangeNotifier(Arc<Notify>);

impl ChangeNotifier {
    /// Waits for a change. Returns at once if there was one since the last call.
    pub async fn changed(&self) {
        self.0.notified().await;
    }

    fn notify(&self) {
        self.0.notify_one();
    }
}

/// Statistics of one version or of one side of a trial, counted without locks.
#[derive(Debug)]
pub struct PolicyStats {
    change_notifier: ChangeNotifier,
    counts: DecisionCounts,
    /// Failures that are the policy's fault.
    faults: AtomicU64,
    /// `None` only if the bucket configuration were invalid.
    times: Option<AtomicHistogram32>,
    answered: AtomicU64,
    unanswered: AtomicU64,
    cost: AtomicU64,
    latency_us: AtomicU64,
}

/// Decisions, and failures by reason.
#[derive(Debug, Default)]
pub(crate) struct DecisionCounts {
    decisions: AtomicU64,
    /// Indexed by [`FailureReason`].
    failures: [AtomicU64; FailureReason::ALL.len()],
}

/// [`PolicyStats`] at one moment, for people.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PolicyStatsSummary {
    /// Decisions that were requested.
    pub decisions: u64,
    /// Failures by [`PolicyFailure::reason`], without reasons that never occurred.
    pub failures: Vec<(&'static str, u64)>,
    /// Median decision time in microseconds.
    pub decision_us_p50: Option<f64>,
    /// 99th percentile of the decision time in microseconds.
    pub decision_us_p99: Option<f64>,
    /// Finished requests that it routed, without those whose client disconnected.
    pub requests: u64,
    /// Requests among those that no model answered.
    pub errors: u64,
    /// Mean cost of an answered request in US dollars.
    pub mean_cost_usd: Option<f64>,
    /// Mean latency of an answered request in milliseconds.
    pub mean_latency_ms: Option<f64>,
}

impl PolicyStats {
    /// Creates empty statistics that report changes to this notifier.
    pub fn new(change_notifier: &ChangeNotifier) -> Self {
        Self {
            change_notifier: change_notifier.clone(),
            counts: DecisionCounts::default(),
            faults: AtomicU64::default(),
            times: TIME_BUCKETS.as_ref().ok().map(AtomicHistogram32::with_config),
            answered: AtomicU64::default(),
            unanswered: AtomicU64::default(),
            cost: AtomicU64::default(),
            latency_us: AtomicU64::default(),
        }
    }

    /// Creates empty statistics with the same notifier.
    pub fn new_sibling(&self) -> Self {
        Self::new(&self.change_notifier)
    }

    /// Counts a decision and its failure, if it failed.
    pub fn record_decision(&self, took: Duration, failure: Option<&PolicyFailure>) {
        let before = self.counts.record_decision();
        if let Some(times) = &self.times {
            let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            // A time beyond the last bucket is not counted here: such a call missed its deadline,
            // and is counted as a failure.
            let _ = times.increment(nanoseconds);
        }
        match failure {
            Some(failure) => self.record_failure(failure),
            None if before % DECISIONS_PER_NOTIFICATION == DECISIONS_PER_NOTIFICATION - 1 => {
                self.change_notifier.notify();
            }
            None => {}
        }
    }

    /// Counts a failure after the decision, while a plan is resumed.
    pub fn record_failure(&self, failure: &PolicyFailure) {
        self.counts.record_failure(failure);
        if failure.is_policys_fault() {
            self.faults.fetch_add(1, Ordering::Relaxed);
            self.change_notifier.notify();
        } else if matches!(failure, PolicyFailure::Starved) {
            // Not the policy's fault, but a slow decision, and versions are compared by those too.
            self.change_notifier.notify();
        }
    }

    /// Counts the outcome of a request that it routed.
    pub fn record_outcome(&self, outcome: &Outcome) {
        match outcome.ending {
            RequestEnd::Cancelled => {}
            RequestEnd::Answered => {
                self.answered.fetch_add(1, Ordering::Relaxed);
                self.cost.fetch_add(outcome.cost.get(), Ordering::Relaxed);
                let latency = u64::try_from(outcome.latency.as_micros()).unwrap_or(u64::MAX);
                self.latency_us.fetch_add(latency, Ordering::Relaxed);
            }
            RequestEnd::Failed => {
                self.unanswered.fetch_add(1, Ordering::Relaxed);
                self.change_notifier.notify();
            }
        }
    }

    /// Returns the counts by which versions are compared.
    pub fn tally(&self) -> VersionCounts {
        let errors = load(&self.unanswered);
        VersionCounts {
            decisions: self.counts.decisions(),
            failures: load(&self.faults),
            decision_times: self.decision_times(),
            requests: load(&self.answered) + errors,
            errors,
        }
    }

    /// Summarises the statistics.
    pub fn summary(&self) -> PolicyStatsSummary {
        let tally = self.tally();
        let answered = load(&self.answered);
        let mean = |sum: f64| (answered > 0).then(|| sum / answered as f64);
        let microseconds = |time: Duration| time.as_nanos() as f64 / 1e3;
        PolicyStatsSummary {
            decisions: tally.decisions,
            failures: self.counts.failures(),
            decision_us_p50: self.quantile(0.5).map(microseconds),
            decision_us_p99: self.quantile(0.99).map(microseconds),
            requests: tally.requests,
            errors: tally.errors,
            mean_cost_usd: mean(Picodollars::new(load(&self.cost)).usd()),
            mean_latency_ms: mean(load(&self.latency_us) as f64 / 1e3),
        }
    }

    fn decision_times(&self) -> Vec<(Duration, u64)> {
        let Some(times) = &self.times else { return Vec::new() };
        let buckets = times.load();
        let buckets = buckets.iter().filter(|bucket| bucket.count() > 0);
        buckets.map(|bucket| (Duration::from_nanos(bucket.end()), bucket.count())).collect()
    }

    /// Returns the decision time below which this share of the decisions stayed.
    fn quantile(&self, share: f64) -> Option<Duration> {
        let bucket = self.times.as_ref()?.load().quantile_bucket(share).ok()??;
        Some(Duration::from_nanos(bucket.end()))
    }
}

impl DecisionCounts {
    /// Counts a decision. Returns the number of earlier ones.
    pub(crate) fn record_decision(&self) -> u64 {
        self.decisions.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn record_failure(&self, failure: &PolicyFailure) {
        self.failures[failure.kind() as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn decisions(&self) -> u64 {
        load(&self.decisions)
    }

    /// Returns failures by reason, without reasons that never occurred.
    pub(crate) fn failures(&self) -> Vec<(&'static str, u64)> {
        self.all_failures().into_iter().filter(|(_, count)| *count > 0).collect()
    }

    /// Returns failures by reason, with every reason.
    pub(crate) fn all_failures(&self) -> [(&'static str, u64); FailureReason::ALL.len()] {
        FailureReason::ALL.map(|reason| (reason.as_str(), load(&self.failures[reason as usize])))
    }
}

fn load(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests;
