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

/// Most tokens that one call is believed to have read or written: ten times the largest
/// context window on offer. A larger count is a mistake or a lie, and would spoil sums
/// that nothing can correct later.
const MAX_REPORTED_TOKENS: u64 = 100_000_000;

impl Usage {
    /// Tokens as a backend reported them; `None` for counts that cannot be true.
    pub fn reported(input_tokens: u64, output_tokens: u64) -> Option<Self> {
        let is_plausible = input_tokens.max(output_tokens) <= MAX_REPORTED_TOKENS;
        is_plausible.then_some(Self { input_tokens, output_tokens, estimated: false })
    }
}

/// Who could have done better where a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The client: no model can serve what it asked for, or the backend refused it.
    Client,
    /// The policy: it declined, failed, or planned more than it may.
    Policy,
    /// The models and their backends.
    Backend,
    /// The time for the request was over, whoever used it up.
    Deadline,
}

impl Fault {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Policy => "policy",
            Self::Backend => "backend",
            Self::Deadline => "deadline",
        }
    }
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

impl Ending {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
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
    /// Whose fault it was.
    pub fault: Option<Fault>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_no_call_can_have_are_not_believed() {
        let most = MAX_REPORTED_TOKENS;
        assert!(Usage::reported(most, most).is_some());
        for (input, output) in [(most + 1, 1), (1, most + 1), (u64::MAX, u64::MAX), (u64::MAX, 0)] {
            assert_eq!(Usage::reported(input, output), None);
        }
    }
}
