//! Queue of batches of spans.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Size in bytes at which a batch is full and sent at once.
pub(super) const FULL_BYTES: usize = 256 << 10;
/// Bytes of all batches at which further spans are dropped.
pub(super) const MAX_BYTES: usize = 16 << 20;

/// Spans that are sent in one request.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Spans as fields of `ScopeSpans`.
    pub(super) spans: Vec<u8>,
    pub(super) count: u64,
}

/// Bounded queue of batches. Adding never waits.
#[derive(Debug, Default)]
pub(super) struct BatchQueue {
    state: Mutex<BatchQueueState>,
    /// Notified of the first span and of each full batch. A wake-up costs a system call, so not every
    /// span causes one.
    wake: Notify,
}

#[derive(Debug, Default)]
struct BatchQueueState {
    full: VecDeque<Batch>,
    growing: Batch,
    /// Bytes of the full batches.
    bytes: usize,
}

impl BatchQueue {
    /// Appends spans to the growing batch. Returns false if the queue is full.
    pub(super) fn add(&self, count: u64, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut state = self.state();
        let before = state.growing.spans.len();
        if state.bytes + before >= MAX_BYTES {
            return false;
        }
        write(&mut state.growing.spans);
        state.growing.count += count;
        let is_full = state.growing.spans.len() >= FULL_BYTES;
        if is_full {
            let full = std::mem::take(&mut state.growing);
            state.bytes += full.spans.len();
            state.full.push_back(full);
        }
        drop(state);
        if before == 0 || is_full {
            self.wake.notify_one();
        }
        true
    }

    /// Waits for a full batch, or for a growing one that is older than `max_age`.
    pub(super) async fn next(&self, max_age: Duration) -> Batch {
        let mut due = None;
        loop {
            if let Some(full) = self.state().take_full() {
                return full;
            }
            if self.state().growing.count == 0 {
                due = None;
                self.wake.notified().await;
                continue;
            }
            let due = *due.get_or_insert_with(|| Instant::now() + max_age);
            tokio::select! {
                () = self.wake.notified() => {}
                () = sleep_until(due) => return self.state().take(),
            }
        }
    }

    /// Takes the next batch, full or not.
    pub(super) fn take_any(&self) -> Option<Batch> {
        Some(self.state().take()).filter(|batch| batch.count > 0)
    }

    fn state(&self) -> MutexGuard<'_, BatchQueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BatchQueueState {
    fn take_full(&mut self) -> Option<Batch> {
        let full = self.full.pop_front()?;
        self.bytes -= full.spans.len();
        Some(full)
    }

    fn take(&mut self) -> Batch {
        self.take_full().unwrap_or_else(|| std::mem::take(&mut self.growing))
    }
}
