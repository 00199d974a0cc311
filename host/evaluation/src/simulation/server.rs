//! Model as a server with places and a queue.

use std::collections::VecDeque;
use std::time::Duration;

use pointsman_domain::model_behaviour::ModelBehaviour;

use super::model::SimulatedModel;
use super::prefix_cache::PrefixCache;
use super::slab::Key;

/// Places and queue of a model.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) behaviour: ModelBehaviour,
    pub(super) cache: PrefixCache,
    working: u32,
    /// Calls that wait, and keys of calls that have ended while they waited.
    queue: VecDeque<Key>,
    /// Calls that wait.
    waiting: u32,
    changed_at: Duration,
    /// Sum over time of the calls that it works on, in seconds.
    work_seconds: f64,
    /// Sum over time of the calls that wait, in seconds.
    wait_seconds: f64,
    longest_queue: u32,
}

/// Result of the arrival of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Work,
    Queue,
    Reject,
}

impl Server {
    pub(super) fn new(model: &SimulatedModel) -> Self {
        Self {
            behaviour: model.behaviour,
            cache: PrefixCache::new(model.cache_blocks),
            working: 0,
            queue: VecDeque::new(),
            waiting: 0,
            changed_at: Duration::ZERO,
            work_seconds: 0.0,
            wait_seconds: 0.0,
            longest_queue: 0,
        }
    }

    /// Gives a call a place, or puts it in the queue.
    pub(super) fn admit(&mut self, call: Key, now: Duration) -> Admission {
        self.integrate(now);
        if self.behaviour.capacity.is_none_or(|capacity| self.working < capacity) {
            self.working += 1;
            return Admission::Work;
        }
        if self.behaviour.queue.is_some_and(|most| self.waiting >= most) {
            return Admission::Reject;
        }
        self.queue.push_back(call);
        self.waiting += 1;
        self.longest_queue = self.longest_queue.max(self.waiting);
        Admission::Queue
    }

    /// Releases a place, and gives it to the first call in the queue that has not ended.
    pub(super) fn release(&mut self, now: Duration, is_open: impl Fn(Key) -> bool) -> Option<Key> {
        self.integrate(now);
        self.working -= 1;
        let next = std::iter::from_fn(|| self.queue.pop_front()).find(|key| is_open(*key))?;
        self.waiting -= 1;
        self.working += 1;
        Some(next)
    }

    /// Records that a call in the queue has ended. Its key is skipped later.
    pub(super) fn leave_queue(&mut self, now: Duration) {
        self.integrate(now);
        self.waiting -= 1;
        if self.waiting == 0 {
            self.queue.clear();
        }
    }

    /// Returns the mean number of calls that it worked on, that of calls that waited, and the longest
    /// queue.
    pub(super) fn load(&mut self, now: Duration) -> (f64, f64, u32) {
        self.integrate(now);
        let seconds = now.as_secs_f64();
        let mean = |sum: f64| if seconds > 0.0 { sum / seconds } else { 0.0 };
        (mean(self.work_seconds), mean(self.wait_seconds), self.longest_queue)
    }

    fn integrate(&mut self, now: Duration) {
        let seconds = now.saturating_sub(self.changed_at).as_secs_f64();
        self.work_seconds += f64::from(self.working) * seconds;
        self.wait_seconds += f64::from(self.waiting) * seconds;
        self.changed_at = self.changed_at.max(now);
    }
}
