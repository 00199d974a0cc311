//! The decision record, as far as operators' tools show it.
//!
//! The record has a format of its own, which the decision log uses too
//! (docs/decision-record.schema.json). A test checks that these members exist in it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::PlanDetail;

/// The response to `GET /admin/decisions/ID`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct DecisionRecord {
    /// The decision's id.
    pub id: String,
    /// The route.
    pub route: String,
    /// The name of the client's key.
    pub key: Option<String>,
    /// The request.
    pub request: RecordedRequest,
    /// The decisions, in order.
    pub decisions: Vec<RecordedDecision>,
    /// The calls of models, in order.
    pub attempts: Vec<RecordedAttempt>,
    /// The plan, if the request was split into tasks.
    pub plan: Option<PlanDetail>,
    /// The outcome.
    pub outcome: RecordedOutcome,
}

/// The request of a record.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RecordedRequest {
    /// The operation.
    pub operation: String,
    /// The model name that the client sent.
    pub model: String,
    /// Estimated input tokens.
    pub input_tokens: u64,
    /// The client's limit on output tokens.
    pub max_output_tokens: Option<u64>,
    /// Kinds of content.
    pub inputs: Vec<String>,
    /// Abilities that a model needs.
    pub needs: Vec<String>,
    /// Messages that are not system messages.
    pub turns: u64,
    /// True if the answer is streamed.
    pub streaming: bool,
    /// The deadline in milliseconds.
    pub deadline_ms: Option<f64>,
    /// Attributes for policies.
    pub attributes: BTreeMap<String, String>,
}

/// A decision of a record.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RecordedDecision {
    /// The policy; none for the gateway's own order.
    pub policy: Option<String>,
    /// SHA-256 of the version.
    pub digest: Option<String>,
    /// Duration in microseconds.
    pub took_us: f64,
    /// The candidates.
    pub candidates: Vec<RecordedCandidate>,
    /// The answer.
    pub answer: RecordedAnswer,
}

/// A candidate of a recorded decision.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RecordedCandidate {
    /// The model.
    pub model: String,
    /// US dollars for a million input tokens.
    pub input_usd_per_million: f64,
    /// US dollars for a million output tokens.
    pub output_usd_per_million: f64,
    /// Stated quality, 0 to 1.
    pub quality: Option<f64>,
    /// False when recent calls or probes failed.
    pub healthy: bool,
    /// Calls in flight.
    pub in_flight: u64,
    /// Time to the first token in milliseconds.
    pub first_token_ms: Option<f64>,
    /// Share of recent calls that failed, 0 to 1.
    pub error_rate: f64,
}

/// The answer of a recorded decision. The kind determines the members that are set.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RecordedAnswer {
    /// `route`, `plan`, `finish`, `refusal` or `failure`.
    pub kind: String,
    /// The candidates to try, in order.
    pub targets: Vec<RecordedTarget>,
    /// The label.
    pub label: Option<String>,
    /// The reason that the policy gave, or the reason of a failure.
    pub reason: Option<String>,
    /// Time after which the next target is started too, in milliseconds.
    pub hedge_after_ms: Option<f64>,
    /// Probability of the first target, if the policy explores.
    pub propensity: Option<f64>,
    /// Number of tasks.
    pub tasks: Option<u64>,
    /// Code of a refusal.
    pub code: Option<String>,
    /// Message of a refusal or failure.
    pub message: Option<String>,
}

/// A target of a recorded answer.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RecordedTarget {
    /// Index of the candidate.
    pub candidate: usize,
}

/// A call of a model.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RecordedAttempt {
    /// The model.
    pub model: String,
    /// Number of the task that the call was made for.
    pub task: Option<u64>,
    /// Start, in milliseconds after the arrival of the request.
    pub begun_ms: f64,
    /// First content, in milliseconds after the arrival of the request.
    pub first_token_ms: Option<f64>,
    /// End, in milliseconds after the arrival of the request.
    pub ended_ms: f64,
    /// `answered`, `failed` or `cancelled`.
    pub result: String,
    /// The error.
    pub error: Option<String>,
    /// Input tokens.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Cost in US dollars.
    pub cost_usd: f64,
}

/// The outcome of a record.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RecordedOutcome {
    /// `answered`, `failed` or `cancelled`.
    pub ending: String,
    /// The model that answered.
    pub model: Option<String>,
    /// Time to the first token in milliseconds.
    pub first_token_ms: Option<f64>,
    /// Latency in milliseconds.
    pub latency_ms: f64,
    /// Part of the time to the first token that the gateway added, in milliseconds.
    pub added_ms: Option<f64>,
    /// Input tokens of all calls.
    pub input_tokens: u64,
    /// Output tokens of all calls.
    pub output_tokens: u64,
    /// Cost in US dollars.
    pub cost_usd: f64,
    /// The model that costs are compared with.
    pub baseline_model: Option<String>,
    /// Cost at the prices of that model.
    pub baseline_cost_usd: Option<f64>,
    /// The error.
    pub error: Option<String>,
}
