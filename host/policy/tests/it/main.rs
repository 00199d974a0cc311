//! Policies as WebAssembly, from the load gate to the decision.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, and so do its helpers")]

mod contract;
mod gate;
mod grants;
mod inspection;
mod isolation;
mod limits;
mod misdeeds;
mod plans;
mod released;
mod slot;
mod support;
