//! Where calls go on that take longer than a decision should.
//!
//! A policy gives way at every tick, but to give way is not enough: among a
//! hundred policies that spin, each request would wait for a hundred ticks
//! whenever it gets to run. So a call begins where its request is, and one that is
//! still running after its first ticks goes on in threads of its own, which come
//! after those of the requests when both want the processor.
//!
//! The request waits for it until the deadline of the call, on the wall clock: for
//! its turn, while others have the processor, and while its answer is checked.

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

mod moved;

use moved::{MovedCall, RunTime};

/// How much below a request a slow call comes: it gets about a tenth of a
/// processor that both want.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// A call that may move from thread to thread.
pub(crate) type Call<T> = Pin<Box<dyn Future<Output = Result<T, PolicyFailure>> + Send>>;

/// The threads. They end when it is dropped.
pub(crate) struct SlowLane {
    executor: Option<tokio::runtime::Runtime>,
    threads: usize,
}

/// Share of the lane of one policy.
pub(crate) struct Share {
    /// One permit for each of its slow calls that run at the same time, so that a
    /// policy with many leaves room for the others.
    turns: Arc<Semaphore>,
    /// True if it can sleep, which looks like waiting for a processor.
    sleeps: bool,
}

impl SlowLane {
    /// As many threads as there are processors: a policy that is slow and honest
    /// may use all of them when nobody else wants to.
    pub(super) fn start() -> io::Result<Self> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let mut executor = Builder::new_multi_thread();
        executor.worker_threads(threads).thread_name("policy-slow").enable_time();
        #[cfg(target_os = "linux")]
        executor.on_thread_start(|| {
            // On Linux this is about the thread. Without it they are as urgent as others.
            let _ = rustix::process::nice(NICENESS);
        });
        Ok(Self { executor: Some(executor.build()?), threads })
    }

    /// The share of one policy. One that `sleeps` is held to account for all of the
    /// time since its turn came.
    pub(crate) fn share(&self, sleeps: bool) -> Share {
        Share { turns: Arc::new(Semaphore::new(self.threads)), sleeps }
    }

    /// Runs a call until its deadline: here while it is quick, and then in the lane.
    /// Stops it when dropped, at the next tick.
    ///
    /// # Errors
    /// Fails when the call fails or is late. A late call is the policy's own fault,
    /// [`Deadline`](PolicyFailure::Deadline), if the policy was running for at least
    /// half of `ticks`, the time that it had; else it is
    /// [`Starved`](PolicyFailure::Starved).
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        mut call: Call<T>,
        share: &Share,
        deadline: Deadline,
        ticks: u64,
    ) -> Result<T, PolicyFailure> {
        if let Poll::Ready(result) = once(&mut call).await {
            let answer = result?;
            return if deadline.has_passed() { Err(PolicyFailure::Starved) } else { Ok(answer) };
        }
        let Some(executor) = &self.executor else { return call.await };
        let turn = deadline.limit(Arc::clone(&share.turns).acquire_owned()).await;
        // The semaphore is never closed.
        let Some(turn) = turn.and_then(Result::ok) else { return Err(PolicyFailure::Starved) };
        let ran = Arc::new(RunTime::default());
        let call = MovedCall::new(call, turn, Arc::clone(&ran));
        match deadline.limit(Stopping(executor.spawn(call))).await {
            Some(Ok(answer)) if !deadline.has_passed() => Ok(answer),
            Some(Err(failure)) => Err(failure),
            _ if share.sleeps || ran.ticks() >= ticks / 2 => Err(PolicyFailure::Deadline),
            _ => Err(PolicyFailure::Starved),
        }
    }
}

impl Drop for SlowLane {
    /// It may be dropped where waiting is not allowed.
    fn drop(&mut self) {
        if let Some(executor) = self.executor.take() {
            executor.shutdown_background();
        }
    }
}

/// What one poll of a call gives.
async fn once<T>(call: &mut Call<T>) -> Poll<Result<T, PolicyFailure>> {
    std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await
}

/// A task that is stopped when nobody waits for it any more.
struct Stopping<T>(JoinHandle<Result<T, PolicyFailure>>);

impl<T> Future for Stopping<T> {
    type Output = Result<T, PolicyFailure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|joined| {
            joined.unwrap_or_else(|error| match error.try_into_panic() {
                // As if it had never left this thread.
                Ok(panic) => std::panic::resume_unwind(panic),
                // Its threads are gone because the gateway stops.
                Err(_) => Err(PolicyFailure::Saturated),
            })
        })
    }
}

impl<T> Drop for Stopping<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests;
