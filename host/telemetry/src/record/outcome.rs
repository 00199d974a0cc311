//! How a request ended, in a decision record.

use pointsman_domain::history::History;
use schemars::JsonSchema;
use serde::Serialize;

use super::{is_zero, ms};

/// How a request ended.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Outcome<'a> {
    /// `answered`, `failed`, or `cancelled` when the client went away.
    pub ending: &'static str,
    /// The label of the choice that led to it.
    pub label: &'a str,
    /// The model that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<&'a str>,
    /// When the client had the first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<f64>,
    /// When it ended.
    pub latency_ms: f64,
    /// The part of the time to the first token that the gateway added: in which the
    /// whole request was there and no model was working on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added_ms: Option<f64>,
    /// Tokens of all calls' inputs.
    pub input_tokens: u64,
    /// Input tokens that providers read from their caches, if there are any.
    #[serde(skip_serializing_if = "is_zero")]
    pub cached_input_tokens: u64,
    /// Input tokens that providers wrote to their caches, if there are any.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_tokens: u64,
    /// Tokens of all calls' answers.
    pub output_tokens: u64,
    /// Output tokens that are reasoning, if there are any.
    #[serde(skip_serializing_if = "is_zero")]
    pub reasoning_tokens: u64,
    /// Whether the gateway estimated some of the tokens.
    pub estimated: bool,
    /// What all calls cost.
    pub cost_usd: f64,
    /// The model that costs are compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_model: Option<&'a str>,
    /// What that model would have charged for the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_cost_usd: Option<f64>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a str>,
    /// Whose fault it was: `client`, `policy`, `backend` or `deadline`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
}

impl<'a> Outcome<'a> {
    pub(super) fn of(history: &'a History) -> Self {
        let outcome = &history.outcome;
        let baseline = history.baseline.as_ref();
        Self {
            ending: outcome.ending.as_str(),
            label: &outcome.label,
            model: outcome.model.as_ref().map(|model| model.as_str()),
            first_token_ms: outcome.first_token.map(ms),
            latency_ms: ms(outcome.latency),
            added_ms: history.added_latency().map(ms),
            input_tokens: outcome.usage.input_tokens,
            cached_input_tokens: outcome.usage.cached_input_tokens,
            cache_write_tokens: outcome.usage.cache_write_tokens,
            output_tokens: outcome.usage.output_tokens,
            reasoning_tokens: outcome.usage.reasoning_tokens,
            estimated: outcome.usage.estimated,
            cost_usd: outcome.cost.usd(),
            baseline_model: baseline.map(|baseline| baseline.model.id.as_str()),
            baseline_cost_usd: baseline.map(|baseline| baseline.cost.usd()),
            error: outcome.error.as_deref(),
            fault: outcome.fault.map(|fault| fault.as_str()),
        }
    }
}
