//! How a policy comes to decide, and how it stops: trials, promotions,
//! rollbacks, pins, and what is remembered of them.
//!
//! What a person or the guard decided is a [`State`]; a snapshot is built from
//! the configuration and the state, so that nothing changes under a request.

mod audit;
pub(crate) mod guard;
mod kept;
pub(crate) mod shadow;
pub(crate) mod state;
pub(crate) mod trial;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

pub(crate) use audit::{Audit, Event, Who};
pub(crate) use kept::{KeepError, Kept};
pub(crate) use state::State;
pub(crate) use trial::{Promotion, Score, Trial};

/// What was decided, and what it takes to stand by it.
#[derive(Debug, Default)]
pub(crate) struct Rollouts {
    state: Mutex<State>,
    /// The code of versions.
    pub(crate) kept: Kept,
    /// Who decided what.
    pub(crate) audit: Audit,
}

impl Rollouts {
    /// With what a directory remembers; without one, nothing is remembered.
    pub(crate) fn open(directory: Option<&Path>) -> Result<Self, KeepError> {
        let (kept, state) = Kept::open(directory)?;
        Ok(Self { state: Mutex::new(state), kept, audit: Audit::open(directory)? })
    }

    /// What was decided, as of now.
    pub(crate) fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Decides otherwise. After an error all is as it was.
    pub(crate) fn decide(&self, state: State) -> Result<(), KeepError> {
        self.kept.save(&state)?;
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        Ok(())
    }

    /// Decides otherwise even if it cannot be remembered: what happened already,
    /// or must happen now.
    pub(crate) fn decide_at_once(&self, state: State) {
        if let Err(error) = self.kept.save(&state) {
            tracing::error!("what was decided about policies will be forgotten at the next start: {error}");
        }
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}
