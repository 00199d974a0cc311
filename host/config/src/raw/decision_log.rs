//! The decision log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, Size};

/// A line for each request, in files: docs/decision-log.md.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DecisionLog {
    /// Directory for the files, of this gateway alone. It is made if it is not there.
    /// Default: none, and no decisions are logged.
    pub dir: Option<String>,
    /// Size after which a file is compressed and another one is begun.
    pub rotate_size: Size,
    /// Time after which the same is done.
    pub rotate_after: Duration,
    /// Most that all files take on disk. The oldest are removed.
    pub max_size: Size,
    /// Share of requests that is logged, above 0 and at most 1. Each line says it.
    pub sample: f64,
    /// Whether the messages of requests are logged too.
    pub content: bool,
    /// Most text of a request's messages that is logged; the newest are kept.
    pub content_size: Size,
    /// Log outputs of plans' tasks with `content`, at most `content_size` of text for each
    /// request, messages not counted.
    pub outputs: bool,
}
