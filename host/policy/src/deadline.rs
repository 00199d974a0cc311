//! The deadline of a call.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// Stands for "never" where the limit is beyond the clock's range.
const FAR_FUTURE: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);

/// The moment by which a call must have given a validated answer. Time that the call spends waiting
/// counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// Creates a deadline this long from now.
    pub(crate) fn after(limit: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_add(limit).unwrap_or_else(|| now + FAR_FUTURE))
    }

    /// Returns whether the deadline is over.
    pub(crate) fn has_passed(self) -> bool {
        Instant::now() >= self.0
    }

    /// Waits for a future until the deadline; `None` when it is over. Needs the timer of a tokio
    /// runtime, so futures that are ready at once are better polled without it.
    pub(crate) async fn limit<F: Future>(self, future: F) -> Option<F::Output> {
        timeout_at(self.0, future).await.ok()
    }
}
