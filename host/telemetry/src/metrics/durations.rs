//! Histograms of durations with fixed buckets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const US: u64 = 1_000;
const MS: u64 = 1_000 * US;
const S: u64 = 1_000 * MS;

/// Upper bounds of buckets in nanoseconds. Longer durations have one more bucket.
pub(super) type BucketBounds = [u64];

/// Buckets for time that the gateway itself takes: from a microsecond, and up to seconds because
/// waits before retries are included.
pub(super) static GATEWAY_BUCKETS: &BucketBounds = &[
    US,
    5 * US / 2,
    5 * US,
    10 * US,
    25 * US,
    50 * US,
    100 * US,
    250 * US,
    500 * US,
    MS,
    5 * MS / 2,
    5 * MS,
    10 * MS,
    25 * MS,
    50 * MS,
    100 * MS,
    250 * MS,
    S,
    5 * S,
    30 * S,
];

/// Buckets for time that models take, up to the longest answers.
pub(super) static MODEL_BUCKETS: &BucketBounds = &[
    5 * MS,
    10 * MS,
    25 * MS,
    50 * MS,
    100 * MS,
    250 * MS,
    500 * MS,
    S,
    5 * S / 2,
    5 * S,
    10 * S,
    20 * S,
    30 * S,
    60 * S,
    120 * S,
    300 * S,
    600 * S,
];

/// Histogram that is updated without locks.
#[derive(Debug)]
pub(super) struct DurationHistogram {
    bounds: &'static BucketBounds,
    /// One count for each bound, and one for longer durations.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// Histogram in the form that the formats expect.
#[derive(Debug)]
pub(super) struct HistogramSnapshot {
    /// Sum of all durations in seconds.
    pub(super) sum: f64,
    /// Number of durations.
    pub(super) count: u64,
    /// Upper bound of each bucket in seconds, and its count, which is not cumulative.
    pub(super) buckets: Vec<(f64, u64)>,
}

impl DurationHistogram {
    pub(super) fn new(bounds: &'static BucketBounds) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    pub(super) fn add(&self, duration: Duration) {
        let nanoseconds = nanoseconds(duration);
        if let Some(count) = self.counts.get(bucket(self.bounds, nanoseconds)) {
            count.fetch_add(1, Ordering::Relaxed);
            self.sum.fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }

    pub(super) fn snapshot(&self) -> HistogramSnapshot {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        HistogramSnapshot::new(self.bounds, counts.collect(), self.sum.load(Ordering::Relaxed))
    }
}

impl HistogramSnapshot {
    /// Creates a histogram from the counts of other, finer buckets, each with its upper bound.
    pub(super) fn rebucketed(
        bounds: &'static BucketBounds,
        finer: &[(Duration, u64)],
        sum: Duration,
    ) -> Self {
        let mut counts = vec![0; bounds.len() + 1];
        for (upper, count) in finer {
            if let Some(total) = counts.get_mut(bucket(bounds, nanoseconds(*upper))) {
                *total += count;
            }
        }
        Self::new(bounds, counts, nanoseconds(sum))
    }

    fn new(bounds: &'static BucketBounds, counts: Vec<u64>, sum: u64) -> Self {
        let bounds = bounds.iter().map(|bound| seconds(*bound)).chain([f64::INFINITY]);
        Self { sum: seconds(sum), count: counts.iter().sum(), buckets: bounds.zip(counts).collect() }
    }
}

/// Returns the index of the first bucket that holds a duration.
fn bucket(bounds: &BucketBounds, nanoseconds: u64) -> usize {
    bounds.partition_point(|bound| *bound < nanoseconds)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}
