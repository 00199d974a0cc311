//! Outcomes of requests: usage, cost and latency.

use std::ops::AddAssign;
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

/// Cause of a failed request, for operators. In contrast to [`Fault`], it also covers requests that are rejected
/// before a decision, and distinguishes limits from failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureCause {
    /// The request: it is invalid, not allowed, beyond the abilities of the models, or its client gave it too
    /// little time.
    Client,
    /// The models and their backends.
    Model,
    /// The policy: it declined, failed, or exceeded the limits of plans.
    Policy,
    /// A limit of the gateway or the route: memory, connections, time.
    Limit,
}

impl FailureCause {
    /// Returns the name in the admin API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Model => "model",
            Self::Policy => "policy",
            Self::Limit => "limit",
        }
    }
}

/// Numbers of failed requests by their cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailureCounts {
    /// Failures by [`FailureCause::Client`].
    pub client: u64,
    /// Failures by [`FailureCause::Model`].
    pub model: u64,
    /// Failures by [`FailureCause::Policy`].
    pub policy: u64,
    /// Failures by [`FailureCause::Limit`].
    pub limit: u64,
}

impl FailureCounts {
    /// Counts a failure.
    pub const fn add(&mut self, cause: FailureCause) {
        *match cause {
            FailureCause::Client => &mut self.client,
            FailureCause::Model => &mut self.model,
            FailureCause::Policy => &mut self.policy,
            FailureCause::Limit => &mut self.limit,
        } += 1;
    }

    /// Returns the number of all failures.
    pub const fn total(&self) -> u64 {
        self.client + self.model + self.policy + self.limit
    }
}

impl AddAssign for FailureCounts {
    fn add_assign(&mut self, other: Self) {
        self.client += other.client;
        self.model += other.model;
        self.policy += other.policy;
        self.limit += other.limit;
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
