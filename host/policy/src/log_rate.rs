//! Rate limit for the lines that a policy writes to the gateway's log, over all calls.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shortest time between two reports of dropped lines.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Token bucket for the log lines of one policy, shared by all its versions. It holds the lines of
/// one second.
#[derive(Debug, Default)]
pub(crate) struct LogRate {
    bucket: Mutex<Bucket>,
    dropped: AtomicU64,
    /// Dropped lines that have not been reported yet.
    unreported: AtomicU64,
}

#[derive(Debug, Default)]
struct Bucket {
    /// Tokens and the time at which there were that many; `None` before the first line.
    filled: Option<(f64, Instant)>,
    reported: Option<Instant>,
}

impl LogRate {
    /// Takes a token from the bucket, which fills at this many lines per second. Counts the line as
    /// dropped if there is none.
    pub(crate) fn admit(&self, lines_per_second: u32, now: Instant) -> bool {
        let full = f64::from(lines_per_second);
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = bucket.filled.unwrap_or((full, now));
        let passed = now.saturating_duration_since(since).as_secs_f64();
        let left = (left + passed * full).min(full);
        let is_admitted = left >= 1.0;
        bucket.filled = Some((if is_admitted { left - 1.0 } else { left }, now.max(since)));
        drop(bucket);
        if !is_admitted {
            self.drop_lines(1);
        }
        is_admitted
    }

    /// Counts lines that were not written.
    pub(crate) fn drop_lines(&self, lines: u64) {
        self.dropped.fetch_add(lines, Ordering::Relaxed);
        self.unreported.fetch_add(lines, Ordering::Relaxed);
    }

    /// Returns the number of dropped lines since the policy was first loaded.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Returns whether there are dropped lines to report.
    pub(crate) fn has_report(&self) -> bool {
        self.unreported.load(Ordering::Relaxed) > 0
    }

    /// Takes the number of dropped lines to report, at most once in [`REPORT_INTERVAL`].
    pub(crate) fn take_report(&self, now: Instant) -> Option<u64> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let is_early = bucket.reported.is_some_and(|at| now.saturating_duration_since(at) < REPORT_INTERVAL);
        if is_early {
            return None;
        }
        let lines = self.unreported.swap(0, Ordering::Relaxed);
        (lines > 0).then(|| {
            bucket.reported = Some(now);
            lines
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(rate: &LogRate, lines: usize, now: Instant) -> usize {
        (0..lines).filter(|_| rate.admit(10, now)).count()
    }

    #[test]
    fn the_rate_holds_however_the_lines_are_distributed() {
        let (rate, start) = (LogRate::default(), Instant::now());
        let after = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!(admitted(&rate, 25, start), 10);
        assert_eq!(admitted(&rate, 25, after(50)), 0);
        assert_eq!(admitted(&rate, 25, after(100)), 1);
        assert_eq!(admitted(&rate, 25, after(600)), 5);
        assert_eq!(admitted(&rate, 25, after(60_000)), 10, "unused tokens beyond one second are lost");
        assert_eq!(admitted(&rate, 1, start), 0, "a clock that goes back adds no tokens");
        assert_eq!(rate.dropped(), 126 - 26);
    }

    #[test]
    fn a_rate_of_zero_drops_every_line() {
        let (rate, now) = (LogRate::default(), Instant::now());
        assert!(!rate.admit(0, now) && !rate.admit(0, now + Duration::from_secs(9)));
        assert_eq!(rate.dropped(), 2);
    }

    #[test]
    fn dropped_lines_are_reported_together_at_intervals() {
        let (rate, start) = (LogRate::default(), Instant::now());
        assert!(!rate.has_report());
        assert_eq!(rate.take_report(start), None);
        rate.drop_lines(3);
        assert!(rate.has_report());
        assert_eq!(rate.take_report(start), Some(3));
        rate.drop_lines(4);
        rate.drop_lines(5);
        assert_eq!(rate.take_report(start + REPORT_INTERVAL / 2), None);
        assert_eq!(rate.take_report(start + REPORT_INTERVAL), Some(9));
        assert_eq!(rate.take_report(start + REPORT_INTERVAL * 3), None);
        assert_eq!(rate.dropped(), 12);
    }
}
