#![doc = include_str!("../README.md")]
//!
//! # Imports
//!
//! A policy reads facts and writes log lines through [`settings`], [`log`], [`details`],
//! [`prompt`], [`outline`] and [`outputs`], and keeps values in [`state`]. A component imports only the
//! interfaces that its policy calls, and [`log`] for the message of a panic: a policy that never calls
//! [`prompt`] needs no grant for it.
//! `pointsman policy inspect FILE` lists the imports of a built policy, the grants that they
//! need, and the version of this crate, which [`export!`] records.
//!
//! # Instances
//!
//! By default each decision gets a fresh instance, and [`Policy::new`] runs each time, so keep
//! it cheap. With `isolation = "warm"` instances are reused.
//!
//! # Orchestration
//!
//! A policy can split a request into tasks for several models: see [`Orchestrator`] and
//! [`plan`]. It can also ask a model first, and route by the answer: see [`ask`].

// The generated bindings refer to this crate by its name, as policies do.
extern crate self as pointsman_sdk;

pub mod ask;
#[doc(hidden)]
pub mod bindings;
pub mod budget;
mod component;
mod decision;
pub mod details;
pub mod draw;
pub mod embedding;
pub mod estimate;
mod imports;
pub mod log;
#[cfg(all(target_family = "wasm", feature = "allocator"))]
mod memory;
mod orchestrator;
pub mod order;
pub mod outline;
pub mod outputs;
#[cfg(target_family = "wasm")]
mod panic_message;
mod pattern;
pub mod plan;
mod policy;
pub mod prompt;
pub mod settings;
pub mod state;
#[cfg(not(target_family = "wasm"))]
pub mod testkit;

pub use bindings::learning::exports::pointsman::policy::feedback::Rating;
pub use bindings::orchestrating::pointsman::policy::plans::{Step, TaskResult, TaskStatus};
pub use bindings::routing::pointsman::policy::types::{
    Abilities, Candidate, Decision, Modalities, Outcome, OutcomeStatus, Refusal, Request, Target,
};
pub use orchestrator::Orchestrator;
pub use pattern::Pattern;
pub use policy::{Learner, NoSettings, Observer, Policy};

#[doc(hidden)]
pub use component::{
    SDK_RECORD, observe, plan_step, rate, resume_step, route, validate, validate_orchestrator,
};

/// The items that nearly every policy uses.
pub mod prelude {
    pub use crate::{Candidate, Decision, NoSettings, Policy, Refusal, Request};
    pub use crate::{budget, describe, details, draw, estimate, export, order};
}
