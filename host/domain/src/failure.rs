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
    /// The gateway has no memory left to hold the answer.
    #[error("the gateway has no memory left for the answer")]
    NoMemory,
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
    /// Returns the remedy. All of these happen before the client has a byte of the
    /// answer, so another call is safe. A failure that may pass is worth another call
    /// of the same model, once the other targets have failed too.
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Connect(_) | Self::Timeout(_) | Self::Broken(_) => Remedy::AnyTarget,
            Self::Status(408 | 425 | 429 | 500..) => Remedy::AnyTarget,
            Self::Status(400 | 405 | 406 | 409 | 411 | 413..=417 | 422) => Remedy::Return,
            Self::Status(_) => Remedy::OtherTarget,
            Self::NoMemory => Remedy::Return,
        }
    }

    /// The word for it, wherever failures are told apart by one.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::Timeout(_) => "timeout",
            Self::Status(_) => "status",
            Self::Broken(_) => "unusable",
            Self::NoMemory => "no-memory",
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

    /// Returns whether it counts against the model's health, where a wait for the first
    /// byte is the model's fault from `first_byte_limit` on. A shorter wait was cut
    /// by a route, a policy or a client, which says nothing about the model for
    /// others. A client's bad request does not count, nor does a rate limit: the
    /// backend works, and has too much to do.
    pub fn counts_against_health(&self, first_byte_limit: Duration) -> bool {
        match self {
            Self::Timeout(waited) => *waited >= first_byte_limit,
            _ => !self.is_rate_limit() && self.remedy() != Remedy::Return,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_the_models_fault_counts_against_its_health() {
        let limit = Duration::from_secs(60);
        let counts = |kind: FailureKind| kind.counts_against_health(limit);
        for models_fault in [
            FailureKind::Timeout(limit),
            FailureKind::Timeout(2 * limit),
            FailureKind::Connect(String::new()),
            FailureKind::Broken(String::new()),
            FailureKind::Status(500),
            FailureKind::Status(401),
        ] {
            assert!(counts(models_fault.clone()), "{models_fault}");
        }
        for others_fault in [
            FailureKind::Timeout(Duration::from_millis(1)),
            FailureKind::Timeout(limit - Duration::from_nanos(1)),
            FailureKind::Status(400),
            FailureKind::Status(429),
            FailureKind::NoMemory,
        ] {
            assert!(!counts(others_fault.clone()), "{others_fault}");
        }
    }
}
