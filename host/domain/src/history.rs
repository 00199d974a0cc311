//! What happened to one request, from its arrival to its end.
//!
//! Whatever is told of a request is told from its [`History`]: metrics, log lines,
//! spans, decision records, and what an operator asks for. So they agree.

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
use crate::outcome::{Outcome, RequestEnd};
use crate::request::RequestFacts;
use crate::trace::TraceContext;
use crate::usage::Usage;

pub use run::{PlanRun, TaskEnd, TaskRun};

/// Everything that is known of a request that has ended. Times are those since
/// its arrival. Content is never in it.
#[derive(Clone, Debug)]
pub struct History {
    /// When it arrived.
    pub arrived: SystemTime,
    /// The name that it was asked for by: a route, or a model addressed directly.
    pub route: Arc<str>,
    /// Its place among the spans of the client and of the models.
    pub trace: Option<TraceContext>,
    /// When its body had been read.
    pub body_read_after: Duration,
    /// Its facts on arrival.
    pub request: Arc<RequestFacts>,
    /// Who was asked what to do, in order.
    pub decisions: Vec<DecisionEntry>,
    /// The calls of models, in the order in which they were made.
    pub calls: Vec<ModelCall>,
    /// How its plan went, if there was one.
    pub plan: Option<PlanRun>,
    /// What its answer would have cost elsewhere.
    pub baseline: Option<Baseline>,
    /// How it ended.
    pub outcome: Outcome,
}

/// One time that somebody was asked what to do.
#[derive(Clone, Debug)]
pub struct DecisionEntry {
    /// Which version of which policy; `None` is the gateway's own order.
    pub policy: Option<PolicyVersion>,
    /// When.
    pub at: Duration,
    /// How long the answer took.
    pub took: Duration,
    /// What there was to choose from.
    pub candidates: Arc<[Candidate]>,
    /// How many of the candidates, counted from the first, could serve the whole request.
    pub whole: usize,
    /// The answer.
    pub answer: DecisionAnswer,
}

/// A version of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyVersion {
    /// The policy.
    pub policy: PolicyName,
    /// SHA-256 of the version's bytes.
    pub digest: Digest,
}

/// What the answer was.
#[derive(Clone, Debug)]
pub enum DecisionAnswer {
    /// One model answers, these are tried.
    Route(Decision),
    /// The request is cut into tasks.
    Plan {
        /// What kind of plan.
        label: String,
        /// Why.
        reason: Option<String>,
        /// How many tasks this step has.
        tasks: usize,
    },
    /// The answer is put together from what is there.
    Finish {
        /// What kind of answer.
        label: String,
        /// Why.
        reason: Option<String>,
    },
    /// The policy declined.
    Refusal(Refusal),
    /// The policy failed.
    Failure {
        /// A word of a fixed list.
        reason: &'static str,
        /// More of it, for the operator.
        message: String,
    },
}

/// One call of a model.
#[derive(Clone, Debug)]
pub struct ModelCall {
    /// Which model.
    pub model: Arc<Model>,
    /// The task of a plan that it was made for, by number.
    pub task: Option<usize>,
    /// Identifies the call among the spans of its trace; never 0.
    pub span: u64,
    /// When it was made.
    pub begun: Duration,
    /// When the first content came.
    pub first_token: Option<Duration>,
    /// When it was over; that of the request where nothing else ended it.
    pub ended: Option<Duration>,
    /// How it ended.
    pub end: CallEnd,
    /// What it used. At first the estimated input: the backend may have worked on it.
    pub usage: Usage,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub enum CallEnd {
    /// It is under way.
    Open,
    /// It gave an answer.
    Answered,
    /// It gave none.
    Failed(FailureKind),
    /// Its answer broke off after the client had the first of it.
    BrokeOff,
    /// Nobody needed it any more.
    Cancelled,
}

/// What a request is compared with.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// The model that would have answered without routing.
    pub model: Arc<Model>,
    /// What it would have charged for the same answer.
    pub cost: Picodollars,
}

impl DecisionAnswer {
    /// The word for the kind of answer.
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
    /// The word for it. What broke off has failed; what nobody ended was cancelled.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed(_) | Self::BrokeOff => "failed",
            Self::Open | Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for PolicyVersion {
    /// As in headers: `name@` and the first 12 digits of the digest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.policy, self.digest.short())
    }
}

impl History {
    /// The last one who was asked: whose word was followed, if anybody's.
    pub fn decided_by(&self) -> Option<&PolicyVersion> {
        self.decisions.last()?.policy.as_ref()
    }

    /// Why, in the words of whoever was asked last.
    pub fn reason(&self) -> Option<&str> {
        match &self.decisions.last()?.answer {
            DecisionAnswer::Route(decision) => decision.reason(),
            DecisionAnswer::Plan { reason, .. } | DecisionAnswer::Finish { reason, .. } => reason.as_deref(),
            DecisionAnswer::Refusal(_) | DecisionAnswer::Failure { .. } => None,
        }
    }

    /// The model that answered, else the last one that worked on it.
    pub fn last_model(&self) -> Option<&ModelId> {
        self.outcome.model.as_ref().or_else(|| self.calls.last().map(|call| &call.model.id))
    }

    /// The time until the first token in which no model was working on the request
    /// and the client had sent all of it: what the gateway added, and waited before
    /// it called again. `None` without an answer.
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

    /// Until when a model was working on a call and the client had nothing of it yet.
    fn served(&self, call: &ModelCall) -> Duration {
        call.first_token.or(call.ended).unwrap_or(self.outcome.latency)
    }
}

impl Baseline {
    /// The model that would usually answer without routing: the best one by what is
    /// stated of its general quality, among equals the dearest.
    pub fn usual<'m>(models: impl IntoIterator<Item = &'m Arc<Model>>) -> Option<&'m Arc<Model>> {
        let rank = |model: &Arc<Model>| (model.quality.general.unwrap_or(0.0), model.price.of(1, 1).get());
        models.into_iter().max_by(|a, b| {
            let ((quality_a, price_a), (quality_b, price_b)) = (rank(a), rank(b));
            quality_a.total_cmp(&quality_b).then(price_a.cmp(&price_b))
        })
    }

    /// What a model would have charged for an answer of so many tokens, if it can
    /// serve the request. Its input is that of the call that answered, as exactly
    /// as that is known; where a request was cut into tasks it is the estimate,
    /// since no call had all of it.
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
    /// What it cost.
    pub fn cost(&self) -> Picodollars {
        self.model.price.charge(&self.usage)
    }

    /// Settles what is still open when the request ends: the call that was
    /// answering ends as the request does, all others were not needed.
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
