//! Deadline of a response, on its way from the handler that sets it to the listener that
//! enforces it.

use std::time::Instant;

use axum::response::Response;

/// Time by which a response has to end, whether or not its client reads it. An extension of the
/// response; without it, only the limits of the connection apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResponseDeadline(pub(crate) Instant);

impl ResponseDeadline {
    /// Limits the time of a response.
    pub(crate) fn limit(self, mut response: Response) -> Response {
        response.extensions_mut().insert(self);
        response
    }
}
