//! Outcomes of requests: usage, cost and latency.

use std::time::Duration;

use crate::ids::ModelId;
use crate::money::Picodollars;
use crate::usage::Usage;

/// Party at fault for a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The client: no model can serve the request, or the backend rejected it.
    Client,
    /// The policy: it declined, failed, or exceeded the limits of plans.
    Policy,
    /// The models and their backends.
    Backend,
    /// The deadline of the request, whichever party used up the time.
    Deadline,
}

impl Fault {
    /// Every party, in the order of the variants.
    pub const ALL: [Self; 4] = [Self::Client, Self::Policy, Self::Backend, Self::Deadline];

    /// Returns the name in records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Policy => "policy",
            Self::Backend => "backend",
            Self::Deadline => "deadline",
        }
    }
}

/// End of a request.
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

    /// Returns the name in records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Outcome of one request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Id of the decision.
    pub id: String,
    /// Label of the decision.
    pub label: String,
    /// End of the request.
    pub ending: RequestEnd,
    /// Model that answered.
    pub model: Option<ModelId>,
    /// Number of calls, including the successful one.
    pub attempts: u32,
    /// Tokens of all calls that were charged.
    pub usage: Usage,
    /// Cost of those calls.
    pub cost: Picodollars,
    /// Time to the first token.
    pub first_token: Option<Duration>,
    /// Time from arrival to end.
    pub latency: Duration,
    /// Error message.
    pub error: Option<String>,
    /// Party at fault.
    pub fault: Option<Fault>,
}
