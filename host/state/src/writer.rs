//! The thread that stores changes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use pointsman_domain::ids::PolicyName;

use crate::durable::{DurableError, DurableStore, StoredChange};
use crate::entry::now_ms;
use crate::policy_state::PolicyState;
use crate::signal::WriteSignal;

/// Time from a failure to the next attempt.
const RETRY: Duration = Duration::from_secs(1);

/// States by policy, while a version of the policy or a change that is not stored holds them.
pub(crate) type States = Mutex<HashMap<PolicyName, Arc<PolicyState>>>;

/// Storage, until it is closed.
pub(crate) type Storage = Arc<Mutex<Option<Box<dyn DurableStore>>>>;

/// Counts of the thread.
#[derive(Debug, Default)]
pub(crate) struct WriterCounts {
    /// Failed attempts to store changes.
    pub failures: AtomicU64,
}

/// The thread's data.
pub(crate) struct Writer {
    pub durable: Storage,
    pub states: Weak<States>,
    pub signal: Arc<WriteSignal>,
    pub counts: Arc<WriterCounts>,
}

impl Writer {
    /// Stores changes until the store closes.
    pub fn run(self) {
        self.store_until_closed();
        // Others may open the storage from now on.
        *lock(&self.durable) = None;
        self.signal.record_end();
    }

    fn store_until_closed(&self) {
        let mut is_failing = false;
        loop {
            let is_closing = self.signal.wait();
            let Some(states) = self.states.upgrade() else { return };
            match self.store_all(&states) {
                Ok(()) if is_failing => {
                    tracing::info!("the state of policies is stored again");
                    is_failing = false;
                }
                Ok(()) => {}
                Err(Unstored { changes, error }) if is_closing => {
                    tracing::error!(changes, "changes of the state of policies are lost: {error}");
                }
                Err(Unstored { changes, error }) => {
                    if !is_failing {
                        tracing::error!(
                            changes,
                            "the state of policies cannot be stored, and is kept in memory until it can: {error}"
                        );
                    }
                    is_failing = true;
                    drop(states);
                    self.signal.pause(RETRY);
                    self.signal.notify();
                }
            }
            if is_closing {
                return;
            }
        }
    }

    /// Stores all changes. Those that could not be stored are kept for the next attempt.
    fn store_all(&self, states: &States) -> Result<(), Unstored> {
        let all: Vec<Arc<PolicyState>> = lock(states).values().cloned().collect();
        let now_ms = now_ms();
        let changes: Vec<StoredChange> = all.iter().flat_map(|state| state.take_unstored(now_ms)).collect();
        if changes.is_empty() {
            return Ok(());
        }
        let stored = lock(&self.durable).as_mut().map_or(Ok(()), |durable| durable.store(&changes));
        let Err(error) = stored else { return Ok(()) };
        self.counts.failures.fetch_add(1, Ordering::Relaxed);
        let unstored = Unstored { changes: changes.len(), error };
        for StoredChange { policy, key, .. } in changes {
            if let Some(state) = all.iter().find(|state| *state.policy() == policy) {
                state.mark_unstored(key);
            }
        }
        Err(unstored)
    }
}

/// Changes that could not be stored.
struct Unstored {
    changes: usize,
    error: DurableError,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
