//! The contract in Rust, generated from `wit/` by `cargo xtask bindings`; policies use what
//! the crate re-exports from here.
//!
//! `routing` has the types and imports of every policy and the exports of those that
//! route; `observing` adds the observer; `orchestrating` has plans and their exports.

#![allow(unsafe_code, missing_docs, reason = "the generator's code crosses the boundary with raw pointers")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "and traps where the gateway breaks the contract")]

#[rustfmt::skip]
pub mod observing;
#[rustfmt::skip]
pub mod orchestrating;
#[rustfmt::skip]
pub mod routing;

pub use wit_bindgen::rt;
