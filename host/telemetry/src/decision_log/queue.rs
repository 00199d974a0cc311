//! Queue of lines for the writer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most bytes in the queue.
pub(super) const MAX_BYTES: usize = 32 << 20;
/// Number of bytes that wakes the writer early, while they are still in the caches. A wake-up costs a
/// system call, so not every line causes one.
pub(super) const WAKE_BYTES: usize = 128 << 10;

/// Bounded queue of lines. Adding never waits.
#[derive(Debug, Default)]
pub(super) struct RecordQueue {
    state: Mutex<RecordQueueState>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct RecordQueueState {
    lines: Vec<u8>,
    closed: bool,
}

impl RecordQueue {
    /// Adds a line. Returns false if the queue is full or closed.
    pub(super) fn push(&self, line: &[u8]) -> bool {
        let mut state = self.state();
        let before = state.lines.len();
        if state.closed || before + line.len() > MAX_BYTES {
            return false;
        }
        state.lines.extend_from_slice(line);
        let is_time_to_wake = before < WAKE_BYTES && state.lines.len() >= WAKE_BYTES;
        drop(state);
        if is_time_to_wake {
            self.wake.notify_one();
        }
        true
    }

    /// Waits for `timeout`, or until the queue is long, and moves all lines to `lines`, which has to
    /// be empty. Returns false once the queue is closed.
    pub(super) fn take(&self, lines: &mut Vec<u8>, timeout: Duration) -> bool {
        let mut state = self.state();
        if !state.closed && state.lines.len() < WAKE_BYTES {
            let woken = self.wake.wait_timeout(state, timeout);
            (state, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
        // The buffers are swapped, so that both keep their capacity.
        std::mem::swap(&mut state.lines, lines);
        !state.closed
    }

    /// Closes the queue for new lines. Queued ones can still be taken.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.wake.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, RecordQueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
