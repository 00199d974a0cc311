//! Text, pictures and sound to language, vision and speech models at once, and an
//! answer from what they found. Settings, labels and a drawing of the plan: README.md.
//!
//! What it does is in a library, because `auto` does it too, and a component that
//! linked this crate would export two policies.

use pointsman_sdk::export;

pub use pointsman_media::{FindingsAs, Multimodal, Settings};

pointsman_sdk::describe!(include_str!("../description.json"));
export!(Multimodal, orchestrator);

#[cfg(test)]
mod tests;
