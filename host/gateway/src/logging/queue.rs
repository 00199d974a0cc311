//! Formatted lines on their way to standard error.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most bytes that wait to be written.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// A bounded queue of lines. Appending never waits for the writer.
#[derive(Debug, Default)]
pub(super) struct LineQueue {
    pending: Mutex<Pending>,
    /// Lines wait.
    filled: Condvar,
    /// All lines were written or dropped.
    idle: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Pending {
    lines: Vec<u8>,
    /// True if the writer has lines that it took and has not written yet.
    is_writing: bool,
}

impl LineQueue {
    /// Appends one or more whole lines, or counts them as dropped.
    pub(super) fn push(&self, lines: &[u8]) {
        let mut pending = self.pending();
        let before = pending.lines.len();
        if before + lines.len() > MAX_BYTES {
            drop(pending);
            self.count_dropped(lines);
            return;
        }
        pending.lines.extend_from_slice(lines);
        drop(pending);
        if before == 0 {
            self.filled.notify_one();
        }
    }

    /// Waits for lines and moves all of them to the empty `batch`. The batch before it
    /// counts as written from here on.
    pub(super) fn take(&self, batch: &mut Vec<u8>) {
        let mut pending = self.pending();
        pending.is_writing = false;
        if pending.lines.is_empty() {
            self.idle.notify_all();
            let is_empty = |pending: &mut Pending| pending.lines.is_empty();
            pending = self.filled.wait_while(pending, is_empty).unwrap_or_else(PoisonError::into_inner);
        }
        pending.is_writing = true;
        // The buffers change places, so that neither grows anew.
        std::mem::swap(&mut pending.lines, batch);
    }

    /// Waits until everything that was pushed is written or dropped, or the time is over.
    pub(super) fn flush(&self, patience: Duration) {
        let is_busy = |pending: &mut Pending| pending.is_writing || !pending.lines.is_empty();
        drop(self.idle.wait_timeout_while(self.pending(), patience, is_busy));
    }

    /// Counts lines that were not written.
    pub(super) fn count_dropped(&self, lines: &[u8]) {
        let count = lines.iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }

    /// Lines that were dropped since the start.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of the queue that the subscriber writes to, an event at a time.
pub(super) struct Appender(Arc<LineQueue>);

impl Appender {
    pub(super) fn new(queue: Arc<LineQueue>) -> Self {
        Self(queue)
    }
}

impl Write for Appender {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_bound_are_dropped_and_counted_and_nobody_waits() {
        let queue = LineQueue::default();
        let line = [b"x".repeat(1_023).as_slice(), b"\n"].concat();
        let fit = MAX_BYTES / line.len();
        (0..fit + 7).for_each(|_| queue.push(&line));
        assert_eq!(queue.dropped(), 7);
        let mut batch = Vec::new();
        queue.take(&mut batch);
        assert_eq!(batch.len(), fit * line.len());
        queue.push(b"one\ntwo\n");
        assert_eq!(queue.dropped(), 7, "there is room again");
    }

    #[test]
    fn a_flush_gives_up_on_a_writer_that_does_not_return() {
        let queue = LineQueue::default();
        queue.push(b"line\n");
        queue.take(&mut Vec::new());
        // Ends although the batch that was taken is never written.
        queue.flush(Duration::from_millis(1));
    }
}
