//! Cheap, fast or good: how policies weigh models. `dynamic` is the choice for a
//! whole request that the policies `dynamic` and `auto` make; [`Call`] is the
//! choice for one of several calls, which the orchestrating policies make.
//!
//! A library, because a component exports one policy: what two of them do can't be
//! in a crate that exports.

pub mod dynamic;
mod ranking;

pub use ranking::{Call, Preference};
