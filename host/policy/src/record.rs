//! How a version of a policy has done so far.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use histogram::{AtomicHistogram32, Config, Error};
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::{Outcome, RequestEnd};
use pointsman_domain::rollout::VersionCounts;
use serde::Serialize;
use tokio::sync::Notify;

use crate::failure::PolicyFailure;

/// Decisions between two rings of the alarm when all is well.
const ROUND: u64 = 64;
/// Decision times in nanoseconds up to 69 seconds, to an eighth.
const TIMES: Result<Config, Error> = Config::new(3, 36);

/// Tells whoever compares versions that there is something new to compare. All
/// records of a runtime share one.
#[derive(Clone, Debug, Default)]
pub struct Alarm(Arc<Notify>);

impl Alarm {
    /// Waits until a record has something new; at once if one had since the last time.
    pub async fn rung(&self) {
        self.0.notified().await;
    }

    fn ring(&self) {
        self.0.notify_one();
    }
}

/// What one version, or one side of a trial, has done: counted as it happens,
/// without locks.
#[derive(Debug)]
pub struct Record {
    alarm: Alarm,
    counts: Counts,
    at_fault: AtomicU64,
    times: Option<AtomicHistogram32>,
    answered: AtomicU64,
    unanswered: AtomicU64,
    cost: AtomicU64,
    latency_us: AtomicU64,
}

/// Decisions, and failures by reason.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    decisions: AtomicU64,
    by_reason: [AtomicU64; PolicyFailure::REASONS.len()],
}

/// What a record says, for people.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RecordStatus {
    /// Decisions that were asked for.
    pub decisions: u64,
    /// Failures by [`PolicyFailure::reason`], those that happened.
    pub failures: Vec<(&'static str, u64)>,
    /// Microseconds that half of the decisions took at most.
    pub decision_us_p50: Option<f64>,
    /// Microseconds that 99 of 100 decisions took at most.
    pub decision_us_p99: Option<f64>,
    /// Requests that it routed and that came to an end, but for those whose
    /// client went away.
    pub requests: u64,
    /// Those that no model answered.
    pub errors: u64,
    /// What an answered request cost on average, in US dollars.
    pub mean_cost_usd: Option<f64>,
    /// What an answered request took on average, in milliseconds.
    pub mean_latency_ms: Option<f64>,
}

impl Record {
    /// An empty one, which rings when there is something new in it.
    pub fn new(alarm: &Alarm) -> Self {
        Self {
            alarm: alarm.clone(),
            counts: Counts::default(),
            at_fault: AtomicU64::default(),
            times: TIMES.as_ref().ok().map(AtomicHistogram32::with_config),
            answered: AtomicU64::default(),
            unanswered: AtomicU64::default(),
            cost: AtomicU64::default(),
            latency_us: AtomicU64::default(),
        }
    }

    /// An empty one that rings the same alarm.
    pub fn sibling(&self) -> Self {
        Self::new(&self.alarm)
    }

    /// Counts a decision that took this long, and its failure if it failed.
    pub fn decided(&self, took: Duration, failure: Option<&PolicyFailure>) {
        let before = self.counts.decided();
        if let Some(times) = &self.times {
            let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            // What takes longer than the histogram reaches ran into its deadline, and is counted as that.
            let _ = times.increment(nanoseconds);
        }
        let Some(failure) = failure else {
            if before % ROUND == ROUND - 1 {
                self.alarm.ring();
            }
            return;
        };
        self.failed(failure);
    }

    /// Counts a failure that comes after the decision: when a plan went on.
    pub fn failed(&self, failure: &PolicyFailure) {
        self.counts.failed(failure);
        if failure.is_policys_fault() {
            self.at_fault.fetch_add(1, Ordering::Relaxed);
            self.alarm.ring();
        } else if matches!(failure, PolicyFailure::Starved) {
            // No fault, but a slow decision: versions are compared by these too.
            self.alarm.ring();
        }
    }

    /// Counts what became of a request that it routed.
    pub fn ended(&self, outcome: &Outcome) {
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
                self.alarm.ring();
            }
        }
    }

    /// What versions are compared by.
    pub fn tally(&self) -> VersionCounts {
        let errors = get(&self.unanswered);
        VersionCounts {
            decisions: self.counts.decisions(),
            failures: get(&self.at_fault),
            decision_times: self.decision_times(),
            requests: get(&self.answered) + errors,
            errors,
        }
    }

    /// What there is to say at this moment.
    pub fn status(&self) -> RecordStatus {
        let tally = self.tally();
        let answered = get(&self.answered);
        let mean = |sum: f64| (answered > 0).then(|| sum / answered as f64);
        let microseconds = |time: Duration| time.as_nanos() as f64 / 1e3;
        RecordStatus {
            decisions: tally.decisions,
            failures: self.counts.failures(),
            decision_us_p50: self.quantile(0.5).map(microseconds),
            decision_us_p99: self.quantile(0.99).map(microseconds),
            requests: tally.requests,
            errors: tally.errors,
            mean_cost_usd: mean(Picodollars::new(get(&self.cost)).usd()),
            mean_latency_ms: mean(get(&self.latency_us) as f64 / 1e3),
        }
    }

    fn decision_times(&self) -> Vec<(Duration, u64)> {
        let Some(times) = &self.times else { return Vec::new() };
        let counted = times.load();
        let counted = counted.iter().filter(|bucket| bucket.count() > 0);
        counted.map(|bucket| (Duration::from_nanos(bucket.end()), bucket.count())).collect()
    }

    /// The decision time that this share of the decisions stayed below.
    fn quantile(&self, share: f64) -> Option<Duration> {
        let bucket = self.times.as_ref()?.load().quantile_bucket(share).ok()??;
        Some(Duration::from_nanos(bucket.end()))
    }
}

impl Counts {
    /// Counts a decision; gives how many there were before.
    pub(crate) fn decided(&self) -> u64 {
        self.decisions.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn failed(&self, failure: &PolicyFailure) {
        self.by_reason[failure.index()].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn decisions(&self) -> u64 {
        get(&self.decisions)
    }

    /// Those that happened.
    pub(crate) fn failures(&self) -> Vec<(&'static str, u64)> {
        self.by_reason().into_iter().filter(|(_, count)| *count > 0).collect()
    }

    /// Failures by reason, those that never happened too.
    pub(crate) fn by_reason(&self) -> [(&'static str, u64); PolicyFailure::REASONS.len()] {
        std::array::from_fn(|index| (PolicyFailure::REASONS[index], get(&self.by_reason[index])))
    }
}

fn get(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests;
