//! Queue of what happens at a later time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::slab::Key;

/// Event of a simulation. One whose call or request has ended is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// A call fails, commits its stream, or ends with a whole answer.
    CallResult(Key),
    /// A committed stream ends.
    StreamEnd(Key),
    /// A call has given no byte in time.
    CallTimeout(Key),
    /// The back-off of a request, or of a task with this number of its race, is over.
    RetryDue(Key, usize),
    /// The time without an answer after which another target is called is over.
    HedgeDue(Key, usize),
    /// The time of a task is over.
    TaskDeadline(Key, usize),
    /// The time of a request is over.
    Deadline(Key),
}

/// Events in the order of their times; those of one time in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct EventQueue {
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    added: u64,
}

impl EventQueue {
    pub(super) fn add(&mut self, at: Duration, event: Event) {
        self.added += 1;
        self.events.push(Reverse((at, self.added, event)));
    }

    /// Returns the time of the next event.
    pub(super) fn next_at(&self) -> Option<Duration> {
        self.events.peek().map(|Reverse((at, ..))| *at)
    }

    pub(super) fn pop(&mut self) -> Option<(Duration, Event)> {
        self.events.pop().map(|Reverse((at, _, event))| (at, event))
    }
}
