//! The policy's table in the configuration.

use serde::{Deserialize, Serialize};

/// Most parts: with a planner and a model that combines them they have to fit in
/// the 64 tasks that the gateway allows for a request.
const MOST_PARTS: usize = 32;

/// Fewest bytes of a chunk: smaller ones lose the thread.
const LEAST_CHUNK: usize = 500;

/// All optional.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Most parts; what is more is put together.
    pub max_parts: usize,
    /// Fewest items of a list, or questions, that are worth it.
    pub min_parts: usize,
    /// The approximate size of a chunk in bytes. A longer text is a document, and is cut into chunks.
    pub chunk_bytes: usize,
    /// The use of a model to find parts where no rule finds any.
    pub planner: Planner,
    /// The fewest bytes of the newest user message with which `auto` asks it.
    pub planner_bytes: u32,
    /// The way in which answers are combined.
    pub combine: Combine,
}

/// The use of a model to find parts where no rule finds any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Planner {
    /// For a long request.
    Auto,
    /// Never.
    Never,
    /// However short the request is.
    Always,
}

/// The way in which answers are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Combine {
    /// `join` for lists and questions, `model` for chunks and planned parts.
    Auto,
    /// One after the other, under headings.
    Join,
    /// A model writes it from the answers to the parts.
    Model,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_parts: 8,
            min_parts: 3,
            chunk_bytes: 12_000,
            planner: Planner::Auto,
            planner_bytes: 1_500,
            combine: Combine::Auto,
        }
    }
}

impl Settings {
    /// Says which setting is wrong, and what would be right.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !(2..=MOST_PARTS).contains(&self.max_parts) {
            return Err(format!("setting `max_parts`: {} is not in 2..{MOST_PARTS}", self.max_parts));
        }
        if !(2..=MOST_PARTS).contains(&self.min_parts) {
            return Err(format!("setting `min_parts`: {} is not in 2..{MOST_PARTS}", self.min_parts));
        }
        if self.chunk_bytes < LEAST_CHUNK {
            return Err(format!("setting `chunk_bytes`: {} is less than {LEAST_CHUNK}", self.chunk_bytes));
        }
        Ok(())
    }
}
