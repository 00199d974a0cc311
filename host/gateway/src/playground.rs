//! Runs of single requests in a process of their own, for the page: the messages between the gateway and that
//! process, and the process from the side of the gateway.

mod process;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use process::run;

/// The name of the command that the process runs.
pub(crate) const COMMAND: &str = "run-case";

/// Standard input of the process, as JSON.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct RunCaseInput {
    /// Name of the policy, for messages.
    pub(crate) name: String,
    /// Bytes of the policy in base64.
    pub(crate) code: String,
    /// Members that the case inherits, as JSON text.
    pub(crate) shared: String,
    /// The case, as JSON text.
    pub(crate) case: String,
}

/// Standard output of the process, as JSON.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunCaseOutput {
    /// The request was run. The report is that of `pointsman policy run --json`.
    Report(Value),
    /// The case is invalid.
    InvalidCase(String),
    /// The policy cannot be loaded.
    NotLoaded(String),
    /// The run failed.
    Failed(String),
}
