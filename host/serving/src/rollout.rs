//! How a policy comes to decide, and how it stops: trials, promotions,
//! rollbacks, pins, and what is remembered of them.
//!
//! What a person or the guard decided is a [`State`]; a snapshot is built from
//! the configuration and the state, so that nothing changes under a request.

mod audit;
mod durable;
mod kept;
pub mod shadow;
pub mod state;
pub mod trial;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use audit::{Actor, Audit, Event};
pub use kept::{KeepError, Kept};
pub use state::State;
pub use trial::{Promotion, Score, Trial};

/// What was decided, and what it takes to stand by it.
#[derive(Debug, Default)]
pub struct Rollouts {
    state: Mutex<State>,
    /// True if the file may hold another state than the one in force.
    unsaved: AtomicBool,
    /// The code of versions.
    pub kept: Kept,
    /// The audit log.
    pub audit: Audit,
}

impl Rollouts {
    /// With what a directory remembers; without one, nothing is remembered.
    pub fn open(directory: Option<&Path>) -> Result<Self, KeepError> {
        let (kept, state) = Kept::open(directory)?;
        let audit = Audit::open(directory)?;
        Ok(Self { state: Mutex::new(state), unsaved: AtomicBool::new(false), kept, audit })
    }

    /// What was decided, as of now.
    pub fn state(&self) -> State {
        self.in_force().clone()
    }

    /// Stores a state, and then puts it in force. After an error the one before is in
    /// force, and is stored again as soon as that is possible.
    pub fn store(&self, state: State) -> Result<(), KeepError> {
        // Only one change is made at a time, and no reader waits for the disk.
        let saved = self.kept.save(&state);
        if saved.is_ok() {
            *self.in_force() = state;
        }
        // After an error the file may hold either state.
        self.unsaved.store(saved.is_err(), Ordering::Relaxed);
        saved
    }

    /// Puts a state in force that describes what happened already or must happen now. If
    /// it cannot be stored, [`store_unsaved`](Self::store_unsaved) tries it again.
    pub fn put_in_force(&self, state: State) {
        self.in_force().clone_from(&state);
        let saved = self.kept.save(&state);
        let was_unsaved = self.unsaved.swap(saved.is_err(), Ordering::Relaxed);
        if let Err(error) = saved
            && !was_unsaved
        {
            tracing::error!(
                "what was decided about policies is not stored, a restart would forget it: {error}"
            );
        }
    }

    /// Stores what could not be stored before, if there is anything.
    pub fn store_unsaved(&self) {
        self.audit.write_unwritten();
        if !self.is_unsaved() {
            return;
        }
        if self.kept.save(&self.state()).is_ok() {
            self.unsaved.store(false, Ordering::Relaxed);
            tracing::info!("what was decided about policies is stored again");
        }
    }

    /// Returns whether a restart would forget what is in force.
    pub fn is_unsaved(&self) -> bool {
        self.unsaved.load(Ordering::Relaxed) || self.audit.is_unwritten()
    }

    fn in_force(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
