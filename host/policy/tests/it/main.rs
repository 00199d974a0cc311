//! Policies as WebAssembly, from the load gate to the decision.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, and so do its helpers")]

mod bombs;
mod cache;
mod compile;
mod contract;
mod description;
mod examination;
mod gate;
mod grants;
mod inspection;
mod isolation;
mod languages;
mod limits;
mod misdeeds;
mod mutations;
mod plans;
mod released;
mod secrecy;
mod slot;
mod state;
mod support;
mod tricks;
mod wasi;
