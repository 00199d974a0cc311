//! One step of a timeline.

use std::collections::BTreeMap;
use std::time::Duration;

use histogram::{Config, Error, Histogram32};
use pointsman_domain::history::History;
use pointsman_domain::ids::ModelId;
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::RequestEnd;
use serde::Serialize;

/// Times in microseconds up to 19 hours, to an eighth.
const TIMES: Result<Config, Error> = Config::new(3, 36);

/// What the requests came to that ended in a step.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Point {
    /// When the step began, in milliseconds since 1970.
    pub at_ms: u64,
    /// Requests that ended.
    pub requests: u64,
    /// Those that were answered.
    pub answered: u64,
    /// Those that came to nothing.
    pub failed: u64,
    /// Those whose client went away.
    pub cancelled: u64,
    /// Tokens of all calls' inputs.
    pub input_tokens: u64,
    /// Tokens of all calls' answers.
    pub output_tokens: u64,
    /// What they cost.
    pub cost_usd: f64,
    /// What those cost that can be compared with a baseline.
    pub compared_cost_usd: f64,
    /// What the baseline would have charged for those.
    pub baseline_cost_usd: f64,
    /// Milliseconds that half of the answered ones took at most.
    pub latency_ms_p50: Option<f64>,
    /// Milliseconds that 95 of 100 answered ones took at most.
    pub latency_ms_p95: Option<f64>,
    /// Milliseconds that the gateway added to half of them at most.
    pub added_ms_p50: Option<f64>,
    /// Answers by model.
    pub models: BTreeMap<ModelId, u64>,
}

/// A step that grows.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) at_ms: u64,
    counts: [u64; 3],
    tokens: [u64; 2],
    cost: Picodollars,
    compared: Picodollars,
    baseline: Picodollars,
    latency: Times,
    added: Times,
    models: BTreeMap<ModelId, u64>,
}

#[derive(Clone, Debug)]
struct Times(Option<Histogram32>);

impl Step {
    pub(super) fn new(at_ms: u64) -> Self {
        Self {
            at_ms,
            counts: [0; 3],
            tokens: [0; 2],
            cost: Picodollars::ZERO,
            compared: Picodollars::ZERO,
            baseline: Picodollars::ZERO,
            latency: Times::new(),
            added: Times::new(),
            models: BTreeMap::new(),
        }
    }

    /// The same sums, as those of a step that began at another time.
    pub(super) fn starting(&self, at_ms: u64) -> Self {
        Self { at_ms, ..self.clone() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts == [0; 3]
    }

    pub(super) fn add(&mut self, history: &History) {
        let outcome = &history.outcome;
        self.counts[outcome.ending as usize] += 1;
        self.tokens[0] += outcome.usage.input_tokens;
        self.tokens[1] += outcome.usage.output_tokens;
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
        match self.models.get_mut(model) {
            Some(count) => *count += 1,
            None => drop(self.models.insert(model.clone(), 1)),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(sum, count)| *sum += count);
        self.tokens.iter_mut().zip(other.tokens).for_each(|(sum, count)| *sum += count);
        self.cost += other.cost;
        self.compared += other.compared;
        self.baseline += other.baseline;
        self.latency.merge(&other.latency);
        self.added.merge(&other.added);
        for (model, count) in &other.models {
            *self.models.entry(model.clone()).or_default() += count;
        }
    }

    pub(super) fn point(&self) -> Point {
        let count = |ending: RequestEnd| self.counts[ending as usize];
        Point {
            at_ms: self.at_ms,
            requests: self.counts.iter().sum(),
            answered: count(RequestEnd::Answered),
            failed: count(RequestEnd::Failed),
            cancelled: count(RequestEnd::Cancelled),
            input_tokens: self.tokens[0],
            output_tokens: self.tokens[1],
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

impl Times {
    fn new() -> Self {
        Self(TIMES.as_ref().ok().map(Histogram32::with_config))
    }

    fn add(&mut self, time: Duration) {
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        if let Some(times) = &mut self.0 {
            // No request takes longer than the histogram reaches.
            let _ = times.increment(microseconds);
        }
    }

    fn merge(&mut self, other: &Self) {
        if let (Some(times), Some(other)) = (&mut self.0, &other.0) {
            // Both have the same configuration, and no step has four billion requests.
            let _ = times.checked_add_assign(other);
        }
    }

    /// The upper end of the bucket that this share of the times stayed below.
    fn quantile_ms(&self, share: f64) -> Option<f64> {
        let bucket = self.0.as_ref()?.quantile_bucket(share).ok()??;
        Some(bucket.end() as f64 / 1e3)
    }
}
