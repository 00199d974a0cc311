//! Durations, counted in fixed buckets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const US: u64 = 1_000;
const MS: u64 = 1_000 * US;
const S: u64 = 1_000 * MS;

/// The upper bounds of buckets, in nanoseconds. What is longer has a bucket of its own.
pub(super) type Scale = [u64];

/// For what the gateway itself takes: from a microsecond up, and with the waits
/// before another try also seconds.
pub(super) static OWN: &Scale = &[
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

/// For what models take: up to the longest answers.
pub(super) static MODELS: &Scale = &[
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

/// Counted without locks.
#[derive(Debug)]
pub(super) struct Times {
    scale: &'static Scale,
    /// One for each bound, and one for what is longer.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What was counted, as the formats want it.
#[derive(Debug)]
pub(super) struct Counted {
    /// Seconds.
    pub(super) sum: f64,
    pub(super) count: u64,
    /// The upper bound in seconds of each bucket, and what is in it alone.
    pub(super) buckets: Vec<(f64, u64)>,
}

impl Times {
    pub(super) fn new(scale: &'static Scale) -> Self {
        let counts = (0..=scale.len()).map(|_| AtomicU64::new(0)).collect();
        Self { scale, counts, sum: AtomicU64::new(0) }
    }

    pub(super) fn add(&self, time: Duration) {
        let nanoseconds = nanoseconds(time);
        if let Some(count) = self.counts.get(bucket(self.scale, nanoseconds)) {
            count.fetch_add(1, Ordering::Relaxed);
            self.sum.fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }

    pub(super) fn counted(&self) -> Counted {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        Counted::new(self.scale, counts.collect(), self.sum.load(Ordering::Relaxed))
    }
}

impl Counted {
    /// Of times that were counted in other, finer buckets, each of which is known
    /// by its longest time.
    pub(super) fn of(scale: &'static Scale, times: &[(Duration, u64)], sum: Duration) -> Self {
        let mut counts = vec![0; scale.len() + 1];
        for (longest, count) in times {
            if let Some(sum) = counts.get_mut(bucket(scale, nanoseconds(*longest))) {
                *sum += count;
            }
        }
        Self::new(scale, counts, nanoseconds(sum))
    }

    fn new(scale: &'static Scale, counts: Vec<u64>, sum: u64) -> Self {
        let bounds = scale.iter().map(|bound| seconds(*bound)).chain([f64::INFINITY]);
        Self { sum: seconds(sum), count: counts.iter().sum(), buckets: bounds.zip(counts).collect() }
    }
}

fn bucket(scale: &Scale, nanoseconds: u64) -> usize {
    scale.partition_point(|bound| *bound < nanoseconds)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}
