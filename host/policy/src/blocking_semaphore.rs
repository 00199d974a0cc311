//! A counting semaphore that blocks the thread.

use std::sync::{Condvar, Mutex, PoisonError};

/// Limits how many threads do something at the same time.
pub(crate) struct BlockingSemaphore {
    available: Mutex<u32>,
    released: Condvar,
}

/// One permit, until dropped.
pub(crate) struct BlockingPermit<'a>(&'a BlockingSemaphore);

impl BlockingSemaphore {
    /// Creates a semaphore with this many permits, at least one.
    pub(crate) fn new(permits: u32) -> Self {
        Self { available: Mutex::new(permits.max(1)), released: Condvar::new() }
    }

    /// Blocks until a permit is available.
    pub(crate) fn acquire(&self) -> BlockingPermit<'_> {
        let available = self.available.lock().unwrap_or_else(PoisonError::into_inner);
        let available = self.released.wait_while(available, |available| *available == 0);
        *available.unwrap_or_else(PoisonError::into_inner) -= 1;
        BlockingPermit(self)
    }
}

impl Drop for BlockingPermit<'_> {
    fn drop(&mut self) {
        *self.0.available.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.released.notify_one();
    }
}
