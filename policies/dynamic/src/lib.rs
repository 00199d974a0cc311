//! Cheap where that is good enough, else fast where time matters, else the best
//! for the task. Settings, labels and figures: README.md.
//!
//! What it does is in a library, because `auto` does it too, and a component that
//! linked this crate would export two policies.

use pointsman_sdk::prelude::*;

pub use pointsman_tradeoff::dynamic::{Dynamic, Settings};

pointsman_sdk::describe!(include_str!("../description.json"));
export!(Dynamic);

#[cfg(test)]
mod tests;
