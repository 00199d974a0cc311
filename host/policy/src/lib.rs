//! Loads WebAssembly policies, runs them in a sandbox, and validates their decisions.
//!
//! This crate is the only user of wasmtime, and works without the gateway. A [`Runtime`] turns a
//! component's [`Code`] and a [`PolicySpec`] into a [`Policy`] that has passed the load gate. A
//! [`PolicySlot`] holds the active version of a policy, and swaps it while requests are in flight.
//!
//! Every call of a policy ends within its limits: with a validated decision, a refusal or a
//! [`PolicyFailure`]. The caller decides what a failure means for the request.

mod binary;
mod blocking_semaphore;
mod code;
mod compile;
mod contract;
mod deadline;
mod decision;
pub mod description;
mod engine;
mod failure;
pub mod inspect;
mod instance;
mod load;
mod load_error;
mod log_rate;
mod policy;
mod runtime;
mod sandbox;
mod settings_misfit;
mod slot;
mod spec;
mod stats;
mod timings;
mod trace;

pub use code::Code;
pub use compile::{CacheConfig, ChildCompiler, Compiler, FUEL_ARGUMENT, compiler_process, precompile};
pub use decision::{DecisionInput, Orchestration, PolicyAnswer, StateUse};
pub use description::{PolicyDescription, SelfDescription};
pub use engine::{FuelCounting, FunctionReuse};
pub use failure::{FailureReason, PolicyFailure};
pub use inspect::{Inspection, inspect};
pub use load_error::LoadError;
pub use policy::{Examination, FuelUse, Policy, PolicyUsage};
pub use runtime::{Runtime, RuntimeConfig, RuntimeError};
pub use slot::{PolicySlot, Rejection, SlotMetrics, SlotRollback, SlotStatus, Takeover};
pub use spec::{Grants, HostCalls, Isolation, Limits, PolicySpec};
pub use stats::{ChangeNotifier, PolicyStats, PolicyStatsSummary};
#[doc(hidden)]
pub use timings::DecisionTimings;
pub use trace::{CallTrace, ImportCall, LogLevel, LogLine};
