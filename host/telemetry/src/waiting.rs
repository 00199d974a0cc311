//! Requests that have ended and that the decision log and spans do not tell of yet.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pointsman_domain::history::History;

use crate::content::Exchange;

/// So many are told of before their time, while they are still in the caches. Waking
/// whoever tells takes a call of the system, so it is not done for each.
pub(crate) const MANY: usize = 32;
/// The longest that fewer wait.
const PATIENCE: Duration = Duration::from_millis(50);
/// More than this are not kept waiting.
pub(crate) const TOO_MANY: usize = 4_096;
/// Nor more than so many bytes of what was said.
const TOO_MUCH: usize = 64 << 20;

/// A request that has ended, and what was said in it, if somebody is to be told.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) history: Arc<History>,
    pub(crate) exchange: Option<Box<dyn Exchange>>,
}

/// Takes requests in.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    ended: Vec<Ended>,
    /// Of what was said.
    bytes: usize,
    closed: bool,
}

impl Waiting {
    /// Whether too many wait now.
    pub(crate) fn push(&self, ended: Ended) -> bool {
        let mut state = self.state();
        state.bytes += ended.exchange.as_ref().map_or(0, |exchange| exchange.bytes());
        state.ended.push(ended);
        let (count, bytes) = (state.ended.len(), state.bytes);
        drop(state);
        if count == 1 || count == MANY {
            self.wake.notify_one();
        }
        count >= TOO_MANY || bytes >= TOO_MUCH
    }

    /// Takes all that wait into the empty `batch`.
    pub(crate) fn take(&self, batch: &mut Vec<Ended>) {
        let mut state = self.state();
        // The vectors change places, so that neither grows anew.
        std::mem::swap(&mut state.ended, batch);
        state.bytes = 0;
    }

    /// Waits until there are many, or some have waited long enough. Whether more
    /// may come.
    pub(crate) fn wait(&self) -> bool {
        let (idle, few) = (
            |state: &mut State| state.ended.is_empty() && !state.closed,
            |state: &mut State| state.ended.len() < MANY && !state.closed,
        );
        let state = self.wake.wait_while(self.state(), idle).unwrap_or_else(PoisonError::into_inner);
        let waited = self.wake.wait_timeout_while(state, PATIENCE, few);
        !waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// Nobody waits from now on.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.wake.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
