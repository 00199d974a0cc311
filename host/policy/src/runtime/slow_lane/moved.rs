//! A call on the threads of the slow lane.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::sync::OwnedSemaphorePermit;
use tracing::Span;
use tracing::dispatcher::{self, Dispatch};

use super::Call;
use crate::failure::PolicyFailure;
use crate::host::FIRST_LOOK;

/// Ticks that a call was running for. A policy gives way at each tick, so that is how
/// often it was polled; what it waited between is not counted.
pub(super) struct RunTime(AtomicU64);

impl Default for RunTime {
    /// Time that a call ran before it moves.
    fn default() -> Self {
        Self(AtomicU64::new(FIRST_LOOK))
    }
}

impl RunTime {
    pub(super) fn ticks(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A call that has moved, with the log and the span of where it began: these belong to
/// a thread, and what the policy logs belongs to its request.
pub(super) struct MovedCall<T> {
    /// Gone once the call is dropped.
    call: Option<Call<T>>,
    log: Dispatch,
    span: Span,
    ran: Arc<RunTime>,
    _turn: OwnedSemaphorePermit,
}

impl<T> MovedCall<T> {
    pub(super) fn new(call: Call<T>, turn: OwnedSemaphorePermit, ran: Arc<RunTime>) -> Self {
        let log = dispatcher::get_default(Dispatch::clone);
        Self { call: Some(call), log, span: Span::current(), ran, _turn: turn }
    }
}

impl<T> Future for MovedCall<T> {
    type Output = Result<T, PolicyFailure>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { call, log, span, ran, .. } = self.get_mut();
        ran.0.fetch_add(1, Ordering::Relaxed);
        // Only a dropped call is gone, and nobody polls it.
        let Some(call) = call else { return Poll::Pending };
        dispatcher::with_default(log, || span.in_scope(|| call.as_mut().poll(context)))
    }
}

impl<T> Drop for MovedCall<T> {
    /// Output that a policy printed is logged when its instance is dropped.
    fn drop(&mut self) {
        let Self { call, log, span, .. } = self;
        dispatcher::with_default(log, || span.in_scope(|| drop(call.take())));
    }
}
