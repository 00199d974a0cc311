//! Runs of one request by a policy, for its author.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The body of `POST /admin/playground`: either `policy` or `code`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PlaygroundRequest {
    /// The name of a loaded policy. It has its settings and grants, unless the case states others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// A WebAssembly file in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The text of a case in JSON: docs/policy-cases.md describes the format.
    pub case: String,
}

/// The result of a run: either `report` or `problem`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PlaygroundRun {
    /// The report of `pointsman policy run --json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Value>,
    /// The reason why there is no report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<PlaygroundProblem>,
}

/// The reason why a request was not run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PlaygroundProblem {
    /// `invalid-case`, `not-loaded` or `failed`.
    pub kind: String,
    /// The reason, with the place in the case.
    pub message: String,
}
