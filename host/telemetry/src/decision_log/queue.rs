//! Lines that wait to be written.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most bytes that wait.
pub(super) const MOST: usize = 32 << 20;
/// So many wake the writer before its time, while they are still in the caches.
/// Waking takes a call of the system, so it is not done for each line.
pub(super) const MANY: usize = 128 << 10;

/// Takes lines in and never waits.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    closed: bool,
}

impl Queue {
    /// Whether there was room.
    pub(super) fn push(&self, line: &[u8]) -> bool {
        let mut waiting = self.waiting();
        let before = waiting.lines.len();
        if waiting.closed || before + line.len() > MOST {
            return false;
        }
        waiting.lines.extend_from_slice(line);
        let are_many = before < MANY && waiting.lines.len() >= MANY;
        drop(waiting);
        if are_many {
            self.wake.notify_one();
        }
        true
    }

    /// Waits a while, or until there are many, and takes all that is there into
    /// the empty `lines`. Whether more may come.
    pub(super) fn take(&self, lines: &mut Vec<u8>, patience: Duration) -> bool {
        let mut waiting = self.waiting();
        if !waiting.closed && waiting.lines.len() < MANY {
            let woken = self.wake.wait_timeout(waiting, patience);
            (waiting, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
        // The buffers change places, so that neither grows anew.
        std::mem::swap(&mut waiting.lines, lines);
        !waiting.closed
    }

    /// Nothing more is taken in; what waits is still handed out.
    pub(super) fn close(&self) {
        self.waiting().closed = true;
        self.wake.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
