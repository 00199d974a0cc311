//! The audit log.

use serde::{Deserialize, Serialize};

use crate::access::Role;

/// A change to a policy, a route or a key: an element of `GET /admin/audit`. The changes of the overview and of the event
/// stream also have those of models and of the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditEvent {
    /// Time of the change, in seconds since 1970.
    pub at: u64,
    /// The actor.
    pub who: Actor,
    /// The role by which an operator acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The action, one of those that docs/rollouts.md lists.
    pub action: String,
    /// The policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The name of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// SHA-256 of the version after the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// SHA-256 of the version before the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The originator of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// The configuration or the source of a policy.
    Configuration,
    /// An operator, by the name that came with the request. It may be empty.
    Admin(String),
    /// The gateway, when it rolls back.
    Gateway,
    /// An actor that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl AuditEvent {
    /// Returns the name of the actor, with the role by which an operator acted.
    pub fn actor(&self) -> String {
        match &self.role {
            Some(role) => format!("{} ({})", self.who.name(), role.as_str()),
            None => self.who.name().to_owned(),
        }
    }
}

impl Actor {
    /// Returns the name to show.
    pub fn name(&self) -> &str {
        match self {
            Self::Configuration => "configuration",
            Self::Admin(name) if name.is_empty() => "admin",
            Self::Gateway => "gateway",
            Self::Admin(name) | Self::Other(name) => name,
        }
    }
}
