//! Recent requests, for operators who want to know why one was routed as it was.
//!
//! Under heavy load only a part of the requests is kept. Keeping all of them costs each request
//! more than the rest of telemetry, since the memory of an evicted history is in no cache any
//! more, and nobody reads thousands a second. An even selection also covers several seconds
//! instead of a fraction of one.

mod pacer;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pointsman_domain::history::History;
use pointsman_domain::outcome::RequestEnd;

use pacer::Pacer;

/// Number of requests that are kept.
pub const CAPACITY: usize = 1_000;

/// Requests of a kind that are kept each second once more of them end.
pub const MAX_PER_SECOND: u32 = 100;

/// Recent requests, and recent requests with plans, which are rarer and would be evicted too soon.
#[derive(Debug, Default)]
pub struct RecentRequests {
    all: Mutex<HistoryRing>,
    plans: Mutex<HistoryRing>,
    usual: Pacer,
    /// Limit for requests that failed, were retried, had several decisions or a plan.
    notable: Pacer,
}

#[derive(Debug, Default)]
struct HistoryRing {
    newest: VecDeque<Arc<History>>,
    /// Number of requests that were added so far, evicted ones included.
    count: u64,
}

/// Requests that were added since an earlier update.
#[derive(Debug)]
pub struct RecentUpdate {
    /// Requests, oldest first.
    pub histories: Vec<Arc<History>>,
    /// Position from which the next update continues.
    pub count: u64,
}

impl RecentRequests {
    /// Returns whether a request that ends now is kept, and counts it as kept if so.
    pub(crate) fn admits(&self, history: &History, now: Instant) -> bool {
        let pacer = if is_notable(history) { &self.notable } else { &self.usual };
        pacer.admits(now)
    }

    /// Adds a request that was admitted.
    pub(crate) fn add(&self, history: Arc<History>) {
        if history.plan.is_some() {
            lock(&self.plans).add(Arc::clone(&history));
        }
        // The evicted history is dropped after the lock is released.
        let _evicted = lock(&self.all).add(history);
    }

    /// Returns the request with this decision id, if it is still kept.
    pub fn get(&self, id: &str) -> Option<Arc<History>> {
        let find = |ring: &Mutex<HistoryRing>| {
            lock(ring).newest.iter().rev().find(|history| history.outcome.id == id).cloned()
        };
        find(&self.all).or_else(|| find(&self.plans))
    }

    /// Returns at most `limit` requests that match, newest first.
    pub fn newest(&self, limit: usize, matches: impl Fn(&History) -> bool) -> Vec<Arc<History>> {
        lock(&self.all).newest(limit, matches)
    }

    /// Returns at most `limit` requests with plans, newest first.
    pub fn newest_plans(&self, limit: usize) -> Vec<Arc<History>> {
        lock(&self.plans).newest(limit, |_| true)
    }

    /// Returns the requests that were added after the first `count`, at most the newest `limit`.
    pub fn since(&self, count: u64, limit: usize) -> RecentUpdate {
        let ring = lock(&self.all);
        let new = usize::try_from(ring.count.saturating_sub(count)).unwrap_or(usize::MAX);
        let new = new.min(limit).min(ring.newest.len());
        let histories = ring.newest.iter().skip(ring.newest.len() - new).cloned().collect();
        RecentUpdate { histories, count: ring.count }
    }
}

impl HistoryRing {
    fn add(&mut self, history: Arc<History>) -> Option<Arc<History>> {
        let evicted = if self.newest.len() == CAPACITY { self.newest.pop_front() } else { None };
        self.newest.push_back(history);
        self.count += 1;
        evicted
    }

    fn newest(&self, limit: usize, matches: impl Fn(&History) -> bool) -> Vec<Arc<History>> {
        self.newest.iter().rev().filter(|history| matches(history)).take(limit).cloned().collect()
    }
}

fn is_notable(history: &History) -> bool {
    history.outcome.ending != RequestEnd::Answered
        || history.plan.is_some()
        || history.calls.len() > 1
        || history.decisions.len() > 1
}

fn lock(ring: &Mutex<HistoryRing>) -> MutexGuard<'_, HistoryRing> {
    ring.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
