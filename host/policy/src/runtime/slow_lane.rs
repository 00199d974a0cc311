//! The slow lane: threads of low priority for calls that take longer than a decision should.
//!
//! A policy yields at every tick, but yielding is not enough: among a hundred policies that spin,
//! each request would wait for a hundred ticks whenever it is scheduled. So a call starts on the
//! thread of its request. If it is still running at its first yield, it moves to the threads of the
//! slow lane, which run at a lower priority than those of requests.
//!
//! The request waits for the call until the call's deadline on the wall clock. That includes waiting
//! for a permit, time in which other threads have the processor, and validation of the answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::deadline::Deadline;
use crate::failure::PolicyFailure;

mod moved_call;

use moved_call::{MovedCall, RunTime};

/// Niceness of the threads: beside a request, a slow call gets about a tenth of a processor.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// A call that can move to another thread.
pub(crate) type PolicyCall<T> = Pin<Box<dyn Future<Output = Result<T, PolicyFailure>> + Send>>;

/// The threads of the slow lane, which stop when it is dropped.
pub(crate) struct SlowLane {
    executor: Option<tokio::runtime::Runtime>,
    threads: usize,
}

/// Limit on the concurrent slow calls of one policy.
pub(crate) struct SlowLaneLimit {
    /// One permit for each running call, so that a policy with many calls leaves room for others.
    permits: Arc<Semaphore>,
    /// True if the policy can sleep. The slow lane cannot distinguish sleeping from waiting for a
    /// processor.
    can_sleep: bool,
}

impl SlowLane {
    /// Starts one thread for each processor: a slow but honest policy may use all that are idle.
    pub(super) fn start() -> io::Result<Self> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let mut executor = Builder::new_multi_thread();
        executor.worker_threads(threads).thread_name("policy-slow").enable_time();
        #[cfg(target_os = "linux")]
        executor.on_thread_start(|| {
            // On Linux, niceness is per thread. If it fails, the threads keep the usual priority.
            let _ = rustix::process::nice(NICENESS);
        });
        Ok(Self { executor: Some(executor.build()?), threads })
    }

    /// Creates the limit of one policy: one permit for each thread. A policy that can sleep is
    /// charged for all of its time in the lane.
    pub(crate) fn limit(&self, can_sleep: bool) -> SlowLaneLimit {
        SlowLaneLimit { permits: Arc::new(Semaphore::new(self.threads)), can_sleep }
    }

    /// Runs a call until its deadline: first on this thread, and after its first yield in the lane.
    /// Dropping the future stops the call at its next tick.
    ///
    /// # Errors
    /// Fails when the call fails or misses its deadline. The latter is the policy's fault,
    /// [`Deadline`](PolicyFailure::Deadline), if the policy ran for at least half of `ticks`, its
    /// allowance; otherwise it is [`Starved`](PolicyFailure::Starved).
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        mut call: PolicyCall<T>,
        limit: &SlowLaneLimit,
        deadline: Deadline,
        ticks: u64,
    ) -> Result<T, PolicyFailure> {
        if let Poll::Ready(result) = poll_once(&mut call).await {
            let answer = result?;
            return if deadline.has_passed() { Err(PolicyFailure::Starved) } else { Ok(answer) };
        }
        let Some(executor) = &self.executor else { return call.await };
        let permit = deadline.limit(Arc::clone(&limit.permits).acquire_owned()).await;
        // The semaphore is never closed.
        let Some(permit) = permit.and_then(Result::ok) else { return Err(PolicyFailure::Starved) };
        let run_time = Arc::new(RunTime::default());
        let call = MovedCall::new(call, permit, Arc::clone(&run_time));
        match deadline.limit(AbortOnDrop(executor.spawn(call))).await {
            Some(Ok(answer)) if !deadline.has_passed() => Ok(answer),
            Some(Err(failure)) => Err(failure),
            _ if limit.can_sleep || run_time.ticks() >= ticks / 2 => Err(PolicyFailure::Deadline),
            _ => Err(PolicyFailure::Starved),
        }
    }
}

impl Drop for SlowLane {
    /// Does not block, since it may be dropped on a thread of an async runtime.
    fn drop(&mut self) {
        if let Some(executor) = self.executor.take() {
            executor.shutdown_background();
        }
    }
}

/// Polls a call exactly once.
async fn poll_once<T>(call: &mut PolicyCall<T>) -> Poll<Result<T, PolicyFailure>> {
    std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await
}

/// A task that is aborted when its handle is dropped.
struct AbortOnDrop<T>(JoinHandle<Result<T, PolicyFailure>>);

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, PolicyFailure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|joined| {
            joined.unwrap_or_else(|error| match error.try_into_panic() {
                // Continues the panic on the thread of the request, where it would have unwound
                // without the slow lane.
                Ok(panic) => std::panic::resume_unwind(panic),
                // The lane was shut down with the gateway.
                Err(_) => Err(PolicyFailure::Saturated),
            })
        })
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests;
