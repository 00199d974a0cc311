//! Asks a route's policy, and what is done when the policy fails.

use std::sync::Arc;
use std::time::Instant;

use pointsman_domain::candidate::{Candidate, Eligible, NoCandidate, eligible, partial};
use pointsman_domain::decision::{Decision, Refusal};
use pointsman_domain::history::DecisionEntry;
use pointsman_domain::ids::PolicyName;
use pointsman_domain::plan::PlanStep;
use pointsman_domain::request::RequestFacts;
use pointsman_policy::{Answer, DecisionInput, Orchestration, Policy, PolicyFailure, Record};
use pointsman_wire::openai::client::ChatPrompt;

use super::asked::{self, Moment};
use crate::config::Mode;
use crate::rollout::trial::Pick;
use crate::rollout::{Score, Trial, shadow};
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
    pub(crate) prompt: Arc<ChatPrompt>,
    /// When it arrived.
    pub(crate) arrived: Instant,
    /// When it has to be over.
    pub(crate) deadline: Instant,
}

/// What is to be done, and how that came about.
pub(crate) struct Choice {
    /// What to do.
    pub(crate) course: Course,
    /// What was asked, with the candidates that the course names.
    pub(crate) input: DecisionInput,
    /// Unhealthy models that the policy did not see, to be called when all of its
    /// targets have failed.
    pub(crate) last_resort: Vec<Candidate>,
    /// What has a record of what becomes of it.
    pub(crate) records: Vec<Arc<Record>>,
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
        step: PlanStep,
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
    /// The route's policy is not loaded, and the route says to reject then.
    NotLoaded(PolicyName),
}

/// Asks for what is to be done, and again when that leads nowhere: each policy
/// that a route names is asked once.
pub(crate) struct Chooser<'a> {
    question: Question<'a>,
    turn: Turn<'a>,
    /// Who was asked since somebody wanted to know.
    asked: Vec<DecisionEntry>,
    failure: Option<&'static str>,
    /// The score of the route's trial, the same for the whole request.
    score: Option<Arc<Score>>,
}

