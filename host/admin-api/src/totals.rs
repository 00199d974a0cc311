//! Sums over requests.

use serde::{Deserialize, Serialize};

/// Numbers of failed requests by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct FailureCauses {
    /// The request: it is invalid, not allowed, beyond the abilities of the models, or its client gave it too
    /// little time.
    pub client: u64,
    /// The models and their backends.
    pub model: u64,
    /// The policy.
    pub policy: u64,
    /// A limit of the gateway or the route: memory, connections, time.
    pub limit: u64,
}

impl FailureCauses {
    /// Returns the number of all failures.
    pub const fn total(&self) -> u64 {
        self.client + self.model + self.policy + self.limit
    }

    /// Returns the number of failures that are not the clients' own.
    pub const fn not_by_clients(&self) -> u64 {
        self.total() - self.client
    }

    /// Returns whether nothing failed.
    pub const fn is_empty(&self) -> bool {
        self.total() == 0
    }
}

/// Sums over requests that have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RequestSums {
    /// Requests that a model answered.
    pub answered: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Failed requests by cause.
    #[serde(skip_serializing_if = "FailureCauses::is_empty")]
    pub failed_by: FailureCauses,
    /// Requests whose client disconnected.
    pub cancelled: u64,
    /// Input tokens of all calls.
    pub input_tokens: u64,
    /// Input tokens that providers read from their caches.
    pub cached_input_tokens: u64,
    /// Output tokens of all calls.
    pub output_tokens: u64,
    /// Output tokens that are reasoning.
    pub reasoning_tokens: u64,
    /// Cost in US dollars.
    pub cost_usd: f64,
    /// Cost of the requests that the baseline model could have answered too.
    pub compared_cost_usd: f64,
    /// Cost of those requests at the prices of the baseline model.
    pub baseline_cost_usd: f64,
}

/// Sums over requests, with their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RequestTotals {
    /// Requests that have ended.
    pub requests: u64,
    /// Their sums.
    #[serde(flatten)]
    pub sums: RequestSums,
}

/// Usage of one route, model and key since the start: an element of `GET /admin/usage`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UsageLine {
    /// The route.
    pub route: String,
    /// The model, if one worked on the requests.
    pub model: Option<String>,
    /// The name of the client's key, if it sent one.
    pub key: Option<String>,
    /// The sums.
    #[serde(flatten)]
    pub sums: RequestSums,
}
