//! What became of a request: usage, cost and latency.

use std::time::Duration;

use crate::ids::ModelId;
use crate::money::Picodollars;
use crate::usage::Usage;

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
    /// Every party, in the order of the variants.
    pub const ALL: [Self; 4] = [Self::Client, Self::Policy, Self::Backend, Self::Deadline];

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
pub enum RequestEnd {
    /// The client got the whole answer.
    Answered,
    /// No model answered, or the answer broke off.
    Failed,
    /// The client went away before the end.
    Cancelled,
}

impl RequestEnd {
    /// Every end, in the order of the variants.
    pub const ALL: [Self; 3] = [Self::Answered, Self::Failed, Self::Cancelled];

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
    pub ending: RequestEnd,
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
