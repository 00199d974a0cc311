//! Failures of calls to models, and their effect on further attempts.

use std::fmt;
use std::time::Duration;

/// Failure of a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct CallFailure {
    /// Kind of failure.
    pub kind: FailureKind,
    /// Time after which the backend asks to be called again.
    pub retry_after: Option<Duration>,
}

/// Kind of failure of a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FailureKind {
    /// The request never reached the backend.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// There is no API key for the backend, so nothing was sent.
    #[error("no API key: {0}")]
    NoKey(String),
    /// A time limit of the call expired.
    #[error("{limit} within {} ms", waited.as_millis())]
    Timeout {
        /// Limit that expired.
        limit: TimeLimit,
        /// Time that passed.
        waited: Duration,
    },
    /// The backend returned an error.
    #[error("status {status}{cause}")]
    Status {
        /// HTTP status, or the one that the body of the response states.
        status: u16,
        /// Cause of the error.
        cause: ErrorCause,
    },
    /// The connection broke, or the response is no answer.
    #[error("unusable answer: {0}")]
    Broken(String),
    /// The gateway has no memory left for the answer.
    #[error("the gateway has no memory left for the answer")]
    NoMemory,
    /// The request has a member that the model's API cannot express. No call was made.
    #[error("the model's API cannot express `{0}`")]
    Untranslatable(String),
}

/// Time limits of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeLimit {
    /// From sending the request to the head of the answer.
    FirstByte,
    /// From sending the request to the first content of a stream, or to the first byte of a whole
    /// answer that is not white space.
    FirstContent,
    /// From one chunk of the answer to the next, whatever they contain.
    Silence,
    /// From sending the request to the last byte of the answer.
    Answer,
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstByte => "no answer",
            Self::FirstContent => "no content",
            Self::Silence => "nothing more",
            Self::Answer => "no complete answer",
        })
    }
}

/// Cause of an error response, by what has to change before a call can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCause {
    /// The request, whichever model serves it.
    Request,
    /// The model: it cannot serve this request, another one may. The request is too long
    /// for it, or has a member that it does not support.
    Mismatch,
    /// The access to the model: its key, its account, its name or the way to it.
    Access,
    /// The load. The backend works, and asks to be called later.
    Load,
    /// The backend itself.
    Server,
}

impl fmt::Display for ErrorCause {
    /// Writes an addition to the status, where the status alone is not enough.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request | Self::Load | Self::Server => "",
            Self::Mismatch => " (the model does not support the request)",
            Self::Access => " (the model cannot be used)",
        })
    }
}

/// Remedy for a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Return the backend's error to the client: the request is at fault.
    Return,
    /// Call another model. This one would fail again.
    OtherTarget,
    /// Call another model, or this one a little later.
    AnyTarget,
}

impl CallFailure {
    /// Returns the failure of a request that never reached the backend.
    pub fn connect(reason: String) -> Self {
        FailureKind::Connect(reason).into()
    }

    /// Returns the failure of a call whose connection broke, or whose response is no answer.
    pub fn broken(reason: String) -> Self {
        FailureKind::Broken(reason).into()
    }
}

impl From<FailureKind> for CallFailure {
    fn from(kind: FailureKind) -> Self {
        Self { kind, retry_after: None }
    }
}

impl FailureKind {
    /// Returns the failure of a server that reports an internal error.
    pub const fn server_error(status: u16) -> Self {
        Self::Status { status, cause: ErrorCause::Server }
    }

