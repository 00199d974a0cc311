//! Signal to the thread that stores changes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Time from the first change to its storage. Changes in between share a transaction.
const DELAY: Duration = Duration::from_millis(250);

/// Signal that there are changes, or that the store closes.
#[derive(Debug, Default)]
pub(crate) struct WriteSignal {
    request: Mutex<WriteRequest>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct WriteRequest {
    has_changes: bool,
    is_closing: bool,
    is_closed: bool,
}

impl WriteSignal {
    /// Wakes the thread for a change.
    pub fn notify(&self) {
        let mut request = self.lock();
        if !request.has_changes {
            request.has_changes = true;
            self.changed.notify_all();
        }
    }

    /// Wakes the thread for a last time, and waits until it has ended. Returns false if it takes longer
    /// than `patience`.
    pub fn close(&self, patience: Duration) -> bool {
        let mut request = self.lock();
        request.is_closing = true;
        self.changed.notify_all();
        let waited = self.changed.wait_timeout_while(request, patience, |request| !request.is_closed);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_closed
    }

    /// Records that the thread has ended.
    pub fn record_end(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Waits for changes, and then for more of them. Returns whether the store closes.
    pub fn wait(&self) -> bool {
        let mut request = self.lock();
        while !request.has_changes && !request.is_closing {
            request = self.changed.wait(request).unwrap_or_else(PoisonError::into_inner);
        }
        drop(request);
        self.pause(DELAY);
        let mut request = self.lock();
        request.has_changes = false;
        request.is_closing
    }

    /// Waits for a time, or until the store closes. Returns whether it does.
    pub fn pause(&self, time: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), time, |request| !request.is_closing);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_closing
    }

    fn lock(&self) -> MutexGuard<'_, WriteRequest> {
        self.request.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
