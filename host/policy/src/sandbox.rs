//! The boundary around one instance: the data of its store, the budget of each call, and the
//! interfaces that a policy may import.

pub(crate) mod capability;
mod memory;
mod store_data;

pub(crate) use store_data::{CallContext, HostCallsExceeded, PolicyContext, StoreData};