    /// Returns the remedy. All failures happen before the client has a byte of the answer, so
    /// another call is safe. If the failure may be temporary, the same model is called again once
    /// the other targets have failed too.
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Connect(_) | Self::Timeout { .. } | Self::Broken(_) => Remedy::AnyTarget,
            Self::Status { cause, .. } => match cause {
                ErrorCause::Request => Remedy::Return,
                ErrorCause::Mismatch | ErrorCause::Access => Remedy::OtherTarget,
                ErrorCause::Load | ErrorCause::Server => Remedy::AnyTarget,
            },
            Self::NoKey(_) => Remedy::OtherTarget,
            Self::NoMemory => Remedy::Return,
            Self::Untranslatable(_) => Remedy::OtherTarget,
        }
    }

    /// Returns whether the model may have worked on the call, so that it may be charged.
    pub const fn may_be_charged(&self) -> bool {
        match self {
            Self::Connect(_) | Self::NoKey(_) | Self::Status { .. } | Self::Untranslatable(_) => false,
            Self::Timeout { .. } | Self::Broken(_) | Self::NoMemory => true,
        }
    }

    /// Returns the name of the kind in records and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::NoKey(_) => "no-key",
            Self::Timeout { .. } => "timeout",
            Self::Status { .. } => "status",
            Self::Broken(_) => "unusable",
            Self::NoMemory => "no-memory",
            Self::Untranslatable(_) => "untranslatable",
        }
    }

    /// Returns the message for clients: the same, without details of a connection error, which
    /// would reveal the network behind the gateway, and of the source of a key.
    pub fn client_message(&self) -> String {
        match self {
            Self::Connect(_) => "cannot connect".to_owned(),
            Self::NoKey(_) => "no API key".to_owned(),
            other => other.to_string(),
        }
    }

    /// Returns whether the backend asked to be called later.
    pub const fn is_rate_limit(&self) -> bool {
        matches!(self, Self::Status { status: ..500, cause: ErrorCause::Load })
    }

    /// Returns whether the backend rejected this request for this model alone.
    pub const fn is_mismatch(&self) -> bool {
        matches!(self, Self::Status { cause: ErrorCause::Mismatch, .. } | Self::Untranslatable(_))
    }

    /// Returns whether the failure counts against the model's health. A timeout counts from the
    /// limits in `fault_after` on; a shorter one was set by a route, a policy or a client, and says
    /// nothing about the model. A request that the model cannot serve does not count, nor does a
    /// rate limit, since the backend works.
    pub fn counts_against_health(&self, fault_after: &CallTimeouts) -> bool {
        match self {
            Self::Timeout { limit, waited } => fault_after.get(*limit).is_some_and(|fault| *waited >= fault),
            _ => !self.is_rate_limit() && !self.is_mismatch() && self.remedy() != Remedy::Return,
        }
    }
}

/// Limits on the time of one call, each from its own start; see [`TimeLimit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallTimeouts {
    /// Limit up to the head of the answer.
    pub first_byte: Duration,
    /// Limit up to the first content, if there is one.
    pub first_content: Option<Duration>,
    /// Limit between two pieces of the answer.
    pub silence: Duration,
    /// Limit up to the last byte of the answer, if there is one.
    pub answer: Option<Duration>,
}

impl Default for CallTimeouts {
    /// Returns the limits of a route that sets none.
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Self { first_byte: minute, first_content: None, silence: minute, answer: None }
    }
}

impl CallTimeouts {
    /// Returns a limit; `None` if it is not set.
    pub const fn get(&self, limit: TimeLimit) -> Option<Duration> {
        match limit {
            TimeLimit::FirstByte => Some(self.first_byte),
            TimeLimit::FirstContent => self.first_content,
            TimeLimit::Silence => Some(self.silence),
            TimeLimit::Answer => self.answer,
        }
    }

    /// Returns the longer of each pair of limits. A limit that is not set is the longest.
    #[must_use]
    pub fn most_patient(self, other: Self) -> Self {
        let longer = |one: Option<Duration>, other: Option<Duration>| Some(one?.max(other?));
        Self {
            first_byte: self.first_byte.max(other.first_byte),
            first_content: longer(self.first_content, other.first_content),
            silence: self.silence.max(other.silence),
            answer: longer(self.answer, other.answer),
        }
    }
}

/// Returns the messages of an error's sources, joined by colons. An HTTP client's own message
/// only says that something failed, and at which address.
pub fn source_chain(error: &(dyn std::error::Error + 'static)) -> String {
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

#[cfg(test)]
mod tests;
