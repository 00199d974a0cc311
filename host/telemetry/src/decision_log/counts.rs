//! What was written and what was not.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What became of records since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Records that were written.
    pub written: u64,
    /// Their bytes, before compression.
    pub bytes: u64,
    /// Records left out because too many waited: the disk is too slow.
    pub dropped_queue: u64,
    /// Records left out because the disk is full, gone or broken.
    pub dropped_disk: u64,
}

impl Counts {
    /// Records that were not written, for whatever reason.
    pub fn dropped(&self) -> u64 {
        self.dropped_queue + self.dropped_disk
    }
}

/// The same while it grows.
#[derive(Debug, Default)]
pub(super) struct Counters {
    written: AtomicU64,
    bytes: AtomicU64,
    dropped_queue: AtomicU64,
    dropped_disk: AtomicU64,
    /// Whether it was told that the queue is full.
    overflowing: AtomicBool,
    /// Whether a record found no room since the writer last asked.
    overflowed: AtomicBool,
}

impl Counters {
    pub(super) fn wrote(&self, records: u64, bytes: u64) {
        self.written.fetch_add(records, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn dropped_for_disk(&self, records: u64) {
        self.dropped_disk.fetch_add(records, Ordering::Relaxed);
    }

    /// A record found no room in the queue. Told once, when it begins.
    pub(super) fn dropped_for_queue(&self) {
        self.dropped_queue.fetch_add(1, Ordering::Relaxed);
        self.overflowed.store(true, Ordering::Relaxed);
        if !self.overflowing.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "the decision log cannot keep up with the requests: records are left out and counted as `queue`"
            );
        }
    }

    /// Whether a record found no room since this was last asked.
    pub(super) fn has_overflowed(&self) -> bool {
        self.overflowed.swap(false, Ordering::Relaxed)
    }

    /// No record was left out for a while.
    pub(super) fn calm(&self) {
        if self.overflowing.swap(false, Ordering::Relaxed) {
            let dropped = self.dropped_queue.load(Ordering::Relaxed);
            tracing::info!(dropped, "the decision log keeps up with the requests again");
        }
    }

    pub(super) fn read(&self) -> Counts {
        Counts {
            written: self.written.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            dropped_queue: self.dropped_queue.load(Ordering::Relaxed),
            dropped_disk: self.dropped_disk.load(Ordering::Relaxed),
        }
    }
}
