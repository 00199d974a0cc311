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
    /// Tasks, if the request was split into tasks.
    pub tasks: Option<usize>,
    /// Latency in milliseconds.
    pub latency_ms: f64,
    /// Time to the first token, in milliseconds.
    pub first_token_ms: Option<f64>,
    /// Cost in US dollars.
    pub cost_usd: f64,
    /// The error.
    pub error: Option<String>,
}
