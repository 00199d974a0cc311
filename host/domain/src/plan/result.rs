use std::sync::Arc;
use std::time::Duration;

use crate::money::Picodollars;
use crate::usage::Usage;

/// Result of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskResult {
    /// Name of the task.
    pub name: Arc<str>,
    /// Output; `None` if the task failed.
    pub output: Option<Arc<str>>,
    /// Candidate that produced the output.
    pub candidate: Option<usize>,
    /// Finish reason that the model reported.
    pub finish_reason: Option<String>,
    /// Usage of all its calls.
    pub usage: Usage,
    /// Cost of those calls.
    pub cost: Picodollars,
    /// Time from its start to its end.
    pub latency: Duration,
    /// Error message.
    pub error: Option<String>,
}
