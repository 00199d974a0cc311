//! Conditions that need an operator.

use serde::{Deserialize, Serialize};

/// A condition that needs an operator: an element of `attention`. docs/seeing.md lists the thresholds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AttentionEntry {
    /// The urgency.
    pub level: AttentionLevel,
    /// The kind of condition.
    pub kind: AttentionKind,
    /// The object of the condition, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<AttentionSubject>,
    /// Start of the condition, in milliseconds since 1970, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
    /// The condition in a line.
    pub message: String,
    /// The whole message, if it has several lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The urgency of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AttentionLevel {
    /// Clients are or will soon be affected.
    Red,
    /// The gateway works around it.
    Amber,
}

/// The kind of a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AttentionKind {
    /// Requests fail, and not by their clients' fault.
    Failures,
    /// A model is down.
    ModelDown,
    /// The backend of a model has asked not to be called for a time.
    ModelResting,
    /// The configuration was rejected.
    ConfigurationRejected,
    /// No version of a policy could be loaded.
    PolicyUnavailable,
    /// A version of a policy was rejected.
    PolicyRejected,
    /// A version of a policy is on hold after a rollback.
    VersionHeld,
    /// Records, spans or log lines were dropped.
    Dropped,
    /// The gateway's own code panicked.
    Panic,
    /// A kind that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// The object of a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AttentionSubject {
    /// A model, by its id.
    Model(String),
    /// A policy, by its name.
    Policy(String),
    /// A queue: `decision-log`, `traces` …
    Queue(String),
}

impl AttentionSubject {
    /// Returns the name.
    pub fn name(&self) -> &str {
        match self {
            Self::Model(name) | Self::Policy(name) | Self::Queue(name) => name,
        }
    }
}
