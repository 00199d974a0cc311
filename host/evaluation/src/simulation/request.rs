//! Requests of a simulation, and the limits of their route.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_domain::attempts::AttemptLimits;
use pointsman_domain::failure::CallTimeouts;
use pointsman_domain::live::RetryBudget;
use pointsman_domain::plan::PlanLimits;
use pointsman_domain::prompt::Prompt;
use pointsman_domain::request::RequestFacts;

use crate::graded::GradedOutcome;

/// Tokens of a block of a prompt, as in the trace of Mooncake.
pub const PREFIX_BLOCK_TOKENS: u32 = 512;

/// Request that arrives in a simulation.
#[derive(Clone)]
pub struct SimulatedRequest {
    /// Arrival, counted from the start of the simulation.
    pub at: Duration,
    /// Facts that policies see. A deadline shortens that of the route.
    pub facts: Arc<RequestFacts>,
    /// Content, for policies that read it, and for plans.
    pub content: Arc<dyn Prompt>,
    /// Input tokens that a model counts and charges.
    pub input_tokens: u32,
    /// Tokens that a model answers with if no limit is lower: those of the answer, and of each task of
    /// a plan.
    pub output_tokens: u32,
    /// Hashes of the blocks of [`PREFIX_BLOCK_TOKENS`] tokens that the prompt begins with, if they are
    /// known.
    pub prefix: Arc<[u64]>,
    /// Outcomes of the whole request with each recorded model; empty if they are not known. Where the
    /// model that answers has one, its tokens and its score are those of the answer.
    pub outcomes: Arc<[GradedOutcome]>,
}

impl fmt::Debug for SimulatedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedRequest")
            .field("at", &self.at)
            .field("input_tokens", &self.input_tokens)
            .field("output_tokens", &self.output_tokens)
            .finish_non_exhaustive()
    }
}

/// Limits of a route on the attempts and plans of one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestLimits {
    /// Longest time for a whole request.
    pub timeout: Duration,
    /// Time limits of each call.
    pub timeouts: CallTimeouts,
    /// Most calls for one request, or for one task of it.
    pub max_attempts: u32,
    /// Wait before the first repeated call.
    pub backoff: Duration,
    /// Limit on the retries of one model in flight.
    pub retry_budget: RetryBudget,
    /// Limits on plans.
    pub plan: PlanLimits,
}

impl RequestLimits {
    /// Returns the limits on the attempts of a request or a task with this deadline.
    pub(super) fn attempts(&self, deadline: Instant) -> AttemptLimits {
        AttemptLimits {
            max_attempts: self.max_attempts,
            timeouts: self.timeouts,
            deadline: Some(deadline),
            backoff: self.backoff,
            retry_budget: self.retry_budget,
        }
    }
}
