//! Sums over time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::FailureCauses;

/// Steps of one length, up to now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Timeline {
    /// Length of a step in milliseconds.
    pub step_ms: u64,
    /// Steps with requests, the oldest first. The last one may still grow.
    pub points: Vec<TimelinePoint>,
}

/// Sums over the requests that ended in a step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TimelinePoint {
    /// Start of the step, in milliseconds since 1970.
    pub at_ms: u64,
    /// Requests that ended.
    pub requests: u64,
    /// Requests that a model answered.
    pub answered: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Failed requests by cause.
    #[serde(skip_serializing_if = "FailureCauses::is_empty")]
    pub failed_by: FailureCauses,
    /// Requests that were rejected before a decision, by cause. They are not among `requests`.
    #[serde(skip_serializing_if = "FailureCauses::is_empty")]
    pub rejected_by: FailureCauses,
    /// Requests whose client disconnected.
    pub cancelled: u64,
    /// Input tokens of all calls.
    pub input_tokens: u64,
    /// Output tokens of all calls.
    pub output_tokens: u64,
    /// Cost in US dollars.
    pub cost_usd: f64,
    /// Cost of the requests that the baseline model could have answered too.
    pub compared_cost_usd: f64,
    /// Cost of those requests at the prices of the baseline model.
    pub baseline_cost_usd: f64,
    /// Median latency of answered requests, in milliseconds.
    pub latency_ms_p50: Option<f64>,
    /// 95th percentile of the latency of answered requests, in milliseconds.
    pub latency_ms_p95: Option<f64>,
    /// Median of the time that the gateway added, in milliseconds.
    pub added_ms_p50: Option<f64>,
    /// Answers by model.
    pub models: BTreeMap<String, u64>,
}
