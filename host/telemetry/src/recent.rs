//! The last requests, for whoever asks why one went where it went.
//!
//! Where thousands end every second nobody reads them all, and keeping them all costs
//! each of them more than anything else that is told of it: memory that was let go
//! so many requests ago is in no cache. So of those that went as usual some are kept,
//! evenly, and what is kept reaches seconds back and not tenths of one.

mod pace;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pointsman_domain::history::History;
use pointsman_domain::outcome::RequestEnd;

use pace::Pace;

/// Requests that are kept, the newest.
pub const KEPT: usize = 1_000;

/// Requests of a kind that are kept each second, where more end for longer than it
/// takes [`KEPT`] of them to.
pub const A_SECOND: u32 = 100;

/// The last requests, and the last ones of those that were cut into tasks, which
/// are rarer and would be gone too soon.
#[derive(Debug, Default)]
pub struct Recent {
    all: Mutex<Kept>,
    plans: Mutex<Kept>,
    usual: Pace,
    /// Of what failed, was tried again, asked about twice or cut into tasks.
    notable: Pace,
}

#[derive(Debug, Default)]
struct Kept {
    newest: VecDeque<Arc<History>>,
    /// How many were kept so far, those that are gone included.
    count: u64,
}

/// What was kept after a moment.
#[derive(Debug)]
pub struct Since {
    /// Oldest first.
    pub histories: Vec<Arc<History>>,
    /// The moment to ask from the next time.
    pub count: u64,
}

impl Recent {
    /// Whether a request that ends now is to be kept: unless too many were lately.
    /// Each is asked for once.
    pub(crate) fn wants(&self, history: &History, now: Instant) -> bool {
        let pace = if is_notable(history) { &self.notable } else { &self.usual };
        pace.allows(now)
    }

    /// Keeps one that is wanted.
    pub(crate) fn keep(&self, history: Arc<History>) {
        if history.plan.is_some() {
            lock(&self.plans).keep(Arc::clone(&history));
        }
        // What makes room is dropped when the lock is free again.
        let _gone = lock(&self.all).keep(history);
    }

    /// The request with this decision id, if it is still kept.
    pub fn get(&self, id: &str) -> Option<Arc<History>> {
        let find = |kept: &Mutex<Kept>| {
            lock(kept).newest.iter().rev().find(|history| history.outcome.id == id).cloned()
        };
        find(&self.all).or_else(|| find(&self.plans))
    }

    /// The newest requests that are wanted, newest first.
    pub fn newest(&self, most: usize, wanted: impl Fn(&History) -> bool) -> Vec<Arc<History>> {
        lock(&self.all).newest(most, wanted)
    }

    /// The newest requests that were cut into tasks, newest first.
    pub fn newest_plans(&self, most: usize) -> Vec<Arc<History>> {
        lock(&self.plans).newest(most, |_| true)
    }

    /// Those that were kept since this many had been, at most so many, the newest.
    pub fn since(&self, count: u64, most: usize) -> Since {
        let kept = lock(&self.all);
        let new = usize::try_from(kept.count.saturating_sub(count)).unwrap_or(usize::MAX);
        let new = new.min(most).min(kept.newest.len());
        let histories = kept.newest.iter().skip(kept.newest.len() - new).cloned().collect();
        Since { histories, count: kept.count }
    }
}

impl Kept {
    fn keep(&mut self, history: Arc<History>) -> Option<Arc<History>> {
        let gone = if self.newest.len() == KEPT { self.newest.pop_front() } else { None };
        self.newest.push_back(history);
        self.count += 1;
        gone
    }

    fn newest(&self, most: usize, wanted: impl Fn(&History) -> bool) -> Vec<Arc<History>> {
        self.newest.iter().rev().filter(|history| wanted(history)).take(most).cloned().collect()
    }
}

fn is_notable(history: &History) -> bool {
    history.outcome.ending != RequestEnd::Answered
        || history.plan.is_some()
        || history.calls.len() > 1
        || history.decisions.len() > 1
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
