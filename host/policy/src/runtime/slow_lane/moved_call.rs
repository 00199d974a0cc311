//! A call that has moved to the slow lane.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::sync::OwnedSemaphorePermit;
use tracing::Span;
use tracing::dispatcher::{self, Dispatch};

use super::PolicyCall;
use crate::engine::FIRST_YIELD_TICKS;
use crate::failure::PolicyFailure;

/// Running time of a call in ticks, without the time between polls. A policy yields at each tick, so
/// this is the number of polls.
pub(super) struct RunTime(AtomicU64);

impl Default for RunTime {
    /// Starts with the time that a call ran before it moved.
    fn default() -> Self {
        Self(AtomicU64::new(FIRST_YIELD_TICKS))
    }
}

impl RunTime {
    pub(super) fn ticks(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A call with the subscriber and the span of its first thread. Both are thread-local, and the
/// policy's log lines belong to its request.
pub(super) struct MovedCall<T> {
    /// `None` only while it is being dropped.
    call: Option<PolicyCall<T>>,
    subscriber: Dispatch,
    span: Span,
    run_time: Arc<RunTime>,
    _permit: OwnedSemaphorePermit,
}

impl<T> MovedCall<T> {
    pub(super) fn new(call: PolicyCall<T>, permit: OwnedSemaphorePermit, run_time: Arc<RunTime>) -> Self {
        let subscriber = dispatcher::get_default(Dispatch::clone);
        Self { call: Some(call), subscriber, span: Span::current(), run_time, _permit: permit }
    }
}

impl<T> Future for MovedCall<T> {
    type Output = Result<T, PolicyFailure>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { call, subscriber, span, run_time, .. } = self.get_mut();
        run_time.0.fetch_add(1, Ordering::Relaxed);
        // Unreachable: nothing polls a future that is being dropped.
        let Some(call) = call else { return Poll::Pending };
        dispatcher::with_default(subscriber, || span.in_scope(|| call.as_mut().poll(context)))
    }
}

impl<T> Drop for MovedCall<T> {
    /// Drops the call inside its subscriber and span: output that the policy printed is logged when
    /// its instance is dropped.
    fn drop(&mut self) {
        let Self { call, subscriber, span, .. } = self;
        dispatcher::with_default(subscriber, || span.in_scope(|| drop(call.take())));
    }
}
