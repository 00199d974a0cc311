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
    /// Limit for a connection on which the gateway waits for another request.
    pub(crate) idle: Duration,
    /// Limit for a connection on which the gateway waits for its client to take more of a
    /// response.
    pub(crate) write: Duration,
}

/// Longest time for which bytes are read from a client after the connection was closed for
/// writing.
const LINGER: Duration = Duration::from_secs(30);
/// Longest time without such a byte.
const LINGER_SILENCE: Duration = Duration::from_secs(5);

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
    /// Time by which the responses that were handed over have to be written. Only of HTTP/1,
    /// where no other response waits for the same connection.
    write_deadline: Option<Instant>,
    /// True if part of a request was left unread, so that no other can follow it.
    has_unread: bool,
    /// True once the gateway has asked the client to close.
    is_closing: bool,
    /// Time at which the connection was closed for writing, with bytes left to read.
    lingers_since: Option<Instant>,
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
            write_deadline: None,
            has_unread: false,
            is_closing: false,
            lingers_since: None,
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

    /// Records that part of a request was left unread. The connection closes after its response.
    pub(super) fn leave_unread(&self) {
        self.state().has_unread = true;
    }

    /// Records that the gateway asks the client to close.
    pub(super) fn begin_closing(&self) {
        self.state().is_closing = true;
    }

    /// Returns whether the client may be about to send more of a request that was refused. A
    /// head that was never completed counts, since hyper itself refuses those that are too long.
    pub(super) fn has_unread(&self) -> bool {
        let state = self.state();
        state.has_unread || (state.head_since.is_some() && !state.is_closing)
    }

    /// Records that from now on, bytes are read only to be discarded.
    pub(super) fn linger(&self, now: Instant) {
        let mut state = self.state();
        if state.lingers_since.is_none() {
            state.lingers_since = Some(now);
            state.progressed_at = now;
        }
    }

    /// Records that bytes were discarded.
    pub(super) fn discarded(&self, now: Instant) {
        self.state().progressed_at = now;
    }

    /// Records bytes that were written. Only responses count as progress: a client that
    /// sends pings makes the gateway write, too.
    pub(super) fn wrote(&self, bytes: usize, now: Instant) {
        let mut state = self.state();
        if state.unsent > 0 {
            state.unsent = state.unsent.saturating_sub(bytes as u64);
            state.progressed_at = now;
            if state.unsent == 0 {
                state.write_deadline = None;
            }
        }
    }

    /// Records the end of a request's head. The gateway works on the request from now on.
    pub(super) fn begin(&self, now: Instant) {
        let mut state = self.state();
        state.was_used = true;
        state.head_since = None;
        state.open += 1;
        state.working += 1;
        if state.unsent == 0 {
            state.write_deadline = None;
        }
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

    /// Limits the time in which the client may take what was handed over. Streams of HTTP/2 are
    /// left to [`Deadlines`](super::deadlines::Deadlines): others may go on.
    pub(super) fn limit_writing(&self, deadline: Instant) {
        let mut state = self.state();
        if state.protocol == Protocol::Http1 {
            state.write_deadline = Some(state.write_deadline.map_or(deadline, |other| other.min(deadline)));
        }
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
        if let Some(since) = state.lingers_since {
            return Some((since + LINGER).min(state.progressed_at + LINGER_SILENCE));
        }
        if state.open > 0 || state.unsent > 0 {
            let write = state.progressed_at + timeouts.write;
            return Some(state.write_deadline.map_or(write, |deadline| deadline.min(write)));
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
