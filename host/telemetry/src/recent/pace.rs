//! Lets some of many through, evenly.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::{A_SECOND, KEPT};

/// Nanoseconds between two that are let through, if many come for long.
const APART: u64 = 1_000_000_000 / A_SECOND as u64;
/// How far ahead of that pace they may be: as many as are kept come at once.
const AHEAD: u64 = APART * KEPT as u64;

/// Lets [`KEPT`] through at once and [`A_SECOND`] each second (the generic cell rate
/// algorithm, ITU-T I.371).
#[derive(Debug)]
pub(super) struct Pace {
    begun: Instant,
    /// When the next one is due at the pace, in nanoseconds since the beginning.
    due: AtomicU64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { begun: Instant::now(), due: AtomicU64::new(0) }
    }
}

impl Pace {
    /// Whether one that comes now is let through.
    pub(super) fn allows(&self, now: Instant) -> bool {
        let now = u64::try_from(now.saturating_duration_since(self.begun).as_nanos()).unwrap_or(u64::MAX);
        let next = |due: u64| (due < now.saturating_add(AHEAD)).then(|| due.max(now).saturating_add(APART));
        self.due.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn allowed(pace: &Pace, now: Instant, come: usize) -> usize {
        (0..come).filter(|_| pace.allows(now)).count()
    }

    #[test]
    fn as_many_as_are_kept_come_at_once_and_then_so_many_a_second() {
        let pace = Pace::default();
        let now = pace.begun + Duration::from_secs(100);
        assert_eq!(allowed(&pace, now, 5_000), KEPT);
        assert_eq!(allowed(&pace, now + Duration::from_secs(1), 5_000), A_SECOND as usize);
        let apart = Duration::from_nanos(APART);
        let evenly =
            (1..=20).map(|tenth| allowed(&pace, now + Duration::from_secs(1) + apart * tenth / 10, 3));
        assert_eq!(evenly.sum::<usize>(), 2);
    }

    #[test]
    fn whoever_is_slower_than_the_pace_is_always_let_through() {
        let pace = Pace::default();
        let at = |number: u32| pace.begun + Duration::from_nanos(APART) * number;
        assert!((0..10_000).all(|number| pace.allows(at(number))));
        assert_eq!(allowed(&pace, at(10_000), 5_000), KEPT, "and may hurry afterwards");
    }

    #[test]
    fn threads_that_come_at_once_are_let_through_no_more_often() {
        let pace = Pace::default();
        let count: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| allowed(&pace, pace.begun, KEPT))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!(count, KEPT);
    }
}
