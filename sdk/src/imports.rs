//! The functions of the gateway that a policy can call, a module for each interface of
//! the contract.
//!
//! In WebAssembly they are the component's imports. Natively they are answered by a
//! [`stand_in`], which the test kit fills.

#[cfg(target_family = "wasm")]
pub(crate) use crate::bindings::orchestrating::pointsman::policy::{outline, outputs};
#[cfg(target_family = "wasm")]
pub(crate) use crate::bindings::routing::pointsman::policy::{details, log, prompt, settings, state};

#[cfg(not(target_family = "wasm"))]
pub(crate) mod stand_in;
#[cfg(not(target_family = "wasm"))]
pub(crate) use stand_in::{details, log, outline, outputs, prompt, settings, state};
