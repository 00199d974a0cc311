//! Content of a request, for the decision log and for spans if the operator enabled it there.
//!
//! No history contains any of it, so neither does a log line or a metric.

use std::fmt;
use std::sync::Arc;

use pointsman_domain::prompt::Prompt;

/// Content of a request. It is read after the request has ended, and only as far as it is
/// recorded.
pub trait ContentSource: fmt::Debug + Send {
    /// Returns the bytes of memory that it holds.
    fn bytes(&self) -> usize;
    /// Returns the messages of the request.
    fn prompt(&self) -> &dyn Prompt;
    /// Returns the answer with at most `max_bytes` of its text, if the gateway has it.
    fn answer(&self, max_bytes: usize) -> Option<AnswerText>;
    /// Returns the outputs that tasks gave to the plan, by number, if they were captured.
    fn outputs(&self) -> Vec<CapturedOutput> {
        Vec::new()
    }
}

/// Output of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturedOutput {
    /// Number of the task.
    pub task: usize,
    /// Text, or the vector of an embedding as a JSON array.
    pub text: Arc<str>,
    /// Reason for the end of the output, in the model's words.
    pub finish_reason: Option<String>,
}

/// Answer of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerText {
    /// Text from the beginning.
    pub text: String,
    /// True if the end of the text was cut off.
    pub is_cut: bool,
    /// Reason for the end of the answer, if it is known.
    pub finish_reason: Option<String>,
}
