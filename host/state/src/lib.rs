//! The embedded store: what policies keep between calls, the API keys that operators create
//! ([`ClientKeyStore`]), and the history of usage.
//!
//! Of policies' state, every read is answered from memory and every write takes effect there at once, so no call waits.
//! A thread writes changes to a [`DurableStore`] within half a second. A [`PolicyState`] is shared by
//! the versions and instances of a policy; a call reaches it through a [`StateCall`], which bounds its
//! writes and keeps those of policies on trial apart.
//!
//! There is no compare-and-swap: replicas that share a store could not keep the promise. Counters
//! are the exception, because additions of replicas can be joined.
//!
//! [`UsageHistory`] has sums of usage over steps of five minutes. Nothing on the path of a request
//! touches it: one thread adds what the gateway's sums have grown by.

mod call;
mod client_keys;
mod database;
mod durable;
mod embedded;
mod entry;
mod limits;
mod overlay;
mod policy_state;
mod signal;
mod store;
mod usage_history;
mod writer;

pub use call::{StateAccess, StateCall, StateUsage};
pub use client_keys::{ClientKeyError, ClientKeyStore, ClientKeys, PreviousKey, StoredKey, UnreadableKey};
pub use durable::{DurableError, DurableStore, StoredChange, StoredEntry};
pub use embedded::EmbeddedStore;
pub use entry::{StateEntry, WriteError};
pub use limits::{
    MAX_BYTES, MAX_KEY_BYTES, MAX_KEYS, MAX_LISTED, MAX_LISTED_BYTES, MAX_VALUE_BYTES, MAX_WRITES,
};
pub use overlay::Overlay;
pub use policy_state::{PolicyState, StateSize};
pub use store::{StateStores, StorageStatus};
pub use usage_history::{HISTORY_STEP, HistoryStatus, MAX_HISTORY_STEPS, UsageHistory, UsageStep};
