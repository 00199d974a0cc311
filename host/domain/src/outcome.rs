//! What became of a request: usage, cost and latency.

use std::time::Duration;

use crate::ids::ModelId;
use crate::money::Picodollars;

/// Tokens of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the input.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Whether the gateway estimated them because the backend did not say.
    pub estimated: bool,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client got the whole answer.
    Answered,
    /// No model answered, or the answer broke off.
    Failed,
    /// The client went away before the end.
    Cancelled,
}

/// What became of one decision.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The decision's id.
    pub id: String,
    /// The decision's label.
    pub label: String,
    /// How it ended.
    pub ending: Ending,
    /// The model that answered.
    pub model: Option<ModelId>,
    /// Calls made, the successful one included.
    pub attempts: u32,
    /// Tokens of all attempts that were charged.
    pub usage: Usage,
    /// Money for them.
    pub cost: Picodollars,
    /// Time to the first token.
    pub first_token: Option<Duration>,
    /// Time from arrival to end.
    pub latency: Duration,
    /// What went wrong.
    pub error: Option<String>,
}
