//! The end of a request, in a decision record.

use std::borrow::Cow;

use pointsman_domain::history::History;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{is_zero, ms};

/// The end of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeRecord<'a> {
    /// `answered`, `failed`, or `cancelled` if the client hung up.
    pub ending: Cow<'a, str>,
    /// Label of the decision that was carried out.
    pub label: Cow<'a, str>,
    /// Model that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Cow<'a, str>>,
    /// Time at which the client received the first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<f64>,
    /// Time at which the request ended.
    pub latency_ms: f64,
    /// Part of the time to the first token that the gateway added: the whole request had arrived
    /// and no model was working on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added_ms: Option<f64>,
    /// Input tokens of all calls.
    pub input_tokens: u64,
    /// Input tokens that providers read from their caches, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached_input_tokens: u64,
    /// Input tokens that providers wrote to their caches, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cache_write_tokens: u64,
    /// Those of `cache_write_tokens` that providers keep for an hour, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cache_write_1h_tokens: u64,
    /// Input tokens of audio, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub audio_input_tokens: u64,
    /// Input tokens of images, where providers count them apart, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub image_input_tokens: u64,
    /// Output tokens of all calls.
    pub output_tokens: u64,
    /// Output tokens that are reasoning, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reasoning_tokens: u64,
    /// Output tokens of audio, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub audio_output_tokens: u64,
    /// Output tokens of images, where providers count them apart, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub image_output_tokens: u64,
    /// True if the gateway estimated some of the tokens.
    pub estimated: bool,
    /// Cost of all calls in US dollars.
    pub cost_usd: f64,
    /// Model that costs are compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_model: Option<Cow<'a, str>>,
    /// Cost of the same answer from that model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_cost_usd: Option<f64>,
    /// Error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, str>>,
    /// Party at fault: `client`, `policy`, `backend` or `deadline`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Cow<'a, str>>,
}

impl<'a> OutcomeRecord<'a> {
    pub(crate) fn new(history: &'a History) -> Self {
        let outcome = &history.outcome;
        let baseline = history.baseline.as_ref();
        Self {
            ending: outcome.ending.as_str().into(),
            label: outcome.label.as_str().into(),
            model: outcome.model.as_ref().map(|model| model.as_str().into()),
            first_token_ms: outcome.first_token.map(ms),
            latency_ms: ms(outcome.latency),
            added_ms: history.added_latency().map(ms),
            input_tokens: outcome.usage.input_tokens,
            cached_input_tokens: outcome.usage.cached_input_tokens,
            cache_write_tokens: outcome.usage.cache_write_tokens,
            cache_write_1h_tokens: outcome.usage.cache_write_1h_tokens,
            audio_input_tokens: outcome.usage.audio_input_tokens,
            image_input_tokens: outcome.usage.image_input_tokens,
            output_tokens: outcome.usage.output_tokens,
            reasoning_tokens: outcome.usage.reasoning_tokens,
            audio_output_tokens: outcome.usage.audio_output_tokens,
            image_output_tokens: outcome.usage.image_output_tokens,
            estimated: outcome.usage.estimated,
            cost_usd: outcome.cost.usd(),
            baseline_model: baseline.map(|baseline| baseline.model.id.as_str().into()),
            baseline_cost_usd: baseline.map(|baseline| baseline.cost.usd()),
            error: outcome.error.as_deref().map(Cow::Borrowed),
            fault: outcome.fault.map(|fault| fault.as_str().into()),
        }
    }
}
