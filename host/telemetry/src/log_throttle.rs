//! Suppression of log lines that repeat.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shortest time between two lines about the same event.
const MIN_INTERVAL: Duration = Duration::from_secs(10);
/// Most events that are tracked. Beyond that all are forgotten, and each is logged once more.
const MAX_ENTRIES: usize = 1_024;

/// Limits how often the same event is logged.
#[derive(Debug, Default)]
pub(crate) struct LogThrottle(Mutex<HashMap<ThrottleKey, ThrottleEntry>>);

/// Event, reason and subject of a line.
type ThrottleKey = (&'static str, &'static str, String);

#[derive(Clone, Copy, Debug)]
struct ThrottleEntry {
    logged_at: Instant,
    suppressed: u64,
}

impl LogThrottle {
    /// Returns the number of lines that were suppressed since the last one about the same event
    /// if a line may be logged now, and `None` if this one is to be suppressed too.
    pub(crate) fn admit(
        &self,
        event: &'static str,
        reason: &'static str,
        subject: &str,
        now: Instant,
    ) -> Option<u64> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (event, reason, subject.to_owned());
        match entries.get_mut(&key) {
            Some(entry) if now.saturating_duration_since(entry.logged_at) < MIN_INTERVAL => {
                entry.suppressed += 1;
                None
            }
            Some(entry) => {
                let suppressed = entry.suppressed;
                *entry = ThrottleEntry { logged_at: now, suppressed: 0 };
                Some(suppressed)
            }
            None => {
                if entries.len() == MAX_ENTRIES {
                    entries.clear();
                }
                entries.insert(key, ThrottleEntry { logged_at: now, suppressed: 0 });
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_lines_are_suppressed_and_counted_until_the_interval_is_over() {
        let (throttle, now) = (LogThrottle::default(), Instant::now());
        let admit = |after: u64| throttle.admit("fails", "trap", "a", now + Duration::from_secs(after));
        assert_eq!(admit(0), Some(0));
        assert_eq!((1..10).filter_map(admit).next(), None);
        assert_eq!(admit(10), Some(9));
        assert_eq!(admit(11), None);
        assert_eq!(admit(21), Some(1));
    }

    #[test]
    fn events_reasons_and_subjects_are_throttled_separately() {
        let (throttle, now) = (LogThrottle::default(), Instant::now());
        for (event, reason, subject) in
            [("fails", "trap", "a"), ("fails", "trap", "b"), ("fails", "stack", "a"), ("shadow", "trap", "a")]
        {
            assert_eq!(throttle.admit(event, reason, subject, now), Some(0), "{event} {reason} {subject}");
            assert_eq!(throttle.admit(event, reason, subject, now), None, "{event} {reason} {subject}");
        }
    }

    #[test]
    fn the_number_of_tracked_events_is_bounded() {
        let (throttle, now) = (LogThrottle::default(), Instant::now());
        for number in 0..10 * MAX_ENTRIES {
            throttle.admit("fails", "trap", &number.to_string(), now);
        }
        assert!(throttle.0.lock().expect("no thread panicked").len() <= MAX_ENTRIES);
    }
}
