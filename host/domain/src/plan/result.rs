use std::sync::Arc;
use std::time::Duration;

use crate::money::Picodollars;
use crate::usage::Usage;

/// What became of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskResult {
    /// Its name.
    pub name: Arc<str>,
    /// What it gave; `None` when it failed.
    pub output: Option<Arc<str>>,
    /// The candidate that gave it.
    pub candidate: Option<usize>,
    /// Why the model stopped, in its words.
    pub finish_reason: Option<String>,
    /// Tokens of all its attempts.
    pub usage: Usage,
    /// Money for them.
    pub cost: Picodollars,
    /// From its beginning to its end.
    pub latency: Duration,
    /// What went wrong.
    pub error: Option<String>,
}
