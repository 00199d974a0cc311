//! Models.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A model with its prices and measurements: an element of `GET /admin/models`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ModelStatus {
    /// The id, `backend/model`.
    pub id: String,
    /// False when recent calls or probes failed.
    pub healthy: bool,
    /// True while its backend has asked not to be called.
    pub resting: bool,
    /// Time at which it became unhealthy, in milliseconds since 1970, if no call or probe has succeeded since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down_since_ms: Option<u64>,
    /// Time at which the backend asked not to be called, in milliseconds since 1970, while that lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resting_since_ms: Option<u64>,
    /// Calls in flight.
    pub in_flight: u32,
    /// Time to the first token in milliseconds, measured or expected.
    pub first_token_ms: Option<f64>,
    /// Output tokens per second, measured or expected.
    pub tokens_per_second: Option<f64>,
    /// Share of recent calls that failed, 0 to 1.
    pub error_rate: f64,
    /// US dollars for a million input tokens.
    pub input_usd_per_million: f64,
    /// US dollars for a million output tokens.
    pub output_usd_per_million: f64,
    /// Limit on input and output tokens together.
    pub context_window: Option<u32>,
    /// Limit on output tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// Operations that it can be called for: `chat`, `embedding` …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<String>,
    /// Kinds of content that it accepts: `text`, `image` …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// Abilities: `tools`, `structured-output` …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub abilities: Vec<String>,
    /// Stated quality in general, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<f64>,
    /// Stated quality by kind of task, 0 to 1.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub quality_by_task: BTreeMap<String, f64>,
}
