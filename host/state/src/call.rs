//! Access of one call of a policy to its state.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;

use crate::entry::{StateEntry, WriteError, check_key, check_value, expiry_ms, now_ms};
use crate::limits::MAX_WRITES;
use crate::overlay::{Change, Changes, Overlay};
use crate::policy_state::PolicyState;

/// Effect of a call's writes.
#[derive(Clone, Debug, Default)]
pub enum StateAccess {
    /// They change the state.
    #[default]
    Direct,
    /// They are kept apart, for a canary.
    Overlaid(Arc<Overlay>),
    /// They are discarded at the end of the call, for a shadow and for probes.
    Discarded,
}

/// Numbers of reads and writes of the calls for one decision.
#[derive(Debug, Default)]
pub struct StateUsage {
    reads: AtomicU32,
    writes: AtomicU32,
    rejected: AtomicU32,
}

impl StateUsage {
    /// Returns the reads.
    pub fn reads(&self) -> u32 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Returns the writes that took effect.
    pub fn writes(&self) -> u32 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Returns the rejected writes.
    pub fn rejected(&self) -> u32 {
        self.rejected.load(Ordering::Relaxed)
    }
}

/// Access of one call to its state.
pub struct StateCall {
    state: Arc<PolicyState>,
    writes: Writes,
    writes_left: u32,
    usage: Arc<StateUsage>,
}

/// Destination of writes.
enum Writes {
    Direct,
    Overlaid(Arc<Overlay>),
    Discarded(Changes),
}

impl StateCall {
    /// Begins a call, whose reads and writes are counted in `usage`.
    pub fn new(state: Arc<PolicyState>, access: &StateAccess, usage: Arc<StateUsage>) -> Self {
        let writes = match access {
            StateAccess::Direct => Writes::Direct,
            StateAccess::Overlaid(overlay) => Writes::Overlaid(Arc::clone(overlay)),
            StateAccess::Discarded => Writes::Discarded(Changes::default()),
        };
        Self { state, writes, writes_left: MAX_WRITES, usage }
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<Bytes> {
        self.count_read();
        let (state, now_ms) = (&self.state, now_ms());
        let entry = match self.writes.with_changes(|changes| changes.get(key).cloned()) {
            Some(change) => change.over(state.get(key, now_ms).as_ref(), now_ms),
            None => state.get(key, now_ms),
        };
        entry.map(|entry| entry.value)
    }

    /// Returns the entries whose keys begin with a prefix, as [`PolicyState::list`] does.
    pub fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<(Box<str>, StateEntry)> {
        self.count_read();
        let list = |changes: Option<&Changes>| self.state.list_with(changes, prefix, after, limit, now_ms());
        match &self.writes {
            Writes::Direct => list(None),
            Writes::Overlaid(overlay) => list(Some(&overlay.lock())),
            Writes::Discarded(changes) => list(Some(changes)),
        }
    }

    /// Sets the value of a key, which expires after a time to live.
    ///
    /// # Errors
    /// Fails if the write exceeds a bound; nothing changes then.
    pub fn set(&mut self, key: &str, value: Bytes, time_to_live: Option<Duration>) -> Result<(), WriteError> {
        self.write(|state, writes| {
            check_key(key)?;
            check_value(&value)?;
            let now_ms = now_ms();
            let entry = |value| Change::Set(StateEntry::new(value, time_to_live, now_ms));
            match writes {
                Writes::Direct => state.set(key, value, time_to_live, now_ms),
                Writes::Overlaid(overlay) => overlay.lock().put(key, entry(value)),
                Writes::Discarded(changes) => changes.put(key, entry(value)),
            }
        })
    }

    /// Deletes a key. One that does not exist is deleted already.
    ///
    /// # Errors
    /// Fails if the write exceeds a bound; nothing changes then.
    pub fn delete(&mut self, key: &str) -> Result<(), WriteError> {
        self.write(|state, writes| match writes {
            Writes::Direct => {
                state.delete(key);
                Ok(())
            }
            Writes::Overlaid(overlay) => overlay.lock().put(key, Change::Delete),
            Writes::Discarded(changes) => changes.put(key, Change::Delete),
        })
    }

    /// Adds to a counter, and returns the sum. A key without a value counts as zero, and only then the
    /// time to live applies.
    ///
    /// # Errors
    /// Fails if the value is no whole number, or the write exceeds a bound; nothing changes then.
    pub fn add(&mut self, key: &str, amount: i64, time_to_live: Option<Duration>) -> Result<i64, WriteError> {
        self.write(|state, writes| {
            check_key(key)?;
            let now_ms = now_ms();
            let expires_ms = expiry_ms(time_to_live, now_ms);
            let add_to = |changes: &mut Changes| {
                let base = state.get(key, now_ms);
                let (change, sum) =
                    Change::plus(changes.get(key), base.as_ref(), amount, expires_ms, now_ms)?;
                changes.put(key, change)?;
                Ok(sum)
            };
            match writes {
                Writes::Direct => state.add(key, amount, expires_ms, now_ms),
                Writes::Overlaid(overlay) => add_to(&mut overlay.lock()),
                Writes::Discarded(changes) => add_to(changes),
            }
        })
    }

    fn write<T>(
        &mut self,
        write: impl FnOnce(&PolicyState, &mut Writes) -> Result<T, WriteError>,
    ) -> Result<T, WriteError> {
        let result = match self.writes_left.checked_sub(1) {
            Some(left) => {
                self.writes_left = left;
                write(&self.state, &mut self.writes)
            }
            None => Err(WriteError::TooManyWrites),
        };
        let counter = if result.is_ok() { &self.usage.writes } else { &self.usage.rejected };
        counter.fetch_add(1, Ordering::Relaxed);
        if result.is_err() {
            self.state.record_rejected_write();
        }
        result
    }

    fn count_read(&self) {
        self.usage.reads.fetch_add(1, Ordering::Relaxed);
    }
}

impl Writes {
    /// Reads the changes that lie over the state, if there are any.
    fn with_changes<T>(&self, read: impl FnOnce(&Changes) -> Option<T>) -> Option<T> {
        match self {
            Self::Direct => None,
            Self::Overlaid(overlay) => read(&overlay.lock()),
            Self::Discarded(changes) => read(changes),
        }
    }
}

impl fmt::Debug for StateCall {
    /// Omits the content, which is a policy's and must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateCall({})", self.state.policy())
    }
}

#[cfg(test)]
mod tests;
