//! Requests that wait to be written.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pointsman_domain::candidate::Candidate;
use pointsman_domain::history::History;

use crate::content::Content;

/// Most requests that wait.
pub(super) const MOST: usize = 8_192;
/// Most memory of what waits, about.
const MOST_BYTES: usize = 64 << 20;
/// So many wake the writer before its time. Waking takes a call of the system, so
/// it is done for one request of a thousand and not for each.
const MANY: usize = 1_024;

/// A request to be written.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) history: Arc<History>,
    pub(super) content: Option<Content>,
}

/// Takes requests in and never waits.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    entries: Vec<Entry>,
    bytes: usize,
    closed: bool,
}

impl Queue {
    /// Whether there was room.
    pub(super) fn push(&self, entry: Entry) -> bool {
        let bytes = entry.bytes();
        let mut waiting = self.waiting();
        if waiting.closed || waiting.entries.len() == MOST || waiting.bytes + bytes > MOST_BYTES {
            return false;
        }
        waiting.bytes += bytes;
        waiting.entries.push(entry);
        let many = waiting.entries.len() == MANY;
        drop(waiting);
        if many {
            self.wake.notify_one();
        }
        true
    }

    /// Waits a while, or until there are many, and takes all that is there into
    /// the empty `batch`. Whether more may come.
    pub(super) fn take(&self, batch: &mut Vec<Entry>, patience: Duration) -> bool {
        let mut waiting = self.waiting();
        if !waiting.closed && waiting.entries.len() < MANY {
            let woken = self.wake.wait_timeout(waiting, patience);
            (waiting, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
        // The vectors change places, so that neither grows anew.
        std::mem::swap(&mut waiting.entries, batch);
        waiting.bytes = 0;
        !waiting.closed
    }

    /// Nothing more is taken in; what waits is still handed out.
    pub(super) fn close(&self) {
        self.waiting().closed = true;
        self.wake.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// About what it takes in memory, as if nobody else had it.
    fn bytes(&self) -> usize {
        let asked = self.history.asked.iter();
        let candidates: usize = asked.map(|asked| asked.candidates.len()).sum();
        size_of::<History>()
            + candidates * size_of::<Candidate>()
            + self.content.as_ref().map_or(0, Content::bytes)
    }
}