/// Who is asked next.
#[derive(Clone)]
enum Turn<'a> {
    /// Nobody: the client named the model.
    Direct,
    /// The policy on trial.
    Trial(&'a Trial),
    /// The version of a policy that serves.
    Active(&'a Decider),
    /// The version before it.
    Previous(&'a Decider),
    /// Nobody: the gateway's own order.
    Static,
    /// Nobody, and the request is turned down: this policy failed.
    Reject(Arc<Policy>),
    /// Nobody, and the request is turned down: this policy is not loaded.
    RejectUnloaded(&'a PolicyName),
}

/// Reason for which a policy that is not loaded does not decide.
const NOT_LOADED: &str = "not_loaded";

impl<'a> Chooser<'a> {
    pub(crate) fn new(question: Question<'a>) -> Self {
        let trial = question.route.trial.as_ref();
        let turn = match (&question.route.strategy, trial) {
            (Strategy::Direct, _) => Turn::Direct,
            (Strategy::Policy(_), Some(trial)) if trial.decides(&question.request) => Turn::Trial(trial),
            (Strategy::Policy(decider), _) => Turn::Active(decider),
        };
        Self { question, turn, asked: Vec::with_capacity(1), failure: None, score: trial.map(Trial::score) }
    }

    /// What is known of the request by now.
    pub(crate) fn request(&self) -> Arc<RequestFacts> {
        Arc::clone(&self.question.request)
    }

    /// Who was asked since this was last called, and what they said.
    pub(crate) fn take_asked(&mut self) -> Vec<DecisionEntry> {
        std::mem::take(&mut self.asked)
    }

    /// Why the route's policy did not decide, if it did not: what went wrong first.
    pub(crate) fn failure(&self) -> Option<&'static str> {
        self.failure
    }

    /// What is to be done.
    pub(crate) async fn choose(&mut self) -> Result<Choice, NoChoice> {
        loop {
            let (policy, slot) = match self.turn.clone() {
                Turn::Direct => return self.in_order(DIRECT),
                Turn::Static => return self.in_order(STATIC_ORDER),
                Turn::Reject(policy) => {
                    let reason = self.failure.unwrap_or_default();
                    return Err(NoChoice::Rejected { policy, reason });
                }
                Turn::RejectUnloaded(policy) => return Err(NoChoice::NotLoaded(policy.clone())),
                Turn::Trial(trial) => (trial.slot.active(), &trial.slot),
                Turn::Active(decider) => match &decider.slot {
                    Some(slot) => (slot.active(), slot),
                    None => {
                        self.fall_back(NOT_LOADED, Turn::RejectUnloaded(&decider.policy));
                        continue;
                    }
                },
                Turn::Previous(decider) => {
                    let previous = decider.slot.as_ref().and_then(|slot| Some((slot.previous()?, slot)));
                    match previous {
                        Some(previous) => previous,
                        None => {
                            self.turn = Turn::Static;
                            continue;
                        }
                    }
                }
            };
            let (input, last_resort) =
                self.question.input(policy.orchestrates()).map_err(NoChoice::NoCandidate)?;
            let moment = Moment::now(self.question.arrived);
            let answer = policy.decide(input.clone()).await;
            let (took, failure) = (moment.elapsed(), answer.as_ref().err());
            slot.decided(&policy, took, failure);
            self.sides().for_each(|record| record.decided(took, failure));
            self.asked.push(asked::by_policy(&policy, moment, took, &input, &answer));
            let course = match answer {
                Ok(Answer::Step(PlanStep::Route(decision))) => {
                    Course::Decision { decision, policy: Some(Arc::clone(&policy)) }
                }
                Ok(Answer::Step(step)) => Course::Plan { step, policy: Arc::clone(&policy) },
                Ok(Answer::Refusal(refusal)) => {
                    let unservable = self.question.unservable(&refusal, &input);
                    return Err(unservable.unwrap_or(NoChoice::Refused { refusal, policy }));
                }
                Err(failure) => {
                    self.pass_on(&policy, &failure);
                    continue;
                }
            };
            let records = std::iter::once(policy.record()).chain(self.sides()).cloned().collect();
            return Ok(Choice { course, input, last_resort, records });
        }
    }

    /// The policy whose turn it is failed after its decision: whoever comes next
    /// is asked instead.
    pub(crate) fn failed(&mut self, policy: &Arc<Policy>, failure: &PolicyFailure) {
        match &self.turn {
            Turn::Trial(trial) => trial.slot.failed(policy, failure),
            Turn::Active(decider) | Turn::Previous(decider) => {
                if let Some(slot) = &decider.slot {
                    slot.failed(policy, failure);
                }
            }
            Turn::Direct | Turn::Static | Turn::Reject(_) | Turn::RejectUnloaded(_) => {}
        }
        self.sides().for_each(|record| record.failed(failure));
        self.pass_on(policy, failure);
    }

    fn pass_on(&mut self, policy: &Arc<Policy>, failure: &PolicyFailure) {
        self.fall_back(failure.reason(), Turn::Reject(Arc::clone(policy)));
    }

    /// Turns to whoever comes after a policy that did not decide. `rejection` follows where the
    /// route rejects requests then.
    fn fall_back(&mut self, reason: &'static str, rejection: Turn<'a>) {
        self.failure.get_or_insert(reason);
        // It may have been asked again after minutes of work of models.
        let left = self.question.deadline.saturating_duration_since(Instant::now());
        Arc::make_mut(&mut self.question.request).set_time_left(left);
        self.turn = match (&self.turn, &self.question.route.strategy) {
            (Turn::Trial(_), Strategy::Policy(decider)) => Turn::Active(decider),
            (Turn::Active(decider), _) => match &decider.on_failure {
                OnFailure::Reject => rejection,
                OnFailure::StaticOrder => Turn::Static,
                OnFailure::Previous => Turn::Previous(decider),
                OnFailure::Ask(next) => Turn::Active(next),
            },
            _ => Turn::Static,
        };
    }

    /// The records beside the policy's own that whoever's turn it is fills: that
    /// of its side of a trial, and of a promotion.
    fn sides(&self) -> impl Iterator<Item = &Arc<Record>> {
        let is_own = match (&self.turn, &self.question.route.strategy) {
            (Turn::Active(decider), Strategy::Policy(own)) => std::ptr::eq(*decider, own),
            _ => false,
        };
        let side = self.score.as_ref().and_then(|score| match self.turn {
            Turn::Trial(_) => Some(&score.trial),
            _ => is_own.then_some(&score.active),
        });
        let promotion = self.question.route.promotion.as_ref().filter(|_| is_own);
        side.into_iter().chain(promotion.map(|promotion| &promotion.new))
    }

    /// What the route's shadow is to be asked, now that its own policy has decided.
    pub(crate) fn for_shadow(&self, choice: &Choice) -> Option<shadow::Question> {
        let trial = self.question.route.trial.as_ref().filter(|trial| trial.mode == Mode::Shadow)?;
        let policy = choice.course.policy()?;
        let picked = match &choice.course {
            Course::Decision { decision, .. } => Pick::decision(decision, &choice.input),
            Course::Plan { .. } => Pick::Plan,
        };
        let orchestrates = trial.slot.active().orchestrates();
        let input = match orchestrates == policy.orchestrates() {
            true => choice.input.clone(),
            false => self.question.input(orchestrates).ok()?.0,
        };
        let score = Arc::clone(self.score.as_ref()?);
        Some(shadow::Question { slot: Arc::clone(&trial.slot), score, input, picked })
    }

    fn in_order(&mut self, label: &'static str) -> Result<Choice, NoChoice> {
        let moment = Moment::now(self.question.arrived);
        let (input, last_resort) = self.question.input(false).map_err(NoChoice::NoCandidate)?;
        let decision = Decision::in_order(input.candidates.len(), label);
        self.asked.push(asked::by_nobody(moment, &input, &decision));
        let course = Course::Decision { decision, policy: None };
        Ok(Choice { course, input, last_resort, records: Vec::new() })
    }
}

impl Question<'_> {
    /// Returns why no model can serve the request, if that is why a policy found none.
    /// A policy that plans is asked even then, as parts of the request may be servable;
    /// if it sees no way either, trying again later cannot help. If a model can serve the
    /// request, the policy has reasons of its own, which may pass.
    fn unservable(&self, refusal: &Refusal, input: &DecisionInput) -> Option<NoChoice> {
        if !matches!(refusal, Refusal::NoCandidate(_)) || input.orchestration.whole > 0 {
            return None;
        }
        let none = eligible(&self.route.models, &self.request, Instant::now()).err()?;
        Some(NoChoice::NoCandidate(none))
    }

    /// The input of a policy, and the unhealthy models that it does not see. One that
    /// orchestrates has candidates for parts of the request too, the unhealthy ones
    /// among them.
    fn input(&self, orchestrates: bool) -> Result<(DecisionInput, Vec<Candidate>), NoCandidate> {
        let (models, now) = (&self.route.models, Instant::now());
        let (candidates, whole, last_resort) = if orchestrates {
            let (candidates, whole) = partial(models, &self.request, now)?;
            (candidates, whole, Vec::new())
        } else {
            let Eligible { candidates, mut last_resort } = eligible(models, &self.request, now)?;
            if !self.route.limits.last_resort {
                last_resort.clear();
            }
            let whole = candidates.len();
            (candidates, whole, last_resort)
        };
        let candidates: Arc<[Candidate]> = candidates.into();
        let limits = self.route.limits.plan;
        let input = DecisionInput {
            request: Arc::clone(&self.request),
            candidates,
            prompt: Arc::<ChatPrompt>::clone(&self.prompt),
            orchestration: Orchestration { whole, limits, ..Orchestration::default() },
        };
        Ok((input, last_resort))
    }
}
