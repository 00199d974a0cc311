//! Errors that providers report.

use pointsman_domain::failure::{ErrorCause, FailureKind};

mod classify;

pub use self::classify::{classify_error, refuses_stream_usage};

/// An error that a backend reported in an answer with a good status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportedError {
    /// The HTTP status that it states, if it states one.
    pub status: Option<u16>,
    /// The cause.
    pub cause: ErrorCause,
}

impl ReportedError {
    /// Returns the failure of the call. Without a status it is that of a server.
    pub fn kind(self) -> FailureKind {
        FailureKind::Status { status: self.status.unwrap_or(500), cause: self.cause }
    }
}
