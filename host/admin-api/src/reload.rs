//! Reports of reloads.

use serde::{Deserialize, Serialize};

/// The result of a reload: the response to `POST /admin/reload`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReloadReport {
    /// The cause: `file`, `signal`, `poll` or `admin`.
    pub cause: String,
    /// Time of the reload, in seconds since 1970.
    pub at: u64,
    /// The result for the configuration.
    pub config: ConfigResult,
    /// The result for each policy.
    pub policies: Vec<PolicyReload>,
}

/// The result of a reload for the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ConfigResult {
    /// It is in force, changed or not.
    Applied,
    /// It was rejected for this reason, and the old one stays in force.
    Rejected(String),
}

/// The result of a reload for one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PolicyReload {
    /// The policy.
    pub name: String,
    /// `kept`, `loaded`, `swapped`, `rejected` if a version was rejected, or `unavailable` if
    /// no version could be loaded.
    pub change: String,
    /// SHA-256 of the version that was replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// SHA-256 of the version that took over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The reason why a version was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
