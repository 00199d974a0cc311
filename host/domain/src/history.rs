//! Complete record of one request, from its arrival to its end.
//!
//! Metrics, log lines, spans, decision records and the admin API are all derived from its
//! [`History`], so they agree.

mod run;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::candidate::{Candidate, can_serve};
use crate::decision::{Decision, Refusal};
use crate::failure::FailureKind;
use crate::ids::{Digest, ModelId, PolicyName};
use crate::model::Model;
use crate::money::Picodollars;
use crate::outcome::{FailureCause, Outcome, RequestEnd};
use crate::request::RequestFacts;
use crate::trace::TraceContext;
use crate::usage::Usage;

pub use run::{PlanRun, TaskEnd, TaskRun};

/// Record of a request that has ended. Times are relative to its arrival. It never contains
/// content.
#[derive(Clone, Debug)]
pub struct History {
    /// Arrival.
    pub arrived: SystemTime,
    /// Name that the client requested: a route, or a model.
    pub route: Arc<str>,
    /// Trace context of the request.
    pub trace: Option<TraceContext>,
    /// Time at which the body had been read.
    pub body_read_after: Duration,
    /// Facts of the request on arrival.
    pub request: Arc<RequestFacts>,
    /// Decisions, in order.
    pub decisions: Vec<DecisionEntry>,
    /// Calls of models, in the order in which they were made.
    pub calls: Vec<ModelCall>,
    /// Run of the plan, if there was one.
    pub plan: Option<PlanRun>,
    /// Cost of the same answer without routing.
    pub baseline: Option<Baseline>,
    /// Outcome.
    pub outcome: Outcome,
    /// Cause of the failure; `None` unless the request failed.
    pub cause: Option<FailureCause>,
}

/// Decision of a policy, or of the gateway without one.
#[derive(Clone, Debug)]
pub struct DecisionEntry {
    /// Version of the policy that decided; `None` for the gateway's own order.
    pub policy: Option<PolicyVersion>,
    /// Time of the decision.
    pub at: Duration,
    /// Duration of the decision.
    pub took: Duration,
    /// Candidates of the input.
    pub candidates: Arc<[Candidate]>,
    /// Number of candidates, counted from the first, that could serve the whole request.
    pub whole: usize,
    /// Answer of the policy.
    pub answer: DecisionAnswer,
    /// Use of the state that the policy keeps, if it keeps any.
    pub state: Option<StateCounts>,
}

/// Use of the state that a policy keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateCounts {
    /// Reads.
    pub reads: u32,
    /// Writes that took effect.
    pub writes: u32,
    /// Rejected writes.
    pub rejected: u32,
}

/// Version of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Name of the policy.
    pub policy: PolicyName,
    /// SHA-256 of the version's bytes.
    pub digest: Digest,
    /// SHA-256 of its settings, as the JSON text that it reads.
    pub settings: Digest,
}

/// Answer of a policy.
#[derive(Clone, Debug)]
pub enum DecisionAnswer {
    /// Models to call, one of which answers.
    Route(Decision),
    /// Tasks that the request is split into.
    Plan {
        /// Label of the plan.
        label: String,
        /// Reason for it.
        reason: Option<String>,
        /// Number of tasks of this step.
        tasks: usize,
    },
    /// Answer that is composed from existing content.
    Finish {
        /// Label of the answer.
        label: String,
        /// Reason for it.
        reason: Option<String>,
    },
    /// Refusal to decide.
    Refusal(Refusal),
    /// Failure of the policy.
    Failure {
        /// Code of the failure.
        reason: &'static str,
        /// Message for the operator.
        message: String,
    },
}

/// Call of a model.
#[derive(Clone, Debug)]
pub struct ModelCall {
    /// Model that was called.
    pub model: Arc<Model>,
    /// Number of the task that it was made for.
    pub task: Option<usize>,
    /// Identifies the call among the spans of its trace; never 0.
    pub span: u64,
    /// Start of the call.
    pub begun: Duration,
    /// Time of the first content.
    pub first_token: Option<Duration>,
    /// End of the call; `None` if it ended with the request.
    pub ended: Option<Duration>,
    /// Outcome.
    pub end: CallEnd,
    /// Usage. At first it is the estimated input: the backend may have processed it.
    pub usage: Usage,
}

/// End of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum CallEnd {
    /// The call has not ended.
    Open,
    /// The model answered.
    Answered,
    /// The call failed.
    Failed(FailureKind),
    /// The answer broke off after the client had received a part of it.
    BrokeOff,
    /// The call was no longer needed.
    Cancelled,
}

