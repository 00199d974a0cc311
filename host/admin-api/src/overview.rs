//! Everything at a glance.

use serde::{Deserialize, Serialize};

use crate::{
    AttentionEntry, AuditEvent, ModelStatus, PolicyStatus, ReloadReport, RequestTotals, RouteStatus,
    Timeline, TimelinePoint,
};

/// The response to `GET /admin/overview`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Overview {
    /// The status.
    #[serde(flatten)]
    pub status: GatewayStatus,
    /// Sums over the time that was asked for.
    pub timeline: Timeline,
    /// Changes, the newest first.
    pub changes: Vec<AuditEvent>,
}

/// The event that is sent each second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Tick {
    /// The status.
    #[serde(flatten)]
    pub status: GatewayStatus,
    /// The newest seconds of the timeline.
    pub points: Vec<TimelinePoint>,
}

/// The status of the gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct GatewayStatus {
    /// The version of the gateway.
    pub version: String,
    /// The gateway's clock, in milliseconds since 1970.
    pub now_ms: u64,
    /// Start of the gateway, in milliseconds since 1970.
    pub started_ms: u64,
    /// Conditions that need an operator, the most urgent first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attention: Vec<AttentionEntry>,
    /// Sums since the start.
    pub totals: RequestTotals,
    /// The models, in the order of the configuration.
    pub models: Vec<ModelOverview>,
    /// The routes, in the order of the configuration.
    pub routes: Vec<RouteOverview>,
    /// The policies, in the order of the configuration.
    pub policies: Vec<PolicyStatus>,
    /// The last reload, if there was one.
    pub last_reload: Option<ReloadReport>,
    /// Counts of the decision log, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_log: Option<DecisionLogCounts>,
    /// Counts of spans, if they are exported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traces: Option<SpanCounts>,
}

/// A model with its answers since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ModelOverview {
    /// The model.
    #[serde(flatten)]
    pub status: ModelStatus,
    /// Requests that it answered.
    pub requests: u64,
    /// Cost of its calls in US dollars.
    pub cost_usd: f64,
}

/// A route with its requests since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RouteOverview {
    /// The route.
    #[serde(flatten)]
    pub status: RouteStatus,
    /// The description in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Further names that clients can request, exact or patterns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Ids of its models.
    pub models: Vec<String>,
    /// The model that costs are compared with.
    pub baseline: Option<String>,
    /// Sums since the start.
    #[serde(flatten)]
    pub totals: RequestTotals,
}

/// Counts of the decision log since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct DecisionLogCounts {
    /// Records that were written.
    pub written: u64,
    /// Their bytes before compression.
    pub bytes: u64,
    /// Records that were dropped because the queue was full.
    pub dropped_queue: u64,
    /// Records that were dropped because the disk failed or is full.
    pub dropped_disk: u64,
}

/// Counts of spans since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SpanCounts {
    /// Spans that the collector accepted.
    pub exported: u64,
    /// Spans that were dropped.
    pub dropped: u64,
}
