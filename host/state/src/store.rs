//! The states of all policies.

use std::fmt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pointsman_domain::ids::PolicyName;

use crate::durable::{DurableError, DurableStore, StoredEntry};
use crate::embedded::EmbeddedStore;
use crate::policy_state::PolicyState;
use crate::signal::WriteSignal;
use crate::writer::{self, States, Writer, WriterCounts, lock};

/// Longest time for the last changes where nobody sets another one.
const PATIENCE: Duration = Duration::from_secs(10);

/// The states of all policies. Clones share them; the last one to be dropped stores what is left.
#[derive(Clone, Debug, Default)]
pub struct StateStores(Arc<StoresInner>);

#[derive(Default)]
struct StoresInner {
    states: Arc<States>,
    storage: Option<Storage>,
}

/// Storage of a durable store.
struct Storage {
    durable: writer::Storage,
    signal: Arc<WriteSignal>,
    counts: Arc<WriterCounts>,
}

/// Condition of the storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StorageStatus {
    /// Changes that are not stored yet.
    pub unstored: usize,
    /// Failed attempts to store changes, since the start.
    pub failures: u64,
}

impl StateStores {
    /// Creates states in memory, which end with the process.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Opens the states in a file, and creates it if it does not exist.
    ///
    /// # Errors
    /// Fails if the file cannot be opened, or the thread that stores changes cannot start.
    pub fn open(path: &Path) -> Result<Self, DurableError> {
        Self::with_storage(EmbeddedStore::open(path)?)
    }

    /// Creates states in a storage.
    ///
    /// # Errors
    /// Fails if the thread that stores changes cannot start.
    pub fn with_storage<S: DurableStore>(storage: S) -> Result<Self, DurableError> {
        let states: Arc<States> = Arc::default();
        let (signal, counts) = (Arc::<WriteSignal>::default(), Arc::<WriterCounts>::default());
        let durable: writer::Storage = Arc::new(Mutex::new(Some(Box::new(storage))));
        let writer = Writer {
            durable: Arc::clone(&durable),
            states: Arc::downgrade(&states),
            signal: Arc::clone(&signal),
            counts: Arc::clone(&counts),
        };
        let thread = std::thread::Builder::new().name("policy-state".to_owned()).spawn(|| writer.run());
        thread.map_err(|error| {
            DurableError(format!("cannot start the thread that stores the state of policies: {error}"))
        })?;
        let storage = Storage { durable, signal, counts };
        Ok(Self(Arc::new(StoresInner { states, storage: Some(storage) })))
    }

    /// Returns the state of a policy, which is loaded at the first call. May block.
    ///
    /// # Errors
    /// Fails if the storage cannot be read.
    pub fn of(&self, policy: &PolicyName) -> Result<Arc<PolicyState>, DurableError> {
        // Held while the state is loaded, so that it is loaded once.
        let mut states = lock(&self.0.states);
        if let Some(state) = states.get(policy) {
            return Ok(Arc::clone(state));
        }
        let stored: Vec<StoredEntry> = match &self.0.storage {
            Some(storage) => match lock(&storage.durable).as_mut() {
                Some(durable) => durable.load(policy)?,
                None => return Err(DurableError("the storage is closed".to_owned())),
            },
            None => Vec::new(),
        };
        let signal = self.0.storage.as_ref().map(|storage| Arc::clone(&storage.signal));
        let state = Arc::new(PolicyState::new(policy.clone(), stored, signal));
        states.insert(policy.clone(), Arc::clone(&state));
        Ok(state)
    }

    /// Returns the state of a policy, if it is loaded.
    pub fn loaded(&self, policy: &PolicyName) -> Option<Arc<PolicyState>> {
        lock(&self.0.states).get(policy).cloned()
    }

    /// Stores the last changes, and closes the storage. Later changes stay in memory. Returns false if that takes longer than `patience`.
    pub fn close(&self, patience: Duration) -> bool {
        self.0.storage.as_ref().is_none_or(|storage| storage.signal.close(patience))
    }

    /// Returns the condition of the storage; `None` for states in memory.
    pub fn storage(&self) -> Option<StorageStatus> {
        let storage = self.0.storage.as_ref()?;
        let unstored = lock(&self.0.states).values().map(|state| state.size().unstored).sum();
        Some(StorageStatus { unstored, failures: storage.counts.failures.load(Ordering::Relaxed) })
    }
}

impl Drop for StoresInner {
    fn drop(&mut self) {
        if let Some(storage) = &self.storage {
            storage.signal.close(PATIENCE);
        }
    }
}

impl fmt::Debug for StoresInner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let storage = if self.storage.is_some() { "stored" } else { "in memory" };
        write!(f, "{} policies, {storage}", lock(&self.states).len())
    }
}

#[cfg(test)]
mod tests;
