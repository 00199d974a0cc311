//! Recent plans.

use serde::{Deserialize, Serialize};

/// A plan in short: an element of `GET /admin/plans`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PlanSummary {
    /// The decision's id.
    pub id: String,
    /// End of the request, in seconds since 1970.
    pub at: u64,
    /// The route.
    pub route: String,
    /// The policy with the short digest of its version.
    pub policy: String,
    /// The label of the decision.
    pub label: String,
    /// `answered`, `failed` or `cancelled`.
    pub ending: String,
    /// Number of tasks.
    pub tasks: usize,
    /// Latency in milliseconds.
    pub latency_ms: f64,
    /// Duration of the critical path, in milliseconds.
    pub critical_path_ms: f64,
    /// Cost in US dollars.
    pub cost_usd: f64,
}

/// A plan and how it was executed: the response to `GET /admin/plans/ID`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PlanTrace {
    /// The decision's id.
    pub id: String,
    /// End of the request, in seconds since 1970.
    pub at: u64,
    /// The route.
    pub route: String,
    /// The policy with the short digest of its version.
    pub policy: String,
    /// The label of the decision.
    pub label: String,
    /// The reason that the policy gave.
    pub reason: Option<String>,
    /// `answered`, `failed` or `cancelled`.
    pub ending: String,
    /// The error.
    pub error: Option<String>,
    /// Latency in milliseconds.
    pub latency_ms: f64,
    /// Input tokens of all calls.
    pub input_tokens: u64,
    /// Output tokens of all calls.
    pub output_tokens: u64,
    /// Cost in US dollars.
    pub cost_usd: f64,
    /// The tasks.
    #[serde(flatten)]
    pub plan: PlanDetail,
}

/// The tasks of a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PlanDetail {
    /// Number of times that the policy was asked.
    pub steps: usize,
    /// Numbers of the tasks that determined the duration.
    pub critical_path: Vec<usize>,
    /// Their duration, in milliseconds.
    pub critical_path_ms: f64,
    /// The tasks of all steps, by number.
    pub tasks: Vec<TaskTrace>,
}

/// A task and how it was executed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TaskTrace {
    /// The number, counted over all steps.
    pub number: usize,
    /// The name.
    pub name: String,
    /// The operation of its calls.
    pub operation: String,
    /// The step that planned it, counted from 1.
    pub step: usize,
    /// Numbers of the tasks that it waits for.
    pub after: Vec<usize>,
    /// `done`, `failed`, `cancelled`, `skipped` if it was not started, or `planned` in a dry run.
    pub status: String,
    /// The model that produced its output.
    pub model: Option<String>,
    /// Calls of models.
    pub attempts: usize,
    /// Start, in milliseconds after the arrival of the request.
    pub begun_ms: Option<f64>,
    /// End, in milliseconds after the arrival of the request.
    pub ended_ms: Option<f64>,
    /// Input tokens of its calls.
    pub input_tokens: u64,
    /// Output tokens of its calls.
    pub output_tokens: u64,
    /// Cost of its calls in US dollars.
    pub cost_usd: f64,
    /// Bytes of the output that it gave to the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<usize>,
    /// The error.
    pub error: Option<String>,
}