/// Cost of the same answer from a fixed model, which savings are compared with.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// Model that would have answered without routing.
    pub model: Arc<Model>,
    /// Price of the same answer.
    pub cost: Picodollars,
}

impl DecisionAnswer {
    /// Returns the name of the kind of answer in records and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Route(_) => "route",
            Self::Plan { .. } => "plan",
            Self::Finish { .. } => "finish",
            Self::Refusal(_) => "refusal",
            Self::Failure { .. } => "failure",
        }
    }
}

impl CallEnd {
    /// Returns the name in records. A call that broke off has failed; one that nothing ended was
    /// cancelled.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed(_) | Self::BrokeOff => "failed",
            Self::Open | Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for PolicyVersion {
    /// Writes the form of headers: `name@` and the first 12 digits of the digest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.policy, self.digest.short())
    }
}

impl History {
    /// Returns the policy of the last decision, which is the one that was followed, if any.
    pub fn decided_by(&self) -> Option<&PolicyVersion> {
        self.decisions.last()?.policy.as_ref()
    }

    /// Returns the reason of the last decision.
    pub fn reason(&self) -> Option<&str> {
        match &self.decisions.last()?.answer {
            DecisionAnswer::Route(decision) => decision.reason(),
            DecisionAnswer::Plan { reason, .. } | DecisionAnswer::Finish { reason, .. } => reason.as_deref(),
            DecisionAnswer::Refusal(_) | DecisionAnswer::Failure { .. } => None,
        }
    }

    /// Returns the model that answered, else the last one that was called.
    pub fn last_model(&self) -> Option<&ModelId> {
        self.outcome.model.as_ref().or_else(|| self.calls.last().map(|call| &call.model.id))
    }

    /// Returns the time until the first token in which the client had sent its whole request and no
    /// model was processing it: the latency that the gateway added, including back-off before
    /// retries. `None` without an answer.
    pub fn added_latency(&self) -> Option<Duration> {
        let first_token = self.outcome.first_token?;
        let mut added = Duration::ZERO;
        let mut idle_since = self.body_read_after;
        // Calls are in the order in which they began.
        for call in &self.calls {
            added += call.begun.min(first_token).saturating_sub(idle_since);
            idle_since = idle_since.max(self.served(call));
        }
        Some(added + first_token.saturating_sub(idle_since))
    }

    /// Returns the end of the time in which a model processed a call and the client had nothing of
    /// the answer.
    fn served(&self, call: &ModelCall) -> Duration {
        call.first_token.or(call.ended).unwrap_or(self.outcome.latency)
    }
}

impl Baseline {
    /// Returns the default baseline: the model with the best stated general quality; among equals,
    /// the most expensive.
    pub fn usual<'m>(models: impl IntoIterator<Item = &'m Arc<Model>>) -> Option<&'m Arc<Model>> {
        let rank = |model: &Arc<Model>| (model.quality.general.unwrap_or(0.0), model.price.of(1, 1).get());
        models.into_iter().max_by(|a, b| {
            let ((quality_a, price_a), (quality_b, price_b)) = (rank(a), rank(b));
            quality_a.total_cmp(&quality_b).then(price_a.cmp(&price_b))
        })
    }

    /// Returns the baseline for an answer with this many output tokens, if the model can serve the
    /// request. Its input is the measured input of the answering call. Where the request was split
    /// into tasks it is the estimate, since no call had the whole input.
    pub fn of(
        model: &Arc<Model>,
        request: &RequestFacts,
        answering: Option<&ModelCall>,
        output_tokens: u64,
    ) -> Option<Self> {
        if !can_serve(model, request) {
            return None;
        }
        let whole = answering.filter(|call| call.task.is_none());
        let input_tokens = whole.map_or(request.input_tokens.into(), |call| call.usage.input_tokens);
        Some(Self { model: Arc::clone(model), cost: model.price.of(input_tokens, output_tokens) })
    }
}

impl ModelCall {
    /// Returns the cost of the call.
    pub fn cost(&self) -> Picodollars {
        self.model.price.charge(&self.usage)
    }

    /// Ends a call that is open at the end of the request. The answering call ends as the request
    /// does; all others were no longer needed.
    pub fn close(&mut self, at: Duration, answering: bool, ending: RequestEnd) {
        if self.end != CallEnd::Open {
            return;
        }
        self.ended = Some(at);
        self.end = match ending {
            RequestEnd::Answered if answering => CallEnd::Answered,
            RequestEnd::Failed if answering => CallEnd::BrokeOff,
            RequestEnd::Answered | RequestEnd::Failed | RequestEnd::Cancelled => CallEnd::Cancelled,
        };
    }
}

#[cfg(test)]
mod tests;
