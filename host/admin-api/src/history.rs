//! Usage over time.

use serde::{Deserialize, Serialize};

use crate::{FailureCauses, RequestSums};

/// The query of `GET /admin/history`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// Names of the series: `route`, `model` or `key`; `route` if absent.
    pub by: Option<String>,
    /// Only requests at this route.
    pub route: Option<String>,
    /// Only requests that this model worked on.
    pub model: Option<String>,
    /// Only requests with the key of this name.
    pub key: Option<String>,
    /// Start of the period, in seconds since 1970; a day before `to` if absent.
    pub from: Option<u64>,
    /// End of the period, in seconds since 1970; now if absent.
    pub to: Option<u64>,
    /// Length of a step in seconds, a multiple of 300; if absent, the shortest with at most 500 steps.
    pub step: Option<u64>,
    /// Most series, those of the highest cost; the others are summed up. 10 if absent, or 1,000 without
    /// points.
    pub limit: Option<usize>,
    /// False for the totals alone; true if absent.
    pub points: Option<bool>,
}

/// Usage over time: the response to `GET /admin/history`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct History {
    /// Names of the series: `route`, `model` or `key`.
    pub by: String,
    /// Start of the first step, in seconds since 1970.
    pub from: u64,
    /// End of the period, in seconds since 1970.
    pub to: u64,
    /// Length of a step in seconds.
    pub step: u64,
    /// Start of the oldest step of the history, in seconds since 1970. What was before is not known.
    pub oldest: Option<u64>,
    /// Sums over the period.
    pub totals: HistoryTotals,
    /// Series by name, the most expensive first.
    pub series: Vec<HistorySeries>,
    /// Sum of the series beyond the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<OtherSeries>,
    /// Sums of usage that was spread over too many routes, models and keys to be stored apart. They are
    /// among `totals` if the query selects no route, model or key, and in no series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folded: Option<HistoryTotals>,
    /// Condition of the storage.
    pub storage: HistoryStorage,
}

/// Sums over requests, with their number and mean latency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HistoryTotals {
    /// Requests that have ended.
    pub requests: u64,
    /// Their sums.
    #[serde(flatten)]
    pub sums: RequestSums,
    /// Mean latency of the answered requests in milliseconds, if there are any.
    pub mean_latency_ms: Option<f64>,
}

/// Usage of one route, model or key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HistorySeries {
    /// The name; `null` for requests without a model or a key.
    pub name: Option<String>,
    /// Sums over the period.
    #[serde(flatten)]
    pub totals: HistoryTotals,
    /// Steps with usage, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<HistoryPoint>,
}

/// Usage of all series beyond a limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct OtherSeries {
    /// Number of the series.
    pub names: u64,
    /// Sums over the period.
    #[serde(flatten)]
    pub totals: HistoryTotals,
    /// Steps with usage, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<HistoryPoint>,
}

/// Sums over the requests that ended in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HistoryPoint {
    /// Start of the step, in seconds since 1970.
    pub at: u64,
    /// Requests that ended.
    pub requests: u64,
    /// Requests that a model answered.
    pub answered: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Failed requests by cause.
    #[serde(skip_serializing_if = "FailureCauses::is_empty")]
    pub failed_by: FailureCauses,
    /// Input tokens of all calls.
    pub input_tokens: u64,
    /// Output tokens of all calls.
    pub output_tokens: u64,
    /// Cost in US dollars.
    pub cost_usd: f64,
    /// Mean latency of the answered requests in milliseconds, if there are any.
    pub mean_latency_ms: Option<f64>,
}

/// Condition of the storage of the history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HistoryStorage {
    /// True if the history is in a file and survives a restart. Otherwise it is in memory, and has the
    /// last day.
    pub is_durable: bool,
    /// Reason why its file is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Steps that are not stored yet, the running one included.
    pub unstored_steps: usize,
    /// Failed attempts to store steps, since the start.
    pub failures: u64,
    /// Steps that were lost because they could not be stored for a day, since the start.
    pub lost_steps: u64,
    /// Steps that were found damaged, since the start.
    pub unreadable_steps: u64,
}
