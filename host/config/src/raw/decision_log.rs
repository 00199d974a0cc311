//! `[decision_log]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, Size};

/// Log files with one line for each request: docs/decision-log.md.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DecisionLog {
    /// Directory for the files, used by this gateway alone. It is created if it does not exist.
    /// Default: none, and no decisions are logged.
    pub dir: Option<String>,
    /// Size at which a file is closed and compressed, and a new one is started.
    pub rotate_size: Size,
    /// Time after which a file is closed and compressed, and a new one is started.
    pub rotate_after: Duration,
    /// Most disk space for all files together. The oldest files are removed.
    pub max_size: Size,
    /// Share of requests that is logged, above 0 and at most 1. Each line records it.
    pub sample: f64,
    /// Log the messages of requests too.
    pub content: bool,
    /// Most text of a request's messages that is logged; the newest messages are kept.
    pub content_size: Size,
    /// Log outputs of plans' tasks with `content`, at most `content_size` of text for each
    /// request, messages not counted.
    pub outputs: bool,
}
