//! How a call to a model fails, and what that means for the next attempt.

use std::time::Duration;

/// A call that gave no usable answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct CallFailure {
    /// What happened.
    pub kind: FailureKind,
    /// When the backend asks to be called again.
    pub retry_after: Option<Duration>,
}

/// What happened to a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FailureKind {
    /// No connection: the request never reached the backend.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// Nothing came within the time for one attempt.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The backend answered with an error status.
    #[error("status {0}")]
    Status(u16),
    /// The connection broke, or what came is not an answer.
    #[error("unusable answer: {0}")]
    Broken(String),
}

/// What to do about a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The request itself is at fault: the client gets the backend's answer.
    Return,
    /// Another model may do better; this one will not.
    OtherTarget,
    /// Another model may do better, and so may this one a little later.
    AnyTarget,
}

impl FailureKind {
    /// What to do about it. A call that may have been worked on is not repeated
    /// at the same model: it may be slow for a reason, and is paid twice.
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Connect(_) | Self::Status(429 | 503 | 529) => Remedy::AnyTarget,
            Self::Status(400 | 405 | 406 | 409 | 411 | 413..=417 | 422) => Remedy::Return,
            Self::Timeout(_) | Self::Broken(_) | Self::Status(_) => Remedy::OtherTarget,
        }
    }

    /// The word for it, wherever failures are told apart by one.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::Timeout(_) => "timeout",
            Self::Status(_) => "status",
            Self::Broken(_) => "unusable",
        }
    }

    /// What a client may hear: the same, without what a connection error says of
    /// the network behind the gateway.
    pub fn for_client(&self) -> String {
        match self {
            Self::Connect(_) => "cannot connect".to_owned(),
            other => other.to_string(),
        }
    }

    /// Whether the backend only asked for patience.
    pub const fn is_rate_limit(&self) -> bool {
        matches!(self, Self::Status(429))
    }

    /// Whether it speaks against the model's health. A client's bad request does
    /// not, nor does a rate limit: the backend works, there is too much for it.
    pub const fn is_models_fault(&self) -> bool {
        !self.is_rate_limit() && !matches!(self.remedy(), Remedy::Return)
    }
}

/// What lies below an HTTP client's own message, which would say no more than that
/// something failed, and at which address.
pub fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        source = cause.source();
    }
    if parts.is_empty() { "the client gave no reason".to_owned() } else { parts.join(": ") }
}
