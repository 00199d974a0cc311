//! Rollouts of policies: trials, promotions, rollbacks and pins, with their persistent state and
//! audit log.
//!
//! Decisions of operators and of the automatic rollback are stored in a [`RolloutState`]. A snapshot
//! is built from the configuration and this state, so nothing changes while a request runs.

mod audit;
mod durable;
pub mod shadow;
pub mod state;
mod state_store;
pub mod trial;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use audit::{Actor, AdminRole, AuditEntry, AuditLog};
pub use state::RolloutState;
pub use state_store::{StateStore, StateStoreError};
pub use trial::{Promotion, Trial, TrialStats};

/// The rollout state in force, with its storage and the audit log.
#[derive(Debug, Default)]
pub struct Rollouts {
    state: Mutex<RolloutState>,
    /// True if the file may differ from the state in force.
    unsaved: AtomicBool,
    /// Storage of the state and of the code of versions.
    pub state_store: StateStore,
    /// Audit log of changes.
    pub audit: AuditLog,
}

impl Rollouts {
    /// Opens the stored state and audit log of a directory. Without a directory, both live in memory.
    pub fn open(directory: Option<&Path>) -> Result<Self, StateStoreError> {
        let (state_store, state) = StateStore::open(directory)?;
        let audit = AuditLog::open(directory)?;
        Ok(Self { state: Mutex::new(state), unsaved: AtomicBool::new(false), state_store, audit })
    }

    /// Returns a copy of the state in force.
    pub fn state(&self) -> RolloutState {
        self.in_force().clone()
    }

    /// Stores a state, then puts it in force.
    ///
    /// # Errors
    /// Fails if the state cannot be stored. The previous state stays in force, and
    /// [`store_unsaved`](Self::store_unsaved) stores it again.
    pub fn store(&self, state: RolloutState) -> Result<(), StateStoreError> {
        // Callers serialise changes, so the lock need not be held while the file is written, and no
        // reader waits for the disk.
        let saved = self.state_store.save(&state);
        if saved.is_ok() {
            *self.in_force() = state;
        }
        // After an error the file may hold either state.
        self.unsaved.store(saved.is_err(), Ordering::Relaxed);
        saved
    }

    /// Puts a state in force whether or not it can be stored, for changes that have happened already
    /// or must not wait. [`store_unsaved`](Self::store_unsaved) retries a failed write.
    pub fn put_in_force(&self, state: RolloutState) {
        self.in_force().clone_from(&state);
        let saved = self.state_store.save(&state);
        let was_unsaved = self.unsaved.swap(saved.is_err(), Ordering::Relaxed);
        if let Err(error) = saved
            && !was_unsaved
        {
            tracing::error!(
                "cannot store the rollout state, a restart would lose the latest changes: {error}"
            );
        }
    }

    /// Retries failed writes of the state and the audit log.
    pub fn store_unsaved(&self) {
        self.audit.flush();
        if !self.is_unsaved() {
            return;
        }
        if self.state_store.save(&self.state()).is_ok() {
            self.unsaved.store(false, Ordering::Relaxed);
            tracing::info!("the rollout state is stored again");
        }
    }

    /// Returns whether a restart would lose changes that are in force.
    pub fn is_unsaved(&self) -> bool {
        self.unsaved.load(Ordering::Relaxed) || self.audit.has_unwritten()
    }

    fn in_force(&self) -> MutexGuard<'_, RolloutState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
