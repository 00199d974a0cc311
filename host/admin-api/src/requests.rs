//! Queries and operations.

use serde::{Deserialize, Serialize};

use crate::TrialMode;

/// The query of `GET /admin/overview`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OverviewQuery {
    /// Length of the timeline in seconds: 300, 3600 or 86400.
    pub window: Option<u64>,
}

/// The query of `GET /admin/decisions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DecisionsQuery {
    /// Only decisions at this route.
    pub route: Option<String>,
    /// Only decisions that this model answered, or worked on last.
    pub model: Option<String>,
    /// Only requests with the key of this name.
    pub key: Option<String>,
    /// Only decisions of this policy.
    pub policy: Option<String>,
    /// Only requests that ended like this: `answered`, `failed` or `cancelled`.
    pub ending: Option<String>,
    /// Only requests that arrived at this time or later, in milliseconds since 1970.
    pub since: Option<u64>,
    /// Only requests that arrived before this time, in milliseconds since 1970.
    pub until: Option<u64>,
    /// Only requests that failed by this cause: `client`, `model`, `policy` or `limit`.
    pub cause: Option<String>,
    /// The number of decisions to list.
    pub limit: Option<usize>,
}

/// The query of `GET /admin/policies/NAME/state`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeptStateQuery {
    /// Only keys that begin like this.
    pub prefix: Option<String>,
    /// Only keys after this one.
    pub after: Option<String>,
    /// The number of entries to list, at most 1,000; 100 if absent.
    pub limit: Option<usize>,
}

/// The query of `GET /admin/plans`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlansQuery {
    /// The number of plans to list.
    pub limit: Option<usize>,
}

/// The query of `GET /admin/audit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditQuery {
    /// The number of events to list.
    pub limit: Option<usize>,
}

/// The reason for an operation: the body of those without other members, and the query of an
/// upload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Reason {
    /// The reason, for the audit log.
    pub why: String,
}

/// The body of `PUT /admin/routes/ROUTE/trial`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TrialRequest {
    /// The policy to put on trial.
    pub policy: String,
    /// The kind of trial.
    #[serde(flatten)]
    pub mode: TrialMode,
    /// The reason, for the audit log.
    #[serde(default)]
    pub why: String,
}

/// The body of the operations on a version of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct VersionRequest {
    /// SHA-256 of the version, or the start of it.
    pub digest: String,
    /// The reason, for the audit log.
    #[serde(default)]
    pub why: String,
}

/// The response to an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OperationResult {
    /// The operation: `trial`, `trial-ended`, `promoted`, `rolled-back`, `pinned` or `uploaded`.
    pub done: String,
    /// SHA-256 of the version that is active now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}
