//! What is told once in a while, however often it happens.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A thing that goes on is told again after this time.
const PAUSE: Duration = Duration::from_secs(10);
/// Things that are remembered. Beyond it all are forgotten, and told once more.
const MOST: usize = 1_024;

/// Remembers what was told.
#[derive(Debug, Default)]
pub(crate) struct Repeats(Mutex<HashMap<Thing, Told>>);

/// What happened, and to whom.
type Thing = (&'static str, &'static str, String);

#[derive(Clone, Copy, Debug)]
struct Told {
    at: Instant,
    left_out: u64,
}

impl Repeats {
    /// Whether to tell of a thing that happens now: then how often it happened
    /// untold since it was told last.
    pub(crate) fn tell(&self, what: &'static str, why: &'static str, who: &str, now: Instant) -> Option<u64> {
        let mut things = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let thing = (what, why, who.to_owned());
        match things.get_mut(&thing) {
            Some(told) if now.saturating_duration_since(told.at) < PAUSE => {
                told.left_out += 1;
                None
            }
            Some(told) => {
                let left_out = told.left_out;
                *told = Told { at: now, left_out: 0 };
                Some(left_out)
            }
            None => {
                if things.len() == MOST {
                    things.clear();
                }
                things.insert(thing, Told { at: now, left_out: 0 });
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_again_is_counted_and_told_after_a_pause() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        let tell = |after: u64| repeats.tell("fails", "trap", "a", now + Duration::from_secs(after));
        assert_eq!(tell(0), Some(0));
        assert_eq!((1..10).filter_map(tell).next(), None);
        assert_eq!(tell(10), Some(9));
        assert_eq!(tell(11), None);
        assert_eq!(tell(21), Some(1));
    }

    #[test]
    fn things_are_told_apart() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        for (what, why, who) in
            [("fails", "trap", "a"), ("fails", "trap", "b"), ("fails", "stack", "a"), ("shadow", "trap", "a")]
        {
            assert_eq!(repeats.tell(what, why, who, now), Some(0), "{what} {why} {who}");
            assert_eq!(repeats.tell(what, why, who, now), None, "{what} {why} {who}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        for number in 0..10 * MOST {
            repeats.tell("fails", "trap", &number.to_string(), now);
        }
        assert!(repeats.0.lock().expect("no thread panicked").len() <= MOST);
    }
}
