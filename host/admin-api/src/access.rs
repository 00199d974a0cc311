//! Roles of those who call the admin API.

use serde::{Deserialize, Serialize};

/// Access of the caller: `GET /admin/access`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AccessStatus {
    /// Role of the token that was sent; without any token, that of an operator.
    pub role: Role,
}

/// Role of a caller of the admin API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// May do everything.
    Operator,
    /// May read everything but what policies keep, and change nothing.
    ReadOnly,
    /// A role that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl Role {
    /// Returns its name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Operator => "operator",
            Self::ReadOnly => "read-only",
            Self::Other(name) => name,
        }
    }
}
