//! What outlives the process, and how policies are compiled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, Size};

/// What outlives the process.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct State {
    /// Directory where the gateway keeps what outlives the process: compiled code,
    /// uploaded and last known good policies, promotions, the audit log. It is of this
    /// gateway alone, which locks it, and is made if it is not there. Default: none, and
    /// nothing outlives the process.
    pub dir: Option<String>,
}

/// How policies are compiled: each in a process of its own, with limits.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Compile {
    /// Longest time for one policy, not counting the wait for its turn.
    pub timeout: Duration,
    /// Most memory for one policy.
    pub memory: Size,
    /// Most policies that are compiled at the same time; further ones wait.
    pub processes: u32,
}
