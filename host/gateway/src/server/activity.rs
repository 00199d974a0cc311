//! Activity of one connection: which requests are open, and who is waiting for whom.
//!
//! Every time limit of a connection follows from this state, for both versions of HTTP. It
//! reads no clock: callers pass the time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

/// Time limits of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// Limit for the head of a request; on a new connection also for everything before it.
    pub(crate) head: Duration,
    /// Limit for a connection on which the gateway waits for its client: for another request,
    /// or for the client to take an answer.
    pub(crate) idle: Duration,
}

/// Version of HTTP that a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Not enough bytes have arrived to decide.
    Unknown,
    Http1,
    Http2,
}

/// State of one connection, shared by its task, its requests and the connection table.
#[derive(Debug)]
pub(super) struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    protocol: Protocol,
    /// True if a whole head has arrived at any time.
    was_used: bool,
    /// Requests whose response has not been handed over to the last byte.
    open: usize,
    /// Open requests that the gateway works on. The others wait for their client.
    working: usize,
    /// Arrival of the first byte of an unfinished HTTP/1 head.
    head_since: Option<Instant>,
    /// Bytes of responses that were handed over for sending and have not been written.
    unsent: u64,
    /// Last time that the connection opened, a request began or ended, or a response moved.
    progressed_at: Instant,
    /// Wakes the connection's task, which found the gateway at work, when it no longer is.
    waker: Option<Waker>,
}

impl State {
    /// Returns whether the gateway works on a request. If so, the waker is kept.
    fn is_working(&mut self, waker: &Waker) -> bool {
        if self.working == 0 {
            return false;
        }
        self.waker = Some(waker.clone());
        true
    }

    /// Streams of HTTP/2 have tasks of their own, which end without the connection's task.
    fn wake_if_idle(&mut self) {
        if self.working == 0
            && let Some(waker) = self.waker.take()
        {
            waker.wake();
        }
    }
}

impl Activity {
    /// State of a connection that opened just now.
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(State {
            protocol: Protocol::Unknown,
            was_used: false,
            open: 0,
            working: 0,
            head_since: None,
            unsent: 0,
            progressed_at: now,
            waker: None,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the version of HTTP.
    pub(super) fn speaks(&self, protocol: Protocol) {
        self.state().protocol = protocol;
    }

    /// Records bytes that arrived. Over HTTP/2 they may be pings, so only the beginning of an
    /// HTTP/1 head counts.
    pub(super) fn received(&self, now: Instant) {
        let mut state = self.state();
        if state.protocol == Protocol::Http1 && state.open == 0 {
            state.head_since.get_or_insert(now);
        }
    }

    /// Records bytes that were written. Only responses count as progress: a client that
    /// sends pings makes the gateway write, too.
    pub(super) fn wrote(&self, bytes: usize, now: Instant) {
        let mut state = self.state();
        if state.unsent > 0 {
            state.unsent = state.unsent.saturating_sub(bytes as u64);
            state.progressed_at = now;
        }
    }

    /// Records the end of a request's head. The gateway works on the request from now on.
    pub(super) fn begin(&self, now: Instant) {
        let mut state = self.state();
        state.was_used = true;
        state.head_since = None;
        state.open += 1;
        state.working += 1;
        state.progressed_at = now;
    }

    /// Records progress of an open request, and whether the gateway worked on it until now
    /// and works on it from now on. `handed_over` bytes of its response wait to be written.
    pub(super) fn progress(&self, worked: bool, works: bool, handed_over: usize, now: Instant) {
        let mut state = self.state();
        state.working = state.working - usize::from(worked) + usize::from(works);
        state.unsent += handed_over as u64;
        state.progressed_at = now;
        state.wake_if_idle();
    }

    /// Records the end of a request.
    pub(super) fn end(&self, worked: bool, now: Instant) {
        let mut state = self.state();
        state.open -= 1;
        state.working -= usize::from(worked);
        state.progressed_at = now;
        state.wake_if_idle();
    }

    /// Returns the time since which the gateway has waited for the client; `None` while it
    /// works on a request.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.working == 0).then_some(state.progressed_at)
    }

    /// Returns whether the head of a request ever arrived.
    pub(super) fn was_used(&self) -> bool {
        self.state().was_used
    }

    /// Returns the time to close the connection unless something happens. `None` while the
    /// gateway works on a request; `waker` is woken when it no longer does.
    pub(super) fn idle_deadline(&self, timeouts: Timeouts, waker: &Waker) -> Option<Instant> {
        let mut state = self.state();
        if state.is_working(waker) {
            return None;
        }
        if !state.was_used {
            return Some(state.progressed_at + timeouts.head);
        }
        let idle = state.progressed_at + timeouts.idle;
        Some(state.head_since.map_or(idle, |since| idle.min(since + timeouts.head)))
    }

    /// Returns the time to cut off a connection that was asked to close: some time after its last
    /// progress. `None` as for [`Self::idle_deadline`].
    pub(super) fn closing_deadline(&self, closing: Closing, waker: &Waker) -> Option<Instant> {
        let mut state = self.state();
        if state.is_working(waker) {
            return None;
        }
        let is_delivered = state.open == 0 && state.unsent == 0;
        let patience = if is_delivered { closing.grace } else { closing.stalled };
        Some(state.progressed_at.max(closing.asked_at) + patience)
    }

    /// Forgets the waker, for a task that is awake.
    pub(super) fn forget_waker(&self) {
        self.state().waker = None;
    }
}

/// Time limits of a connection that was asked to close.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closing {
    /// Time at which it was asked.
    pub(super) asked_at: Instant,
    /// Time for the client to notice, once it has all responses.
    pub(super) grace: Duration,
    /// Time without progress while the client takes a response.
    pub(super) stalled: Duration,
}

#[cfg(test)]
mod tests;
