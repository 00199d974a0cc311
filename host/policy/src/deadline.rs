//! The moment by which a call has to have given a checked answer.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// As good as never.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);

/// A moment on the wall clock. It is not moved by what the call waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub(crate) fn after(limit: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_add(limit).unwrap_or_else(|| now + FAR))
    }

    /// Returns whether it is too late.
    pub(crate) fn has_passed(self) -> bool {
        Instant::now() >= self.0
    }

    /// Waits for a future, but no longer than until the deadline. Needs the timer of
    /// a tokio runtime, so only what has to wait is to be limited.
    pub(crate) async fn limit<F: Future>(self, future: F) -> Option<F::Output> {
        timeout_at(self.0, future).await.ok()
    }
}
