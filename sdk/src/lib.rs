#![doc = include_str!("../README.md")]
//!
//! # Interfaces
//!
//! A policy sees of the gateway what the contract offers: [`settings`], [`log`],
//! [`details`] and [`prompt`]. What it does not call is not imported by its
//! component, so a policy that never touches [`prompt`] needs no grant for it.
//!
//! Policies in other languages: docs/policies-in-other-languages.md.
//!
//! A policy may also cut a request into tasks for several models: see
//! [`Orchestrator`] and [`plan`].
//!
//! `pointsman policy inspect FILE` tells what came out: what it imports, which
//! grants that takes, and the version of this crate, which [`export!`] records.
//!
//! By default every decision gets a fresh instance: [`Policy::new`] runs each
//! time, so keep it cheap. With `isolation = "warm"` instances are reused.

// The generated bindings name this crate by its name, as policies do.
extern crate self as pointsman_sdk;

#[doc(hidden)]
pub mod bindings;
pub mod budget;
mod component;
mod decision;
pub mod details;
pub mod estimate;
mod imports;
pub mod log;
#[cfg(all(target_family = "wasm", feature = "allocator"))]
mod memory;
mod orchestrator;
pub mod order;
pub mod outline;
pub mod outputs;
mod pattern;
pub mod plan;
mod policy;
pub mod prompt;
pub mod settings;
#[cfg(not(target_family = "wasm"))]
pub mod testkit;

pub use bindings::orchestrating::pointsman::policy::plans::{Step, TaskResult, TaskStatus};
pub use bindings::routing::pointsman::policy::types::{
    Abilities, Candidate, Decision, Modalities, Outcome, OutcomeStatus, Refusal, Request, Target,
};
pub use orchestrator::Orchestrator;
pub use pattern::Pattern;
pub use policy::{NoSettings, Observer, Policy};

#[doc(hidden)]
pub use component::{SDK_RECORD, observe, plan_step, resume_step, route, validate, validate_orchestrator};

/// What nearly every policy uses.
pub mod prelude {
    pub use crate::{Candidate, Decision, NoSettings, Policy, Refusal, Request};
    pub use crate::{budget, details, estimate, export, order};
}
