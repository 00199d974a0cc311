//! Counts of written and dropped records.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counts of records since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Records that were written.
    pub written: u64,
    /// Bytes of the written records before compression.
    pub bytes: u64,
    /// Records dropped because the queue was full: the disk is too slow.
    pub dropped_queue: u64,
    /// Records dropped because the disk is full, missing or broken.
    pub dropped_disk: u64,
}

impl LogCounts {
    /// Returns the number of dropped records.
    pub fn dropped(&self) -> u64 {
        self.dropped_queue + self.dropped_disk
    }
}

/// Counters of records.
#[derive(Debug, Default)]
pub(super) struct LogCounters {
    written: AtomicU64,
    bytes: AtomicU64,
    dropped_queue: AtomicU64,
    dropped_disk: AtomicU64,
    /// True after the log line about a full queue, until the one about its end.
    overflowing: AtomicBool,
    /// True if a record was dropped since the last call of `take_overflow`.
    overflowed: AtomicBool,
}

impl LogCounters {
    pub(super) fn add_written(&self, records: u64, bytes: u64) {
        self.written.fetch_add(records, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn add_dropped_for_disk(&self, records: u64) {
        self.dropped_disk.fetch_add(records, Ordering::Relaxed);
    }

    /// Counts a record that found the queue full. The first one is logged.
    pub(super) fn add_dropped_for_queue(&self) {
        self.dropped_queue.fetch_add(1, Ordering::Relaxed);
        self.overflowed.store(true, Ordering::Relaxed);
        if !self.overflowing.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "the decision log cannot keep up with the requests: records are dropped and counted as `queue`"
            );
        }
    }

    /// Returns whether a record was dropped since the last call.
    pub(super) fn take_overflow(&self) -> bool {
        self.overflowed.swap(false, Ordering::Relaxed)
    }

    /// Logs that no more records are dropped, if that is news.
    pub(super) fn end_overflow(&self) {
        if self.overflowing.swap(false, Ordering::Relaxed) {
            let dropped = self.dropped_queue.load(Ordering::Relaxed);
            tracing::info!(dropped, "the decision log keeps up with the requests again");
        }
    }

    pub(super) fn read(&self) -> LogCounts {
        LogCounts {
            written: self.written.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            dropped_queue: self.dropped_queue.load(Ordering::Relaxed),
            dropped_disk: self.dropped_disk.load(Ordering::Relaxed),
        }
    }
}
