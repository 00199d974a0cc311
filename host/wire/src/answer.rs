//! Facts about answers, whichever protocol they are in.

use pointsman_domain::failure::{ErrorCause, FailureKind};
use pointsman_domain::usage::Usage;

use crate::usage_count::UsageCount;

/// Token counts of a whole answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerCount {
    /// Tokens as the backend counted them.
    pub count: UsageCount,
    /// Bytes of text that the model wrote; basis of an estimate where the backend states no
    /// count.
    pub output_bytes: u64,
}

impl AnswerCount {
    /// Returns the usage of the call: the backend's count where it can be true, else an
    /// estimate for an input of about `input_tokens`.
    pub fn usage_or_estimate(&self, input_tokens: u32) -> Usage {
        self.count.usage(input_tokens, self.output_bytes)
    }
}

/// Output of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskOutput {
    /// The content of a chat answer, the text of a transcription, or the vector of an embedding
    /// as a JSON array.
    pub text: String,
    /// Finish reason, if the model stated one: `stop`, `length` …
    pub finish_reason: Option<String>,
    /// Token counts.
    pub count: AnswerCount,
}

/// Reason why a response with a good status is not an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAnswer {
    /// Invalid or incomplete JSON.
    #[error("not valid JSON: {0}")]
    NotJson(String),
    /// No chat completion.
    #[error("not a JSON object with an array of choices, or the array is empty")]
    NoChoices,
    /// Neither content nor a finish reason.
    #[error("no choice has content or a finish_reason")]
    Empty,
    /// An error that is reported in spite of the status.
    #[error("it reports an error")]
    Reported(ReportedError),
    /// No transcription.
    #[error("not a JSON object with a text")]
    NoText,
    /// No embedding.
    #[error("not a JSON object with a vector in data[0].embedding")]
    NoVector,
    /// An answer of another shape than its protocol requires.
    #[error("{0}")]
    WrongShape(String),
}

/// Error that a backend reported in a response with a good status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportedError {
    /// HTTP status that the error states, if any.
    pub status: Option<u16>,
    /// Cause, as far as known phrases reveal it.
    pub cause: ErrorCause,
}

impl ReportedError {
    /// Returns the failure of the call. An error without a status is that of a server.
    pub fn kind(self) -> FailureKind {
        FailureKind::Status { status: self.status.unwrap_or(500), cause: self.cause }
    }
}

/// State of a streamed answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamState {
    /// No content yet; a role alone is none. Another attempt can still take over.
    Waiting,
    /// Content has arrived, and more is to follow.
    Answering,
    /// The answer has ended, or an error was reported. Usage and the end of the stream may follow.
    Finished,
    /// The stream has ended. Nothing after it belongs to the answer.
    Done,
}

/// Reason why a stream that has ended is not complete.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenStream {
    /// The stream ended before its answer did, or without any content.
    #[error("the stream ended before the answer did")]
    Truncated,
    /// The backend reported an error in the stream.
    #[error("the backend reported an error in the stream: {1}")]
    Reported(ReportedError, String),
}
