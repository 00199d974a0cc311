//! Queue of requests that the decision log and spans do not include yet.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pointsman_domain::history::History;

use crate::content::ContentSource;

/// Number of requests that wakes the recording thread early, while they are still in the caches.
/// A wake-up costs a system call, so not every request causes one.
pub(crate) const WAKE_COUNT: usize = 32;
/// Longest time that fewer requests stay pending.
const MAX_DELAY: Duration = Duration::from_millis(50);
/// Number of pending requests at which the caller has to record them.
pub(crate) const MAX_PENDING: usize = 4_096;
/// Bytes of pending content at which the caller has to record them.
const MAX_PENDING_BYTES: usize = 64 << 20;

/// A request that has ended, and its content if that is recorded.
#[derive(Debug)]
pub(crate) struct EndedRequest {
    pub(crate) history: Arc<History>,
    pub(crate) content: Option<Box<dyn ContentSource>>,
}

/// Queue of requests that have ended.
#[derive(Debug, Default)]
pub(crate) struct PendingRequests {
    state: Mutex<PendingState>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct PendingState {
    requests: Vec<EndedRequest>,
    content_bytes: usize,
    closed: bool,
}

impl PendingRequests {
    /// Adds a request. Returns true if too many are pending, and the caller has to record them.
    pub(crate) fn push(&self, request: EndedRequest) -> bool {
        let mut state = self.state();
        state.content_bytes += request.content.as_ref().map_or(0, |content| content.bytes());
        state.requests.push(request);
        let (count, bytes) = (state.requests.len(), state.content_bytes);
        drop(state);
        if count == 1 || count == WAKE_COUNT {
            self.wake.notify_one();
        }
        count >= MAX_PENDING || bytes >= MAX_PENDING_BYTES
    }

    /// Moves all requests to `batch`, which has to be empty.
    pub(crate) fn take(&self, batch: &mut Vec<EndedRequest>) {
        let mut state = self.state();
        // The vectors are swapped, so that both keep their capacity.
        std::mem::swap(&mut state.requests, batch);
        state.content_bytes = 0;
    }

    /// Waits until many requests are pending, or some have been for long enough. Returns false
    /// once the queue is closed.
    pub(crate) fn wait(&self) -> bool {
        let (is_empty, is_short) = (
            |state: &mut PendingState| state.requests.is_empty() && !state.closed,
            |state: &mut PendingState| state.requests.len() < WAKE_COUNT && !state.closed,
        );
        let state = self.wake.wait_while(self.state(), is_empty).unwrap_or_else(PoisonError::into_inner);
        let waited = self.wake.wait_timeout_while(state, MAX_DELAY, is_short);
        !waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// Ends [`wait`](Self::wait). Requests can still be added and taken.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.wake.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, PendingState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
