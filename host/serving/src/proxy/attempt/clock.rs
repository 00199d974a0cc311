//! The time limits of one call, each with its own start.

use std::time::Duration;

use bytes::Bytes;
use pointsman_backends::BackendBody;
use pointsman_domain::failure::{CallFailure, CallTimeouts, FailureKind, TimeLimit};
use tokio::time::{Instant, timeout_at};

/// Longest time for the body of an error: its status is known.
const ERROR_BODY: Duration = Duration::from_secs(2);

/// Time limits of a call that was sent at a moment.
#[derive(Clone, Copy, Debug)]
pub struct CallClock {
    sent_at: Instant,
    timeouts: CallTimeouts,
}

/// End of a wait.
#[derive(Clone, Copy, Debug)]
pub struct WaitEnd {
    pub at: Instant,
    limit: TimeLimit,
    waited: Duration,
}

impl WaitEnd {
    /// The failure of a call that waited up to this end in vain.
    pub fn failure(self) -> FailureKind {
        FailureKind::Timeout { limit: self.limit, waited: self.waited }
    }
}

impl CallClock {
    /// Starts the time of a call that is sent now.
    pub(super) fn start(timeouts: CallTimeouts) -> Self {
        Self { sent_at: Instant::now(), timeouts }
    }

    pub(super) fn sent_at(&self) -> std::time::Instant {
        self.sent_at.into_std()
    }

    /// Waits for the head of the answer.
    pub(super) async fn head<T>(&self, head: impl Future<Output = T>) -> Result<T, CallFailure> {
        let ends = [self.since_sent(TimeLimit::FirstByte), self.since_sent(TimeLimit::Answer)];
        in_time(ends, head).await
    }

    /// Waits for the next piece of a body; `None` at its end.
    pub(super) async fn piece(&self, body: &mut BackendBody) -> Result<Option<Bytes>, CallFailure> {
        in_time([self.piece_end()], body.chunk()).await?.transpose()
    }

    /// Returns the end of a wait for the next piece of a body that begins now; `None` if it is
    /// beyond what the clock can hold.
    pub fn piece_end(&self) -> Option<WaitEnd> {
        first([self.silence(), self.since_sent(TimeLimit::Answer)])
    }

    /// Waits for the next piece of an answer without content so far.
    pub(super) async fn first_piece(&self, body: &mut BackendBody) -> Result<Option<Bytes>, CallFailure> {
        let [content, answer] =
            [TimeLimit::FirstContent, TimeLimit::Answer].map(|limit| self.since_sent(limit));
        in_time([self.silence(), content, answer], body.chunk()).await?.transpose()
    }

    /// Waits for the body of an error, which is cut when it takes too long.
    pub(super) async fn error_body(reading: impl Future<Output = ()>) {
        let _ = timeout_at(Instant::now() + ERROR_BODY, reading).await;
    }

    fn silence(&self) -> Option<WaitEnd> {
        let waited = self.timeouts.silence;
        let at = Instant::now().checked_add(waited)?;
        Some(WaitEnd { limit: TimeLimit::Silence, at, waited })
    }

    fn since_sent(&self, limit: TimeLimit) -> Option<WaitEnd> {
        let waited = self.timeouts.get(limit)?;
        Some(WaitEnd { limit, at: self.sent_at.checked_add(waited)?, waited })
    }
}

fn first<const N: usize>(ends: [Option<WaitEnd>; N]) -> Option<WaitEnd> {
    ends.into_iter().flatten().min_by_key(|end| end.at)
}

/// Waits until the first of the ends.
async fn in_time<T, const N: usize>(
    ends: [Option<WaitEnd>; N],
    work: impl Future<Output = T>,
) -> Result<T, CallFailure> {
    let Some(end) = first(ends) else { return Ok(work.await) };
    timeout_at(end.at, work).await.map_err(|_| CallFailure { kind: end.failure(), retry_after: None })
}
