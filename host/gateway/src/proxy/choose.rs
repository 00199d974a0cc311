//! Asks a route's policy, and what is done when the policy fails.

use std::sync::Arc;
use std::time::Instant;

use pointsman_domain::candidate::{Candidate, NoCandidate, eligible, partial};
use pointsman_domain::decision::{Decision, Refusal};
use pointsman_domain::plan::Step;
use pointsman_domain::prompt::Prompt;
use pointsman_domain::request::RequestFacts;
use pointsman_policy::{Answer, DecisionInput, Orchestration, Policy, PolicyFailure};

use crate::snapshot::{Decider, OnFailure, Route, Strategy};

/// Label of decisions that the gateway makes when a policy failed.
const STATIC_ORDER: &str = "static";
/// Label of requests that name their model.
const DIRECT: &str = "direct";

/// What a route's policies are asked about.
#[derive(Clone)]
pub(crate) struct Question<'a> {
    /// The route.
    pub(crate) route: &'a Route,
    /// The request.
    pub(crate) request: Arc<RequestFacts>,
    /// Its content.
    pub(crate) prompt: Arc<dyn Prompt>,
    /// When it has to be over.
    pub(crate) deadline: Instant,
}

/// What is to be done, and how that came about.
pub(crate) struct Choice {
    /// What to do.
    pub(crate) course: Course,
    /// What was asked, with the candidates that the course names.
    pub(crate) input: DecisionInput,
}

/// What to do with a request.
pub(crate) enum Course {
    /// One model answers it.
    Decision {
        /// Which models are tried.
        decision: Decision,
        /// Whose decision it is; `None` is the gateway's own order.
        policy: Option<Arc<Policy>>,
    },
    /// It takes more than that.
    Plan {
        /// The first step.
        step: Step,
        /// Whose plan it is.
        policy: Arc<Policy>,
    },
}

impl Course {
    /// What kind of choice it is.
    pub(crate) fn label(&self) -> &str {
        match self {
            Self::Decision { decision, .. } => decision.label(),
            Self::Plan { step, .. } => step.label(),
        }
    }

    /// Whose word it is, unless it is the gateway's own order.
    pub(crate) fn policy(&self) -> Option<&Arc<Policy>> {
        match self {
            Self::Decision { policy, .. } => policy.as_ref(),
            Self::Plan { policy, .. } => Some(policy),
        }
    }
}

/// No decision, and what the client should know.
#[derive(Debug)]
pub(crate) enum NoChoice {
    /// No model of the route can serve the request.
    NoCandidate(NoCandidate),
    /// A policy declined.
    Refused {
        /// What it said.
        refusal: Refusal,
        /// Which one.
        policy: Arc<Policy>,
    },
    /// The route's policy failed, and the route says to reject then.
    Rejected {
        /// Which one.
        policy: Arc<Policy>,
        /// How it failed.
        reason: &'static str,
    },
}

/// Asks for what is to be done, and again when that leads nowhere: each policy
/// that a route names is asked once.
pub(crate) struct Chooser<'a> {
    question: Question<'a>,
    turn: Turn<'a>,
    failure: Option<&'static str>,
}

/// Who is asked next.
#[derive(Clone)]
enum Turn<'a> {
    /// Nobody: the client named the model.
    Direct,
    /// The version of a policy that serves.
    Active(&'a Decider),
    /// The version before it.
    Previous(&'a Decider),
    /// Nobody: the gateway's own order.
    Static,
    /// Nobody, and the request is turned down: this policy failed.
    Reject(Arc<Policy>),
}

impl<'a> Chooser<'a> {
    pub(crate) fn new(question: Question<'a>) -> Self {
        let turn = match &question.route.strategy {
            Strategy::Policy(decider) => Turn::Active(decider),
            Strategy::Direct => Turn::Direct,
        };
        Self { question, turn, failure: None }
    }

    /// Why the route's policy did not decide, if it did not: what went wrong first.
    pub(crate) fn failure(&self) -> Option<&'static str> {
        self.failure
    }

    /// What is to be done.
    pub(crate) async fn choose(&mut self) -> Result<Choice, NoChoice> {
        loop {
            let (policy, decider) = match self.turn.clone() {
                Turn::Direct => return self.in_order(DIRECT),
                Turn::Static => return self.in_order(STATIC_ORDER),
                Turn::Reject(policy) => {
                    let reason = self.failure.unwrap_or_default();
                    return Err(NoChoice::Rejected { policy, reason });
                }
                Turn::Active(decider) => (decider.slot.active(), decider),
                Turn::Previous(decider) => match decider.slot.previous() {
                    Some(policy) => (policy, decider),
                    None => {
                        self.turn = Turn::Static;
                        continue;
                    }
                },
            };
            let input = self.question.input(policy.orchestrates()).map_err(NoChoice::NoCandidate)?;
            decider.slot.count_decision();
            match policy.decide(input.clone()).await {
                Ok(Answer::Step(Step::Route(decision))) => {
                    let course = Course::Decision { decision, policy: Some(policy) };
                    return Ok(Choice { course, input });
                }
                Ok(Answer::Step(step)) => return Ok(Choice { course: Course::Plan { step, policy }, input }),
                Ok(Answer::Refusal(refusal)) => return Err(NoChoice::Refused { refusal, policy }),
                Err(failure) => self.failed(&policy, &failure),
            }
        }
    }

    /// The policy whose turn it is failed: whoever comes next is asked instead.
    pub(crate) fn failed(&mut self, policy: &Arc<Policy>, failure: &PolicyFailure) {
        tracing::warn!(policy = policy.version(), reason = failure.reason(), "a policy failed: {failure}");
        self.failure.get_or_insert(failure.reason());
        // It may have been asked again after minutes of work of models.
        let left = self.question.deadline.saturating_duration_since(Instant::now());
        Arc::make_mut(&mut self.question.request).set_time_left(left);
        self.turn = match self.turn {
            Turn::Active(decider) => {
                decider.slot.count_failure(failure);
                match &decider.on_failure {
                    OnFailure::Reject => Turn::Reject(Arc::clone(policy)),
                    OnFailure::StaticOrder => Turn::Static,
                    OnFailure::Previous => Turn::Previous(decider),
                    OnFailure::Ask(next) => Turn::Active(next),
                }
            }
            Turn::Previous(decider) => {
                decider.slot.count_failure(failure);
                Turn::Static
            }
            Turn::Direct | Turn::Static | Turn::Reject(_) => Turn::Static,
        };
    }

    fn in_order(&self, label: &'static str) -> Result<Choice, NoChoice> {
        let input = self.question.input(false).map_err(NoChoice::NoCandidate)?;
        let decision = Decision::in_order(input.candidates.len(), label);
        Ok(Choice { course: Course::Decision { decision, policy: None }, input })
    }
}

impl Question<'_> {
    /// What a policy is asked about: one that orchestrates has candidates for
    /// parts of the request too.
    fn input(&self, orchestrates: bool) -> Result<DecisionInput, NoCandidate> {
        let (models, now) = (&self.route.models, Instant::now());
        let (candidates, whole) = if orchestrates {
            partial(models, &self.request, now)?
        } else {
            let candidates = eligible(models, &self.request, now)?;
            let whole = candidates.len();
            (candidates, whole)
        };
        let candidates: Arc<[Candidate]> = candidates.into();
        let limits = self.route.limits.plan;
        Ok(DecisionInput {
            request: Arc::clone(&self.request),
            candidates,
            prompt: Arc::clone(&self.prompt),
            orchestration: Orchestration { whole, limits, ..Orchestration::default() },
        })
    }
}
