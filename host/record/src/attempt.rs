//! A call of a model, in a decision record.

use std::borrow::Cow;

use pointsman_domain::history::{CallEnd, History, ModelCall};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{is_zero, ms};

/// One call of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptRecord<'a> {
    /// Id of the model.
    pub model: Cow<'a, str>,
    /// Number of the plan's task that the call was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<usize>,
    /// Start of the call.
    pub begun_ms: f64,
    /// Time of the first content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<f64>,
    /// End of the call.
    pub ended_ms: f64,
    /// `answered`, `failed`, or `cancelled` if its answer was no longer needed.
    pub result: Cow<'a, str>,
    /// Error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, str>>,
    /// Input tokens.
    pub input_tokens: u64,
    /// Input tokens that the provider read from its cache, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached_input_tokens: u64,
    /// Input tokens that the provider wrote to its cache, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cache_write_tokens: u64,
    /// Those of `cache_write_tokens` that the provider keeps for an hour, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cache_write_1h_tokens: u64,
    /// Input tokens of audio, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub audio_input_tokens: u64,
    /// Input tokens of images, where the provider counts them apart, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub image_input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Output tokens that are reasoning, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reasoning_tokens: u64,
    /// Output tokens of audio, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub audio_output_tokens: u64,
    /// Output tokens of images, where the provider counts them apart, if not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub image_output_tokens: u64,
    /// True if the gateway estimated the tokens.
    pub estimated: bool,
    /// Cost in US dollars.
    pub cost_usd: f64,
}

impl<'a> AttemptRecord<'a> {
    pub(crate) fn new(call: &'a ModelCall, history: &'a History) -> Self {
        let error = match &call.end {
            CallEnd::Failed(kind) => Some(kind.to_string().into()),
            CallEnd::BrokeOff => history.outcome.error.as_deref().map(Cow::Borrowed),
            CallEnd::Answered | CallEnd::Open | CallEnd::Cancelled => None,
        };
        Self {
            model: call.model.id.as_str().into(),
            task: call.task,
            begun_ms: ms(call.begun),
            first_token_ms: call.first_token.map(ms),
            ended_ms: ms(call.ended.unwrap_or(history.outcome.latency)),
            result: call.end.as_str().into(),
            error,
            input_tokens: call.usage.input_tokens,
            cached_input_tokens: call.usage.cached_input_tokens,
            cache_write_tokens: call.usage.cache_write_tokens,
            cache_write_1h_tokens: call.usage.cache_write_1h_tokens,
            audio_input_tokens: call.usage.audio_input_tokens,
            image_input_tokens: call.usage.image_input_tokens,
            output_tokens: call.usage.output_tokens,
            reasoning_tokens: call.usage.reasoning_tokens,
            audio_output_tokens: call.usage.audio_output_tokens,
            image_output_tokens: call.usage.image_output_tokens,
            estimated: call.usage.estimated,
            cost_usd: call.cost().usd(),
        }
    }
}
