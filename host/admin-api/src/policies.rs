//! Policies.

use serde::{Deserialize, Serialize};

use crate::ReloadReport;

/// All policies and the last reload: the response to `GET /admin/policies`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PolicyList {
    /// The policies, in the order of the configuration.
    pub policies: Vec<PolicyStatus>,
    /// The last reload, if there was one.
    pub last_reload: Option<ReloadReport>,
}

/// A policy with its versions and their statistics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PolicyStatus {
    /// The source of its bytes, as configured.
    pub source: String,
    /// Capabilities that the configuration grants.
    pub grants: Vec<String>,
    /// `fresh` or `warm`.
    pub isolation: String,
    /// Routes at which it decides.
    pub routes: Vec<String>,
    /// Routes at which it is on trial.
    pub on_trial: Vec<String>,
    /// The version that overrides the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<ChosenVersion>,
    /// Versions on hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HoldStatus>,
    /// False while no version could be loaded; `rejected` has the reason.
    #[serde(default = "loaded")]
    pub loaded: bool,
    /// The name.
    pub name: String,
    /// SHA-256 of the active version; empty while none is loaded.
    pub active: String,
    /// SHA-256 of the version before it.
    pub previous: Option<String>,
    /// Time at which the active version was loaded, in seconds since 1970.
    pub loaded_at: u64,
    /// Number of times that another version took over.
    pub swaps: u64,
    /// Decisions since the start, over all versions.
    pub decisions: u64,
    /// Failures by reason, over all versions; reasons that occurred.
    pub failures: Vec<(String, u64)>,
    /// The last version that was rejected, if none was loaded since.
    pub rejected: Option<RejectedVersion>,
    /// Statistics of the active version.
    pub active_record: VersionStats,
    /// Statistics of the version before it.
    pub previous_record: Option<VersionStats>,
    /// The description in the file of the active version. Only in the responses to `GET /admin/policies`
    /// and `GET /admin/policies/NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<DescriptionStatus>,
}

/// Description of a policy by its author, and its faults. Nothing in it is checked but its form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct DescriptionStatus {
    /// Title; empty if the description has none and is ignored.
    pub title: String,
    /// Purpose of the policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Address of its documentation or source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// Licence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Labels of its decisions and plans. `*` stands for any characters.
    pub labels: Vec<DeclaredAnswer>,
    /// Kinds of its refusals.
    pub refusals: Vec<DeclaredAnswer>,
    /// Its settings.
    pub settings: Vec<SettingStatus>,
    /// Faults of the description, which are left out of it.
    pub problems: Vec<String>,
}

/// A label or a kind of refusal that a policy gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct DeclaredAnswer {
    /// The label, or the kind of refusal.
    pub name: String,
    /// The situation in which the policy gives it.
    pub meaning: String,
}

/// A setting of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SettingStatus {
    /// Path: `*` stands for any key, `[]` for the elements of a list.
    pub name: String,
    /// Value that is expected, in words.
    pub expected: String,
    /// True if it has to be set.
    pub required: bool,
    /// Default as JSON, if stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Meaning, if stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Gateways without this member load all policies before they serve.
fn loaded() -> bool {
    true
}

/// A version that overrides the source of its policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChosenVersion {
    /// SHA-256 of the version.
    pub digest: String,
    /// The kind of override.
    pub how: OverrideKind,
    /// SHA-256 of the version that was uploaded before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// The kind of operation by which a version overrides the source of its policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OverrideKind {
    /// It was pinned.
    Pinned,
    /// It was uploaded.
    Uploaded,
    /// A kind that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl OverrideKind {
    /// Returns the name in the API.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pinned => "pinned",
            Self::Uploaded => "uploaded",
            Self::Other(name) => name,
        }
    }
}

/// A version that may not serve.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HoldStatus {
    /// SHA-256 of the version.
    pub digest: String,
    /// False when the hold is over and only counts towards the next one.
    pub in_force: bool,
    /// Number of times that the version was rolled back.
    pub strikes: u32,
    /// Start of the hold, in seconds since 1970.
    pub since: u64,
    /// End of the hold, in seconds since 1970; none for a quarantine, which an operator ends.
    pub until: Option<u64>,
    /// The reason.
    pub why: String,
}

/// A version that was rejected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RejectedVersion {
    /// SHA-256 of its bytes, if they could be read.
    pub digest: Option<String>,
    /// The reason.
    pub error: String,
    /// Time of the rejection, in seconds since 1970.
    pub at: u64,
}

/// Statistics of one version of a policy since it was loaded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct VersionStats {
    /// Decisions.
    pub decisions: u64,
    /// Failures by reason; reasons that occurred.
    pub failures: Vec<(String, u64)>,
    /// Median duration of a decision, in microseconds.
    pub decision_us_p50: Option<f64>,
    /// 99th percentile of the duration of a decision, in microseconds.
    pub decision_us_p99: Option<f64>,
    /// Requests that it routed and that have ended; cancelled ones are not counted.
    pub requests: u64,
    /// Requests that no model answered.
    pub errors: u64,
    /// Mean cost of an answered request, in US dollars.
    pub mean_cost_usd: Option<f64>,
    /// Mean latency of an answered request, in milliseconds.
    pub mean_latency_ms: Option<f64>,
}

impl VersionStats {
    /// Returns the number of failures.
    pub fn failed(&self) -> u64 {
        self.failures.iter().map(|(_, count)| count).sum()
    }
}

/// State that a policy keeps between its calls: the response to `GET /admin/policies/NAME/state`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct KeptState {
    /// Policy whose state it is, if it is shared under another name.
    pub policy: String,
    /// Number of keys.
    pub keys: usize,
    /// Bytes of keys and values.
    pub bytes: usize,
    /// Changes that are not stored yet.
    pub unstored: usize,
    /// Writes since the start that exceeded a bound.
    pub rejected_writes: u64,
    /// True if changes are stored in the state directory.
    pub is_durable: bool,
    /// Entries in the order of their keys.
    pub entries: Vec<KeptEntry>,
    /// Key after which the next page begins, if there are more entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A value that a policy keeps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct KeptEntry {
    /// Key.
    pub key: String,
    /// Value as text, if it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Value in base64, if it is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Time at which it expires, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<u64>,
}
