//! Sums of the requests that ended in one interval.

use std::collections::BTreeMap;
use std::time::Duration;

use histogram::{Config, Error, Histogram32};
use pointsman_domain::history::History;
use pointsman_domain::ids::ModelId;
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::{FailureCause, FailureCounts, RequestEnd};

/// Buckets for microseconds up to 19 hours, exact to an eighth.
const LATENCY_BUCKETS: Result<Config, Error> = Config::new(3, 36);

/// Sums of the requests that ended in one interval.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IntervalTotals {
    /// Start of the interval, in milliseconds since 1970.
    pub at_ms: u64,
    /// Requests that ended.
    pub requests: u64,
    /// Requests that were answered.
    pub answered: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Requests whose client hung up.
    pub cancelled: u64,
    /// Failed requests by cause.
    pub failed_by: FailureCounts,
    /// Requests that were rejected before a decision, by cause. They are not among `requests`.
    pub rejected_by: FailureCounts,
    /// Input tokens of all calls.
    pub input_tokens: u64,
    /// Output tokens of all calls.
    pub output_tokens: u64,
    /// Cost of all calls.
    pub cost_usd: f64,
    /// Cost of the requests that can be compared with a baseline.
    pub compared_cost_usd: f64,
    /// Cost of the same requests on the baseline.
    pub baseline_cost_usd: f64,
    /// Median latency of answered requests.
    pub latency_ms_p50: Option<f64>,
    /// 95th percentile of the latency of answered requests.
    pub latency_ms_p95: Option<f64>,
    /// Median latency that the gateway added to answered requests.
    pub added_ms_p50: Option<f64>,
    /// Answers by model.
    pub models: BTreeMap<ModelId, u64>,
}

/// Sums that still grow.
#[derive(Clone, Debug)]
pub(super) struct IntervalSums {
    pub(super) at_ms: u64,
    answered: u64,
    failed: u64,
    cancelled: u64,
    failed_by: FailureCounts,
    rejected_by: FailureCounts,
    input_tokens: u64,
    output_tokens: u64,
    cost: Picodollars,
    compared: Picodollars,
    baseline: Picodollars,
    latency: LatencyHistogram,
    added: LatencyHistogram,
    models: BTreeMap<ModelId, u64>,
}

#[derive(Clone, Debug)]
struct LatencyHistogram(Option<Histogram32>);

impl IntervalSums {
    pub(super) fn new(at_ms: u64) -> Self {
        Self {
            at_ms,
            answered: 0,
            failed: 0,
            cancelled: 0,
            failed_by: FailureCounts::default(),
            rejected_by: FailureCounts::default(),
            input_tokens: 0,
            output_tokens: 0,
            cost: Picodollars::ZERO,
            compared: Picodollars::ZERO,
            baseline: Picodollars::ZERO,
            latency: LatencyHistogram::new(),
            added: LatencyHistogram::new(),
            models: BTreeMap::new(),
        }
    }

    /// Returns the same sums for an interval with another start.
    pub(super) fn starting(&self, at_ms: u64) -> Self {
        Self { at_ms, ..self.clone() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.requests() == 0 && self.rejected_by.total() == 0
    }

    fn requests(&self) -> u64 {
        self.answered + self.failed + self.cancelled
    }

    pub(super) fn add(&mut self, history: &History) {
        let outcome = &history.outcome;
        match outcome.ending {
            RequestEnd::Answered => self.answered += 1,
            RequestEnd::Failed => self.failed += 1,
            RequestEnd::Cancelled => self.cancelled += 1,
        }
        if let Some(cause) = history.cause {
            self.failed_by.add(cause);
        }
        self.input_tokens += outcome.usage.input_tokens;
        self.output_tokens += outcome.usage.output_tokens;
        self.cost += outcome.cost;
        if let Some(baseline) = &history.baseline {
            self.compared += outcome.cost;
            self.baseline += baseline.cost;
        }
        if outcome.ending != RequestEnd::Answered {
            return;
        }
        self.latency.add(outcome.latency);
        if let Some(added) = history.added_latency() {
            self.added.add(added);
        }
        let Some(model) = &outcome.model else { return };
        // The id is cloned only for the first answer of a model.
        match self.models.get_mut(model) {
            Some(count) => *count += 1,
            None => drop(self.models.insert(model.clone(), 1)),
        }
    }

    pub(super) fn add_rejected(&mut self, cause: FailureCause) {
        self.rejected_by.add(cause);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.answered += other.answered;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.failed_by += other.failed_by;
        self.rejected_by += other.rejected_by;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cost += other.cost;
        self.compared += other.compared;
        self.baseline += other.baseline;
        self.latency.merge(&other.latency);
        self.added.merge(&other.added);
        for (model, count) in &other.models {
            *self.models.entry(model.clone()).or_default() += count;
        }
    }

    pub(super) fn point(&self) -> IntervalTotals {
        IntervalTotals {
            at_ms: self.at_ms,
            requests: self.requests(),
            answered: self.answered,
            failed: self.failed,
            cancelled: self.cancelled,
            failed_by: self.failed_by,
            rejected_by: self.rejected_by,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cost_usd: self.cost.usd(),
            compared_cost_usd: self.compared.usd(),
            baseline_cost_usd: self.baseline.usd(),
            latency_ms_p50: self.latency.quantile_ms(0.5),
            latency_ms_p95: self.latency.quantile_ms(0.95),
            added_ms_p50: self.added.quantile_ms(0.5),
            models: self.models.clone(),
        }
    }
}

impl LatencyHistogram {
    fn new() -> Self {
        Self(LATENCY_BUCKETS.as_ref().ok().map(Histogram32::with_config))
    }

    fn add(&mut self, time: Duration) {
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        if let Some(histogram) = &mut self.0 {
            // No request takes longer than the histogram's range.
            let _ = histogram.increment(microseconds);
        }
    }

    fn merge(&mut self, other: &Self) {
        if let (Some(histogram), Some(other)) = (&mut self.0, &other.0) {
            // Both have the same configuration, and no interval has four billion requests.
            let _ = histogram.checked_add_assign(other);
        }
    }

    /// Returns the upper end of the bucket that contains a quantile.
    fn quantile_ms(&self, quantile: f64) -> Option<f64> {
        let bucket = self.0.as_ref()?.quantile_bucket(quantile).ok()??;
        Some(bucket.end() as f64 / 1e3)
    }
}
