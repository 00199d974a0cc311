//! Rate limit for requests that are kept.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::{CAPACITY, MAX_PER_SECOND};

/// Nanoseconds between two admissions at the sustained rate.
const INTERVAL: u64 = 1_000_000_000 / MAX_PER_SECOND as u64;
/// Nanoseconds by which admissions may be ahead of that rate: a burst of the whole capacity.
const BURST_TOLERANCE: u64 = INTERVAL * CAPACITY as u64;

/// Admits [`CAPACITY`] at once and [`MAX_PER_SECOND`] each second, with the generic cell rate
/// algorithm (ITU-T I.371).
#[derive(Debug)]
pub(super) struct Pacer {
    started: Instant,
    /// Theoretical arrival time of the next admission, in nanoseconds since the start.
    due: AtomicU64,
}

impl Default for Pacer {
    fn default() -> Self {
        Self { started: Instant::now(), due: AtomicU64::new(0) }
    }
}

impl Pacer {
    /// Returns whether an arrival at this time is admitted, and counts it if so.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let now = u64::try_from(now.saturating_duration_since(self.started).as_nanos()).unwrap_or(u64::MAX);
        let next = |due: u64| {
            (due < now.saturating_add(BURST_TOLERANCE)).then(|| due.max(now).saturating_add(INTERVAL))
        };
        self.due.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn admitted(pacer: &Pacer, now: Instant, arrivals: usize) -> usize {
        (0..arrivals).filter(|_| pacer.admits(now)).count()
    }

    #[test]
    fn a_burst_of_the_capacity_is_admitted_and_then_the_rate() {
        let pacer = Pacer::default();
        let now = pacer.started + Duration::from_secs(100);
        assert_eq!(admitted(&pacer, now, 5_000), CAPACITY);
        assert_eq!(admitted(&pacer, now + Duration::from_secs(1), 5_000), MAX_PER_SECOND as usize);
        let interval = Duration::from_nanos(INTERVAL);
        let evenly =
            (1..=20).map(|tenth| admitted(&pacer, now + Duration::from_secs(1) + interval * tenth / 10, 3));
        assert_eq!(evenly.sum::<usize>(), 2);
    }

    #[test]
    fn arrivals_below_the_rate_are_all_admitted() {
        let pacer = Pacer::default();
        let at = |number: u32| pacer.started + Duration::from_nanos(INTERVAL) * number;
        assert!((0..10_000).all(|number| pacer.admits(at(number))));
        assert_eq!(admitted(&pacer, at(10_000), 5_000), CAPACITY, "a burst is still possible");
    }

    #[test]
    fn concurrent_arrivals_share_one_limit() {
        let pacer = Pacer::default();
        let count: usize = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| admitted(&pacer, pacer.started, CAPACITY))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!(count, CAPACITY);
    }
}
