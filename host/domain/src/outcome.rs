//! What became of a request: usage, cost and latency.

use std::ops::Add;
use std::time::Duration;

use crate::ids::ModelId;
use crate::money::Picodollars;

/// Tokens of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the input, those from and for the provider's cache included.
    pub input_tokens: u64,
    /// Input tokens that the provider read from its cache.
    pub cached_input_tokens: u64,
    /// Input tokens that the provider wrote to its cache.
    pub cache_write_tokens: u64,
    /// Tokens of the answer, reasoning included.
    pub output_tokens: u64,
    /// Tokens of the answer that are reasoning.
    pub reasoning_tokens: u64,
    /// True if the gateway estimated some of them, because the backend reported none or
    /// none that can be true.
    pub estimated: bool,
}

impl Usage {
    /// Returns the usage of a call whose tokens were counted, none of them cached or for
    /// reasoning.
    pub const fn counted(input_tokens: u64, output_tokens: u64) -> Self {
        Self {
            input_tokens,
            output_tokens,
            cached_input_tokens: 0,
            cache_write_tokens: 0,
            reasoning_tokens: 0,
            estimated: false,
        }
    }

    /// Returns the same with a mark that tokens were estimated.
    #[must_use]
    pub const fn estimated(self) -> Self {
        Self { estimated: true, ..self }
    }
}

impl Add for Usage {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            cached_input_tokens: self.cached_input_tokens.saturating_add(other.cached_input_tokens),
            cache_write_tokens: self.cache_write_tokens.saturating_add(other.cache_write_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            reasoning_tokens: self.reasoning_tokens.saturating_add(other.reasoning_tokens),
            estimated: self.estimated || other.estimated,
        }
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
