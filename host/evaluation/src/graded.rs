//! Recorded outcomes of several models on the same requests: splits without leaks, facts of models from training
//! rows, baselines that a router has to beat, and what a router scores and saves beside them.

mod baseline;
mod facts;
pub mod format;
mod hull;
pub mod interval;
mod measure;
mod oracle;
mod split;
mod two_models;

pub use baseline::{Strategy, by_length, single_models};
pub use facts::{ModelFacts, model_facts};
pub use hull::{HullPoint, hull, hull_mix};
pub use measure::{Bounds, StrategyResult, measure};
pub use oracle::{corrected_oracle, oracle, reliability};
pub use split::{Split, SplitCounts, halves, without_leaks};
pub use two_models::{DecisionCurve, TwoModelResult, two_models};

/// A request with the outcome of each model.
#[derive(Clone, Debug, PartialEq)]
pub struct GradedRow {
    /// Identifier.
    pub id: String,
    /// Label of the data set, which no policy sees.
    pub category: String,
    /// Hash of the messages. Rows with the same one are the same request.
    pub prompt: u64,
    /// Length of the newest user message in bytes.
    pub length: usize,
    /// Kind of task, by the classifier of the built-in policies.
    pub kind: &'static str,
    /// Outcome of each model.
    pub outcomes: Vec<GradedOutcome>,
}

/// Outcome of a request with one model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GradedOutcome {
    /// Quality of the answer, 0..1.
    pub score: f64,
    /// Tokens of the request, as the model counts them.
    pub input_tokens: f64,
    /// Tokens of the answer; 0 if they are unknown.
    pub output_tokens: f64,
    /// Milliseconds to the whole answer, if known.
    pub latency_ms: Option<f64>,
    /// Cost in US dollars, with that of the answer.
    pub cost: f64,
}

/// Requests with the outcomes of the same models.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GradedData {
    /// Names of the models.
    pub models: Vec<String>,
    /// Requests.
    pub rows: Vec<GradedRow>,
}

impl GradedRow {
    /// Returns the outcome of a model; of none, an outcome without score and cost.
    pub fn outcome(&self, model: usize) -> GradedOutcome {
        self.outcomes.get(model).copied().unwrap_or_default()
    }
}

/// Returns the mean; 0 of nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

/// Returns the place of the smallest number; the first of equals.
pub(crate) fn position_of_min(values: impl Iterator<Item = f64>) -> usize {
    let smallest = |best: (usize, f64), next: (usize, f64)| if next.1 < best.1 { next } else { best };
    values.enumerate().fold((0, f64::INFINITY), smallest).0
}

#[cfg(test)]
mod tests;
