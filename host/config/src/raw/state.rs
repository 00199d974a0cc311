//! `[state]` and `[compile]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, Size};

/// Data that persists across restarts.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct State {
    /// Directory for persistent data: compiled code, uploaded and last known good policies,
    /// promotions, the audit log, the history of usage, API keys that operators created. It is used by
    /// this gateway alone, which locks it, and is created if it does not exist. Default: none, and
    /// nothing persists across restarts.
    pub dir: Option<String>,
}

/// Limits on the compilation of policies. Each policy is compiled in a process of its own.
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
