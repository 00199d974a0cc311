//! Places of a simulated model, and the queue for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Place of a call, which is free again when it is dropped.
pub(super) type Place = OwnedSemaphorePermit;

/// Limited number of places, which calls get in the order of their arrival.
#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    waiting: AtomicU32,
    /// Most calls that wait.
    queue: Option<u32>,
}

/// Call that waits, which counts until it is dropped.
struct Waiting<'a>(&'a AtomicU32);

impl Places {
    pub(super) fn new(capacity: u32, queue: Option<u32>) -> Self {
        Self { free: Arc::new(Semaphore::new(capacity as usize)), waiting: AtomicU32::new(0), queue }
    }

    /// Waits for a place; `None` if the queue is full.
    pub(super) async fn take(&self) -> Option<Place> {
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return Some(place);
        }
        let most = self.queue.unwrap_or(u32::MAX);
        let join = |waiting| (waiting < most).then_some(waiting + 1);
        self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, join).ok()?;
        let waiting = Waiting(&self.waiting);
        // The semaphore is never closed.
        let place = Arc::clone(&self.free).acquire_owned().await.ok();
        drop(waiting);
        place
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    async fn is_pending(future: impl Future) -> bool {
        let mut future = pin!(future);
        poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
    }

    #[tokio::test]
    async fn calls_wait_for_a_place_and_are_rejected_when_the_queue_is_full() {
        let places = Places::new(1, Some(1));
        let first = places.take().await.unwrap();
        let mut second = pin!(places.take());
        assert!(is_pending(second.as_mut()).await);
        assert!(places.take().await.is_none());
        drop(first);
        assert!(second.await.is_some());
        assert!(places.take().await.is_some());
    }

    #[tokio::test]
    async fn a_call_that_gives_up_leaves_the_queue() {
        let places = Places::new(1, Some(1));
        let _first = places.take().await.unwrap();
        assert!(is_pending(places.take()).await);
        assert_eq!(places.waiting.load(Ordering::Relaxed), 0);
        assert!(is_pending(places.take()).await, "the queue has room again");
    }
}
