//! The contract in Rust, generated from `wit/` by `cargo xtask bindings`. Policies use the
//! items that the crate re-exports from here.
//!
//! `routing` has the types and imports of every policy, and the exports of routing policies.
//! `observing` adds the observer, and `learning` ratings as well; `orchestrating` has plans and their
//! exports.

#![allow(unsafe_code, missing_docs, reason = "generated code passes raw pointers to the host")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "generated code traps if the gateway breaks the contract"
)]

#[rustfmt::skip]
pub mod learning;
#[rustfmt::skip]
pub mod observing;
#[rustfmt::skip]
pub mod orchestrating;
#[rustfmt::skip]
pub mod routing;

pub use wit_bindgen::rt;
