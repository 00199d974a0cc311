//! Errors that providers report.

use pointsman_domain::failure::{ErrorCause, FailureKind};

mod classify;

pub use self::classify::{classify_error, refuses_stream_usage};

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
