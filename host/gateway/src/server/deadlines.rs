//! Response bodies with a deadline that does not depend on the client.
//!
//! hyper polls a body only while the client takes what came before, so a body cannot end itself
//! when its client stops reading. The task of the connection ends it instead.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

/// Time after the deadline in which a body may end itself, with an error event for a client that
/// does read.
const GRACE: Duration = Duration::from_millis(250);

/// The bodies of one connection that have a deadline.
#[derive(Debug, Default)]
pub(super) struct Deadlines(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    bodies: Vec<Arc<Shared>>,
    /// Wakes the connection's task, which has a timer for the first deadline.
    waker: Option<Waker>,
}

/// A body that ends with an error once its deadline has passed.
#[derive(Debug)]
pub(super) struct LimitedBody {
    deadlines: Arc<Deadlines>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ends_at: Instant,
    slot: Mutex<Slot>,
}

#[derive(Debug)]
struct Slot {
    /// Taken at the deadline.
    body: Option<Body>,
    /// Waits for the body's next frame.
    reader: Option<Waker>,
}

/// The deadline of a response passed before its body ended.
#[derive(Debug, thiserror::Error)]
#[error("the time for the request ran out")]
struct DeadlineExceeded;

impl Deadlines {
    /// Returns the time at which a body with a deadline is dropped if it has not ended.
    pub(super) fn end_of(deadline: Instant) -> Instant {
        deadline + GRACE
    }

    /// Limits the time of a body.
    pub(super) fn limit(self: &Arc<Self>, body: Body, ends_at: Instant) -> LimitedBody {
        let slot = Mutex::new(Slot { body: Some(body), reader: None });
        let shared = Arc::new(Shared { ends_at, slot });
        let mut state = self.state();
        let is_first = state.bodies.iter().all(|other| shared.ends_at < other.ends_at);
        state.bodies.push(Arc::clone(&shared));
        if let Some(waker) = state.waker.take_if(|_| is_first) {
            waker.wake();
        }
        drop(state);
        LimitedBody { deadlines: Arc::clone(self), shared }
    }

    /// Returns the time of the next call of [`expire`](Self::expire) that is due. `waker` is
    /// woken when it moves forward.
    pub(super) fn next(&self, waker: &Waker) -> Option<Instant> {
        let mut state = self.state();
        match &mut state.waker {
            Some(known) => known.clone_from(waker),
            None => state.waker = Some(waker.clone()),
        }
        state.bodies.iter().map(|body| body.ends_at).min()
    }

    /// Drops the bodies whose time is over, which ends their calls at the backends. Returns
    /// whether there were any.
    pub(super) fn expire(&self, now: Instant) -> bool {
        let expired: Vec<_> = self.state().bodies.extract_if(.., |body| body.ends_at <= now).collect();
        let is_any = !expired.is_empty();
        for shared in expired {
            let (body, reader) = {
                let mut slot = shared.slot();
                (slot.body.take(), slot.reader.take())
            };
            drop(body);
            if let Some(reader) = reader {
                reader.wake();
            }
        }
        is_any
    }

    fn remove(&self, body: &Arc<Shared>) {
        self.state().bodies.retain(|other| !Arc::ptr_eq(other, body));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LimitedBody {
    fn drop(&mut self) {
        self.deadlines.remove(&self.shared);
    }
}

impl HttpBody for LimitedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut slot = self.shared.slot();
        let Some(body) = &mut slot.body else {
            return Poll::Ready(Some(Err(axum::Error::new(DeadlineExceeded))));
        };
        let polled = Pin::new(body).poll_frame(context);
        if polled.is_pending() {
            match &mut slot.reader {
                Some(reader) => reader.clone_from(context.waker()),
                None => slot.reader = Some(context.waker().clone()),
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.shared.slot().body.as_ref().is_some_and(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.shared.slot().body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
