//! A call of a model, in a decision record.

use pointsman_domain::history::{CallEnd, History, ModelCall};
use schemars::JsonSchema;
use serde::Serialize;

use super::{is_zero, ms};

/// One call of a model.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Attempt<'a> {
    /// Which model.
    pub model: &'a str,
    /// The task of the plan that it was made for, by number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<usize>,
    /// When it was made.
    pub begun_ms: f64,
    /// When the first content came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<f64>,
    /// When it was over.
    pub ended_ms: f64,
    /// `answered`, `failed`, or `cancelled` where nobody needed it any more.
    pub result: &'static str,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Tokens of its input.
    pub input_tokens: u64,
    /// Input tokens that providers read from their caches, if there are any.
    #[serde(skip_serializing_if = "is_zero")]
    pub cached_input_tokens: u64,
    /// Input tokens that providers wrote to their caches, if there are any.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_tokens: u64,
    /// Tokens of its answer.
    pub output_tokens: u64,
    /// Output tokens that are reasoning, if there are any.
    #[serde(skip_serializing_if = "is_zero")]
    pub reasoning_tokens: u64,
    /// Whether the gateway estimated the tokens.
    pub estimated: bool,
    /// What it cost.
    pub cost_usd: f64,
}

impl<'a> Attempt<'a> {
    pub(super) fn of(call: &'a ModelCall, history: &History) -> Self {
        let error = match &call.end {
            CallEnd::Failed(kind) => Some(kind.to_string()),
            CallEnd::BrokeOff => history.outcome.error.clone(),
            CallEnd::Answered | CallEnd::Open | CallEnd::Cancelled => None,
        };
        Self {
            model: call.model.id.as_str(),
            task: call.task,
            begun_ms: ms(call.begun),
            first_token_ms: call.first_token.map(ms),
            ended_ms: ms(call.ended.unwrap_or(history.outcome.latency)),
            result: call.end.as_str(),
            error,
            input_tokens: call.usage.input_tokens,
            cached_input_tokens: call.usage.cached_input_tokens,
            cache_write_tokens: call.usage.cache_write_tokens,
            output_tokens: call.usage.output_tokens,
            reasoning_tokens: call.usage.reasoning_tokens,
            estimated: call.usage.estimated,
            cost_usd: call.cost().usd(),
        }
    }
}
