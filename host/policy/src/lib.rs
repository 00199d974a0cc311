//! Loads WebAssembly policies, holds them in a sandbox and asks them for decisions.
//!
//! The only user of wasmtime, and usable without the gateway: a [`Runtime`]
//! turns a component's [`Code`] and a [`PolicySpec`] into a [`Policy`], which
//! passed the load gate; a [`Slot`] holds the version of a policy that serves
//! now, so that another can take its place while requests flow.
//!
//! Whatever a policy does is answered within its limits, with a checked
//! decision, a refusal or a [`PolicyFailure`]. No failure of a policy is a
//! failure of the request: what to do about it is the gateway's choice.

mod capability;
mod code;
mod compile;
mod contract;
mod deadline;
mod decision;
mod failure;
mod host;
pub mod inspect;
mod instance;
mod load;
mod log_rate;
mod measure;
mod policy;
mod record;
mod runtime;
mod slot;
mod spec;

pub use code::Code;
pub use compile::{CacheConfig, ChildCompiler, Compiler, compiler_process};
pub use decision::{Answer, DecisionInput, Orchestration};
pub use failure::PolicyFailure;
pub use inspect::{Inspection, inspect};
pub use load::LoadError;
#[doc(hidden)]
pub use measure::Parts;
pub use policy::Policy;
pub use record::{Alarm, Record, RecordStatus};
pub use runtime::{Runtime, RuntimeConfig, RuntimeError};
pub use slot::{Measures, PolicyUsage, Rejected, RolledBack, Slot, SlotStatus, TookOver};
pub use spec::{Grants, HostCalls, Isolation, Limits, PolicySpec};
