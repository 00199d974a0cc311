//! Recent decisions.

use serde::{Deserialize, Serialize};

/// A decision in short: an element of `GET /admin/decisions`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct DecisionSummary {
    /// The id, as in the header `x-pointsman-decision-id`.
    pub id: String,
    /// Arrival of the request, in milliseconds since 1970.
    pub at_ms: u64,
    /// The route.
    pub route: String,
    /// The name of the client's key, if it sent one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The policy with the short digest of its version.
    pub policy: Option<String>,
    /// The label of the decision.
    pub label: String,
    /// The reason that the policy gave.
    pub reason: Option<String>,
    /// `answered`, `failed` or `cancelled`.
    pub ending: String,
    /// The model that answered, or the last one that was called.
    pub model: Option<String>,
    /// Calls of models.
    pub attempts: u32,
    /// True if the answer is a stream.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub streaming: bool,
    /// Tasks, if the request was split into tasks.
    pub tasks: Option<usize>,
    /// Latency in milliseconds.
    pub latency_ms: f64,
    /// Time to the first token, in milliseconds.
    pub first_token_ms: Option<f64>,
    /// Input tokens of all calls.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_tokens: u64,
    /// Output tokens of all calls.
    #[serde(skip_serializing_if = "is_zero")]
    pub output_tokens: u64,
    /// Cost in US dollars.
    pub cost_usd: f64,
    /// The error.
    pub error: Option<String>,
    /// The cause, if the request failed: `client`, `model`, `policy` or `limit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The failed calls of models, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_calls: Vec<FailedCall>,
}

/// A call of a model that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct FailedCall {
    /// The model.
    pub model: String,
    /// The error: `status 503`, `no connection` …
    pub error: String,
}

/// Returns whether a number is absent from the JSON. Older gateways do not have the member.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}
