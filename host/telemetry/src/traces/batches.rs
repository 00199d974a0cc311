//! Spans that wait to be sent.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// A batch of this many bytes is sent at once.
pub(super) const FULL: usize = 256 << 10;
/// With so many bytes in all batches nothing more is taken in.
pub(super) const MOST: usize = 16 << 20;

/// Spans that are sent together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// As fields of `ScopeSpans`.
    pub(super) spans: Vec<u8>,
    pub(super) count: u64,
}

/// Takes spans in and never waits.
#[derive(Debug, Default)]
pub(super) struct Batches {
    waiting: Mutex<Waiting>,
    /// There is a first span, or a full batch. Waking takes a call of the system, so
    /// it is not done for each span.
    wake: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    full: VecDeque<Batch>,
    growing: Batch,
    /// In the full ones.
    bytes: usize,
}

impl Batches {
    /// Writes so many spans at the end of the batch that grows. Whether there was room.
    pub(super) fn add(&self, count: u64, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut waiting = self.waiting();
        let before = waiting.growing.spans.len();
        if waiting.bytes + before >= MOST {
            return false;
        }
        write(&mut waiting.growing.spans);
        waiting.growing.count += count;
        let is_full = waiting.growing.spans.len() >= FULL;
        if is_full {
            let full = std::mem::take(&mut waiting.growing);
            waiting.bytes += full.spans.len();
            waiting.full.push_back(full);
        }
        drop(waiting);
        if before == 0 || is_full {
            self.wake.notify_one();
        }
        true
    }

    /// Waits for a batch that is full, or for one that is not and has waited so long.
    pub(super) async fn next(&self, patience: Duration) -> Batch {
        let mut due = None;
        loop {
            if let Some(full) = self.waiting().take_full() {
                return full;
            }
            if self.waiting().growing.count == 0 {
                due = None;
                self.wake.notified().await;
                continue;
            }
            let due = *due.get_or_insert_with(|| Instant::now() + patience);
            tokio::select! {
                () = self.wake.notified() => {}
                () = sleep_until(due) => return self.waiting().take(),
            }
        }
    }

    /// The next batch, full or not, if there is any.
    pub(super) fn rest(&self) -> Option<Batch> {
        Some(self.waiting().take()).filter(|batch| batch.count > 0)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn take_full(&mut self) -> Option<Batch> {
        let full = self.full.pop_front()?;
        self.bytes -= full.spans.len();
        Some(full)
    }

    fn take(&mut self) -> Batch {
        self.take_full().unwrap_or_else(|| std::mem::take(&mut self.growing))
    }
}
