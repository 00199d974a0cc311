//! What a slot counts over all versions, and what a version takes up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use histogram::{AtomicHistogram, Config, Error};
use pointsman_domain::ids::Digest;

use crate::failure::PolicyFailure;
use crate::record::Counts;

/// Decision times in nanoseconds up to [`LONGEST`], to an eighth.
const TIMES: Result<Config, Error> = Config::new(3, 36);
/// The longest time that can be told from longer ones: 69 seconds.
const LONGEST: u64 = (1 << 36) - 1;

/// Decisions and failures since the slot was made, counted without locks. They
/// outlive versions, so their numbers are wider than those of a record.
#[derive(Debug)]
pub(super) struct Totals {
    pub(super) counts: Counts,
    times: Option<AtomicHistogram>,
    took: AtomicU64,
    pub(super) rejected: AtomicU64,
}

/// A slot in numbers.
#[derive(Clone, Debug)]
pub struct Measures {
    /// The version that serves.
    pub active: Digest,
    /// When it was let in, in seconds since 1970.
    pub loaded_at: u64,
    /// How often another version took over.
    pub swaps: u64,
    /// How often a version was not let in.
    pub rejected: u64,
    /// Failures by [`PolicyFailure::reason`], all of them.
    pub failures: [(&'static str, u64); PolicyFailure::REASONS.len()],
    /// How long decisions took: times, from the shortest, with how many took
    /// about that long. Shadows and all versions are in it.
    pub decision_times: Vec<(Duration, u64)>,
    /// How long all of them took together.
    pub decision_time: Duration,
    /// What the active version takes up.
    pub usage: PolicyUsage,
}

/// What one version of a policy takes up at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyUsage {
    /// Calls under way, those that wait for a place in the pool included.
    pub calls: usize,
    /// Warm instances that nobody uses.
    pub idle_instances: usize,
    /// The largest linear memory that an instance had, in bytes.
    pub peak_memory: usize,
    /// Log lines of all versions that were not written, since there were too many.
    pub log_lines_dropped: u64,
}

impl Totals {
    pub(super) fn new() -> Self {
        Self {
            counts: Counts::default(),
            times: TIMES.as_ref().ok().map(AtomicHistogram::with_config),
            took: AtomicU64::default(),
            rejected: AtomicU64::default(),
        }
    }

    pub(super) fn decided(&self, took: Duration) {
        self.counts.decided();
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.took.fetch_add(nanoseconds, Ordering::Relaxed);
        if let Some(times) = &self.times {
            // The range holds it, so it is counted.
            let _ = times.increment(nanoseconds.min(LONGEST));
        }
    }

    pub(super) fn decision_time(&self) -> Duration {
        Duration::from_nanos(self.took.load(Ordering::Relaxed))
    }

    pub(super) fn decision_times(&self) -> Vec<(Duration, u64)> {
        let Some(times) = &self.times else { return Vec::new() };
        let counted = times.load();
        let counted = counted.iter().filter(|bucket| bucket.count() > 0);
        counted.map(|bucket| (Duration::from_nanos(bucket.end()), bucket.count())).collect()
    }
}
