//! Storage that survives the process.

use pointsman_domain::ids::PolicyName;

use crate::entry::StateEntry;

/// Storage of the states of all policies. Calls may block; only the loading of a policy and the thread
/// that stores changes make them.
pub trait DurableStore: Send + 'static {
    /// Returns the entries of a policy.
    ///
    /// # Errors
    /// Fails if the storage cannot be read.
    fn load(&mut self, policy: &PolicyName) -> Result<Vec<StoredEntry>, DurableError>;

    /// Stores changes, all or none, and returns once they survive a crash.
    ///
    /// # Errors
    /// Fails if the storage cannot be written; a later call may succeed.
    fn store(&mut self, changes: &[StoredChange]) -> Result<(), DurableError>;
}

/// Entry of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Key.
    pub key: Box<str>,
    /// Value with its time of expiry.
    pub entry: StateEntry,
}

/// Change of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredChange {
    /// Policy.
    pub policy: PolicyName,
    /// Key.
    pub key: Box<str>,
    /// New entry; `None` if it is deleted.
    pub entry: Option<StateEntry>,
}

/// Failure of a storage.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DurableError(pub String);
