//! Where calls go on that take longer than a decision should.
//!
//! A policy gives way at every tick, but to give way is not enough: among a
//! hundred policies that spin, each request would wait for a hundred ticks
//! whenever it gets to run. So a call begins where its request is, and one that is
//! still running after its first ticks goes on in threads of its own, which come
//! after those of the requests when both want the processor.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use tokio::runtime::Builder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::failure::PolicyFailure;

/// How much below a request a slow call comes: it gets about a tenth of a
/// processor that both want.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// A call that may move from thread to thread.
type Call<T> = Pin<Box<dyn Future<Output = Result<T, PolicyFailure>> + Send>>;

/// The threads. They end when it is dropped.
pub(crate) struct SlowLane {
    executor: Option<tokio::runtime::Runtime>,
    threads: usize,
}

/// How many slow calls of one policy run at the same time, so that one with many
/// leaves room for the others.
pub(crate) struct Share(Arc<Semaphore>);

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

    /// The share of one policy.
    pub(crate) fn share(&self) -> Share {
        Share(Arc::new(Semaphore::new(self.threads)))
    }

    /// Runs a call: here while it is quick, and then in the lane. Stops it when
    /// dropped, at the next tick.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        mut call: Call<T>,
        share: &Share,
    ) -> Result<T, PolicyFailure> {
        if let Poll::Ready(result) = once(&mut call).await {
            return result;
        }
        let Some(executor) = &self.executor else { return call.await };
        // The semaphore is never closed.
        let turn = Arc::clone(&share.0).acquire_owned().await.ok();
        let task = Stopping(executor.spawn(go_on(call, turn)));
        task.await
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

async fn go_on<T>(call: Call<T>, _turn: Option<OwnedSemaphorePermit>) -> Result<T, PolicyFailure> {
    call.await
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
