//! Configurations of other gateways as configurations of Pointsman.
//!
//! An import never fails because a key has no counterpart: it writes what it can, and reports the
//! rest by path and line, with the remedy. Secrets are neither written nor shown: the result refers
//! to environment variables.

mod document;
mod litellm;
mod report;
mod yaml;

use serde::Serialize;

pub use litellm::import as litellm;
pub use report::{Finding, FindingKind};
pub use yaml::InvalidYaml;

/// Result of an import.
#[derive(Clone, Debug, Serialize)]
pub struct Import {
    /// The configuration, with comments. It is valid if there is at least one model.
    #[serde(skip)]
    pub toml: String,
    /// Number of models.
    pub models: usize,
    /// Number of routes.
    pub routes: usize,
    /// Differences, omissions and things to do, in the order of the lines.
    pub findings: Vec<Finding>,
}
