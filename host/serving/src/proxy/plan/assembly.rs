//! Threads for putting together what is large.

use std::sync::Arc;
use std::thread::available_parallelism;

use pointsman_domain::prompt::ContentSize;
use tokio::sync::Semaphore;

/// From this size on, content is assembled off the threads of the requests. Below it
/// takes a few milliseconds at most: 2,048 excerpts, or as many bytes as are copied
/// in a tenth of one.
const LARGE: u64 = 512 << 10;

/// Runs large assemblies beside the requests, half as many at a time as there are
/// processors, so that however many there are, requests get their turn.
#[derive(Clone, Debug)]
pub struct Assembler {
    permits: Arc<Semaphore>,
}

impl Default for Assembler {
    fn default() -> Self {
        let permits = available_parallelism().map_or(1, |processors| processors.get().div_ceil(2));
        Self { permits: Arc::new(Semaphore::new(permits)) }
    }
}

impl Assembler {
    /// Returns whether content of this size is assembled here.
    pub(super) fn takes(size: &ContentSize) -> bool {
        size.assembled_bytes() >= LARGE
    }

    /// Assembles something. Dropping the future gives up the result; work that has
    /// begun goes on to its end, which the limits of plans keep near.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        let work = move || {
            let _permit = permit;
            work()
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The gateway stops, and drops this future too.
                Err(_) => std::future::pending().await,
            },
        }
    }
}
