//! Counts of a slot over all versions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use histogram::{AtomicHistogram, Config, Error};
use pointsman_domain::ids::Digest;

use crate::failure::FailureReason;
use crate::policy::PolicyUsage;
use crate::stats::DecisionCounts;

/// Buckets for decision times in nanoseconds: up to [`LONGEST`], with a resolution of an eighth.
const TIME_BUCKETS: Result<Config, Error> = Config::new(3, 36);
/// Upper end of the last bucket: 69 seconds. Longer times are counted there.
const LONGEST: u64 = (1 << 36) - 1;

/// Decisions and failures since the slot was created, counted without locks. They outlive versions,
/// so the histogram has wider counters than that of one version.
#[derive(Debug)]
pub(super) struct SlotTotals {
    pub(super) counts: DecisionCounts,
    times: Option<AtomicHistogram>,
    /// Sum of all decision times, in nanoseconds.
    time_ns: AtomicU64,
    pub(super) rejected: AtomicU64,
}

/// Metrics of a slot at one moment.
#[derive(Clone, Debug)]
pub struct SlotMetrics {
    /// The active version.
    pub active: Digest,
    /// Time at which it was loaded, in seconds since 1970.
    pub loaded_at: u64,
    /// Number of swaps.
    pub swaps: u64,
    /// Number of rejected versions.
    pub rejected: u64,
    /// Failures by [`FailureReason`], with every reason.
    pub failures: [(&'static str, u64); FailureReason::ALL.len()],
    /// Buckets of decision times, from the shortest: upper end and number of decisions. Includes
    /// shadow decisions and all versions.
    pub decision_times: Vec<(Duration, u64)>,
    /// Sum of all decision times.
    pub decision_time: Duration,
    /// Resources that the active version uses.
    pub usage: PolicyUsage,
}

impl SlotTotals {
    pub(super) fn new() -> Self {
        Self {
            counts: DecisionCounts::default(),
            times: TIME_BUCKETS.as_ref().ok().map(AtomicHistogram::with_config),
            time_ns: AtomicU64::default(),
            rejected: AtomicU64::default(),
        }
    }

    pub(super) fn record_decision(&self, took: Duration) {
        self.counts.record_decision();
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.time_ns.fetch_add(nanoseconds, Ordering::Relaxed);
        if let Some(times) = &self.times {
            // Cannot fail, since the last bucket ends at `LONGEST`.
            let _ = times.increment(nanoseconds.min(LONGEST));
        }
    }

    pub(super) fn decision_time(&self) -> Duration {
        Duration::from_nanos(self.time_ns.load(Ordering::Relaxed))
    }

    pub(super) fn decision_times(&self) -> Vec<(Duration, u64)> {
        let Some(times) = &self.times else { return Vec::new() };
        let buckets = times.load();
        let buckets = buckets.iter().filter(|bucket| bucket.count() > 0);
        buckets.map(|bucket| (Duration::from_nanos(bucket.end()), bucket.count())).collect()
    }
}
