//! Whole answers and errors in the common form.

use std::time::Duration;

use pointsman_domain::failure::ErrorCause;
use pointsman_wire::answer::ReportedError;
use pointsman_wire::usage_count::UsageCount;

use super::request::Part;

/// Whole answer of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConversationAnswer {
    /// Id that the provider gave it; empty if it gave none.
    pub id: String,
    /// Time of creation in seconds since 1970, if it is stated.
    pub created: Option<u64>,
    /// Name of the model as the provider states it; empty if it does not.
    pub model: String,
    /// Content in order.
    pub parts: Vec<Part>,
    /// Reason why it ended.
    pub stop: StopReason,
    /// Tokens as the provider counted them.
    pub count: UsageCount,
}

/// Reason why an answer ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StopReason {
    /// The model completed its answer.
    #[default]
    Complete,
    /// The model wrote a text that ends the answer, which is stated by some APIs.
    StopSequence(Option<String>),
    /// A limit of output tokens was reached.
    MaxTokens,
    /// The context window is full.
    ContextWindow,
    /// The model calls tools.
    ToolCalls,
    /// A filter withheld the answer or its rest.
    ContentFilter,
    /// The model refused.
    Refusal,
    /// The provider paused a long turn, which the client may continue.
    Pause,
    /// Another reason, as the provider calls it.
    Other(String),
}

/// Error that a provider reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderError {
    /// Kind of the error.
    pub kind: ProviderErrorKind,
    /// HTTP status; for an error within a stream, the one that corresponds to the kind.
    pub status: u16,
    /// Message.
    pub message: String,
    /// The provider's code, such as `context_length_exceeded`.
    pub code: Option<String>,
    /// Member of the request that is at fault, as the provider calls it.
    pub parameter: Option<String>,
    /// Time after which the provider asks to be called again, if the body states it.
    pub retry_after: Option<Duration>,
}

/// Kind of an error that a provider reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderErrorKind {
    /// The request is invalid.
    InvalidRequest,
    /// The request exceeds the context window.
    ContextLength,
    /// The request is larger than the provider accepts.
    TooLarge,
    /// The content violates the provider's rules.
    ContentPolicy,
    /// The gateway's credentials are invalid: never the client's fault.
    Authentication,
    /// The gateway's account may not use the model, or has no money left.
    Permission,
    /// The provider does not know the model or the path.
    NotFound,
    /// The rate limit is exceeded.
    RateLimit,
    /// The provider is overloaded.
    Overloaded,
    /// The provider ran out of time.
    Timeout,
    /// The provider failed.
    Server,
}

/// Reason why a response with a good status is not an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAnswer {
    /// Invalid or incomplete JSON.
    #[error("not valid JSON: {0}")]
    NotJson(String),
    /// JSON of another shape; the text says what is missing.
    #[error("{0}")]
    WrongShape(String),
    /// Neither content nor a reason to stop.
    #[error("it has no content and no reason to stop")]
    Empty,
    /// An error that is reported in spite of the status.
    #[error("it reports an error: {}", .0.message)]
    Reported(ProviderError),
}

/// Identity of a translated answer. A model and a time that the provider states take precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerIdentity {
    /// Id of the decision. Each API adds its own prefix, such as `chatcmpl-`.
    pub id: String,
    /// Time of creation in seconds since 1970.
    pub created: u64,
    /// Name of the model at its provider.
    pub model: String,
}

impl ProviderErrorKind {
    /// Returns the HTTP status that corresponds to the kind, for errors within a stream.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::ContextLength | Self::ContentPolicy => 400,
            Self::Authentication => 401,
            Self::Permission => 403,
            Self::NotFound => 404,
            Self::TooLarge => 413,
            Self::RateLimit => 429,
            Self::Server => 500,
            Self::Overloaded => 503,
            Self::Timeout => 504,
        }
    }

    /// Returns what has to change before a call can succeed.
    pub const fn cause(self) -> ErrorCause {
        match self {
            Self::InvalidRequest | Self::TooLarge | Self::ContentPolicy => ErrorCause::Request,
            Self::ContextLength => ErrorCause::Mismatch,
            Self::Authentication | Self::Permission | Self::NotFound => ErrorCause::Access,
            Self::RateLimit | Self::Overloaded => ErrorCause::Load,
            Self::Timeout | Self::Server => ErrorCause::Server,
        }
    }
}

impl ProviderError {
    /// Returns the error as one that was reported in a response with a good status.
    pub fn reported(&self) -> ReportedError {
        ReportedError { status: Some(self.status), cause: self.kind.cause() }
    }
}

impl From<InvalidAnswer> for pointsman_wire::answer::InvalidAnswer {
    fn from(invalid: InvalidAnswer) -> Self {
        match invalid {
            InvalidAnswer::NotJson(reason) => Self::NotJson(reason),
            InvalidAnswer::WrongShape(reason) => Self::WrongShape(reason),
            InvalidAnswer::Empty => Self::WrongShape("no content and no reason to stop".to_owned()),
            InvalidAnswer::Reported(error) => Self::Reported(error.reported()),
        }
    }
}

impl ConversationAnswer {
    /// Returns the bytes of text that the model wrote: basis of an estimate where the provider
    /// states no count.
    pub fn output_bytes(&self) -> u64 {
        self.parts.iter().map(Part::text_bytes).sum()
    }

    /// Returns the text of the answer, without reasoning and refusals.
    pub fn text(&self) -> String {
        self.parts.iter().filter_map(Part::as_text).collect()
    }
}
