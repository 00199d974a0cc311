//! Routing of a request: the route's policy decides, and a fallback where it fails.

use std::sync::Arc;
use std::time::Instant;

use pointsman_config::Mode;
use pointsman_domain::candidate::{Candidate, Eligible, NoCandidate, eligible, partial};
use pointsman_domain::decision::{Decision, Refusal};
use pointsman_domain::history::DecisionEntry;
use pointsman_domain::ids::PolicyName;
use pointsman_domain::model::Model;
use pointsman_domain::outcome::FailureCause;
use pointsman_domain::plan::PlanStep;
use pointsman_domain::prompt::Prompt;
use pointsman_domain::request::RequestFacts;
use pointsman_policy::{
    DecisionInput, Orchestration, Policy, PolicyAnswer, PolicyFailure, PolicyStats, StateUse,
};
use pointsman_state::StateAccess;

use super::decision_entry::{self, DecisionClock};
use super::provider_state::ServingModels;
use crate::rollout::trial::ComparableDecision;
use crate::rollout::{Trial, TrialStats, shadow};
use crate::snapshot::{Decider, OnFailure, Route, Strategy};

/// Label of decisions that the gateway makes when a policy failed.
const STATIC_ORDER: &str = "static";
/// Label of requests that name their model.
const DIRECT: &str = "direct";

/// A request as routing sees it.
#[derive(Clone)]
pub struct RoutingInput<'a> {
    /// The route, or the model that the client named.
    pub route: &'a Route,
    /// Models of the route that can serve the request, for reasons that no policy can change.
    pub serving: ServingModels,
    /// The facts that policies see.
    pub request: Arc<RequestFacts>,
    /// The content, for policies that may read it.
    pub prompt: Arc<dyn Prompt>,
    /// Time of arrival.
    pub arrived: Instant,
    /// Time by which the answer has to be complete.
    pub deadline: Instant,
    /// Cause of a failure for lack of time: the client if it asked for less time than the route allows.
    pub deadline_cause: FailureCause,
}

/// The result of routing.
pub struct Selection {
    /// The action to take.
    pub action: RoutingAction,
    /// The input of the decision, with the candidates to which the action refers.
    pub input: DecisionInput,
    /// Unhealthy models that the policy did not see. They are called when all of its targets have
    /// failed.
    pub last_resort: Vec<Candidate>,
    /// Statistics of versions that the outcome counts for.
    pub stats: Vec<Arc<PolicyStats>>,
}

/// Action to take for a request.
pub enum RoutingAction {
    /// One model answers.
    Decision {
        /// The models to try, in order.
        decision: Decision,
        /// The policy that decided; `None` for the gateway's own order.
        policy: Option<Arc<Policy>>,
    },
    /// A plan of several tasks.
    Plan {
        /// The first step.
        step: PlanStep,
        /// The policy that planned.
        policy: Arc<Policy>,
    },
}

impl RoutingAction {
    /// The label of the decision or plan.
    pub fn label(&self) -> &str {
        match self {
            Self::Decision { decision, .. } => decision.label(),
            Self::Plan { step, .. } => step.label(),
        }
    }

    /// The policy that decided; `None` for the gateway's own order.
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        match self {
            Self::Decision { policy, .. } => policy.as_ref(),
            Self::Plan { policy, .. } => Some(policy),
        }
    }
}

/// Reason for which a request is not routed.
#[derive(Debug)]
pub enum NotRouted {
    /// No model of the route can serve the request.
    NoCandidate(NoCandidate),
    /// A policy refused the request.
    Refused {
        /// The refusal.
        refusal: Refusal,
        /// The policy.
        policy: Arc<Policy>,
    },
    /// The route's policy failed, and the route rejects requests then.
    Rejected {
        /// The policy.
        policy: Arc<Policy>,
        /// Reason of the failure.
        reason: &'static str,
    },
    /// The route's policy is not loaded, and the route rejects requests then.
    NotLoaded(PolicyName),
}

impl NotRouted {
    /// The policy that refused or failed.
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        match self {
            Self::Refused { policy, .. } | Self::Rejected { policy, .. } => Some(policy),
            Self::NoCandidate(_) | Self::NotLoaded(_) => None,
        }
    }
}

/// Routes a request, and again where a plan fails. Each policy that a route names decides once.
pub struct DecisionMaker<'a> {
    input: RoutingInput<'a>,
    stage: Stage<'a>,
    /// Decisions since [`take_entries`](Self::take_entries) was called.
    entries: Vec<DecisionEntry>,
    failure: Option<&'static str>,
    /// Statistics of the route's trial, the same for the whole request.
    trial_stats: Option<Arc<TrialStats>>,
}

/// The next to decide.
#[derive(Clone)]
enum Stage<'a> {
    /// No decision: the client named the model.
    Direct,
    /// The policy on trial.
    Trial(&'a Trial),
    /// The active version of a policy.
    Active(&'a Decider),
    /// The version before it.
    Previous(&'a Decider),
    /// The gateway's own order.
    Static,
    /// Rejection, because this policy failed.
    Reject(Arc<Policy>),
    /// Rejection, because this policy is not loaded.
    RejectUnloaded(&'a PolicyName),
}

/// Reason for which a policy that is not loaded does not decide.
const NOT_LOADED: &str = "not_loaded";

impl<'a> DecisionMaker<'a> {
    /// A decision maker for one request.
    pub fn new(input: RoutingInput<'a>) -> Self {
        let trial = input.route.trial.as_ref();
        let stage = match (&input.route.strategy, trial) {
            (Strategy::Direct, _) => Stage::Direct,
            (Strategy::Policy(_), Some(trial)) if trial.decides(&input.request) => Stage::Trial(trial),
            (Strategy::Policy(decider), _) => Stage::Active(decider),
        };
        Self {
            input,
            stage,
            entries: Vec::with_capacity(1),
            failure: None,
            trial_stats: trial.map(Trial::stats),
        }
    }

    /// The facts of the request, with the time that is left.
    pub fn request(&self) -> Arc<RequestFacts> {
        Arc::clone(&self.input.request)
    }

    /// Takes the decisions since the last call.
    pub fn take_entries(&mut self) -> Vec<DecisionEntry> {
        std::mem::take(&mut self.entries)
    }

    /// The first reason for which the route's own policy did not decide.
    pub fn failure(&self) -> Option<&'static str> {
        self.failure
    }

    /// Decides what to do with the request.
    pub async fn decide(&mut self) -> Result<Selection, NotRouted> {
        loop {
            let (policy, slot) = match self.stage.clone() {
                Stage::Direct => return self.in_order(DIRECT),
                Stage::Static => return self.in_order(STATIC_ORDER),
                Stage::Reject(policy) => {
                    let reason = self.failure.unwrap_or_default();
                    return Err(NotRouted::Rejected { policy, reason });
                }
                Stage::RejectUnloaded(policy) => return Err(NotRouted::NotLoaded(policy.clone())),
                Stage::Trial(trial) => (trial.slot.active(), &trial.slot),
                Stage::Active(decider) => match &decider.slot {
                    Some(slot) => (slot.active(), slot),
                    None => {
                        self.fall_back(NOT_LOADED, Stage::RejectUnloaded(&decider.policy));
                        continue;
                    }
                },
                Stage::Previous(decider) => {
                    let previous = decider.slot.as_ref().and_then(|slot| Some((slot.previous()?, slot)));
                    match previous {
                        Some(previous) => previous,
                        None => {
                            self.stage = Stage::Static;
                            continue;
                        }
                    }
                }
            };
            let (input, last_resort) =
                self.input.decision_input(policy.orchestrates()).map_err(NotRouted::NoCandidate)?;
            let input = DecisionInput { state: self.state_use(&policy), ..input };
            let clock = DecisionClock::start(self.input.arrived);
            let answer = policy.decide(input.clone()).await;
            let (took, failure) = (clock.elapsed(), answer.as_ref().err());
            slot.record_decision(&policy, took, failure);
            self.comparison_stats().for_each(|stats| stats.record_decision(took, failure));
            self.entries.push(decision_entry::of_policy(&policy, clock, took, &input, &answer));
            let action = match answer {
                Ok(PolicyAnswer::Step(PlanStep::Route(decision))) => {
                    RoutingAction::Decision { decision, policy: Some(Arc::clone(&policy)) }
                }
                Ok(PolicyAnswer::Step(step)) => RoutingAction::Plan { step, policy: Arc::clone(&policy) },
                Ok(PolicyAnswer::Refusal(refusal)) => {
                    let unservable = self.input.unservable(&refusal, &input);
                    return Err(unservable.unwrap_or(NotRouted::Refused { refusal, policy }));
                }
                Err(failure) => {
                    self.fall_back_from(&policy, &failure);
                    continue;
                }
            };
            let stats = std::iter::once(policy.stats()).chain(self.comparison_stats()).cloned().collect();
            return Ok(Selection { action, input, last_resort, stats });
        }
    }

    /// Records that the policy failed after its decision, and moves to the next stage.
    pub fn record_failure(&mut self, policy: &Arc<Policy>, failure: &PolicyFailure) {
        match &self.stage {
            Stage::Trial(trial) => trial.slot.record_failure(policy, failure),
            Stage::Active(decider) | Stage::Previous(decider) => {
                if let Some(slot) = &decider.slot {
                    slot.record_failure(policy, failure);
                }
            }
            Stage::Direct | Stage::Static | Stage::Reject(_) | Stage::RejectUnloaded(_) => {}
        }
        self.comparison_stats().for_each(|stats| stats.record_failure(failure));
        self.fall_back_from(policy, failure);
    }

    fn fall_back_from(&mut self, policy: &Arc<Policy>, failure: &PolicyFailure) {
        self.fall_back(failure.reason(), Stage::Reject(Arc::clone(policy)));
    }

    /// Moves to the stage after a policy that did not decide: `rejection` where the route rejects
    /// requests then.
    fn fall_back(&mut self, reason: &'static str, rejection: Stage<'a>) {
        self.failure.get_or_insert(reason);
        // A plan may have run for minutes before its policy failed.
        let left = self.input.deadline.saturating_duration_since(Instant::now());
        Arc::make_mut(&mut self.input.request).set_time_left(left);
        self.stage = match (&self.stage, &self.input.route.strategy) {
            (Stage::Trial(_), Strategy::Policy(decider)) => Stage::Active(decider),
            (Stage::Active(decider), _) => match &decider.on_failure {
                OnFailure::Reject => rejection,
                OnFailure::StaticOrder => Stage::Static,
                OnFailure::Previous => Stage::Previous(decider),
                OnFailure::Ask(next) => Stage::Active(next),
            },
            _ => Stage::Static,
        };
    }

    /// Statistics, beside the policy's own, by which its version is compared: those of its side of
    /// a trial, and of a promotion.
    fn comparison_stats(&self) -> impl Iterator<Item = &Arc<PolicyStats>> {
        let is_own = match (&self.stage, &self.input.route.strategy) {
            // Identity, not equality: a fallback may be another use of the same policy.
            (Stage::Active(decider), Strategy::Policy(own)) => std::ptr::eq(*decider, own),
            _ => false,
        };
        let side = self.trial_stats.as_ref().and_then(|stats| match self.stage {
            Stage::Trial(_) => Some(&stats.trial),
            _ => is_own.then_some(&stats.active),
        });
        let promotion = self.input.route.promotion.as_ref().filter(|_| is_own);
        side.into_iter().chain(promotion.map(|promotion| &promotion.new))
    }

    /// Returns the input for the route's shadow, once the route's own policy has decided.
    pub fn shadow_request(&self, selection: &Selection) -> Option<shadow::ShadowRequest> {
        let trial = self.input.route.trial.as_ref().filter(|trial| trial.mode == Mode::Shadow)?;
        let policy = selection.action.policy()?;
        let active = match &selection.action {
            RoutingAction::Decision { decision, .. } => {
                ComparableDecision::decision(decision, &selection.input)
            }
            RoutingAction::Plan { .. } => ComparableDecision::Plan,
        };
        let orchestrates = trial.slot.active().orchestrates();
        let input = match orchestrates == policy.orchestrates() {
            true => selection.input.clone(),
            false => self.input.decision_input(orchestrates).ok()?.0,
        };
        let input = DecisionInput { state: StateAccess::Discarded.into(), ..input };
        let stats = Arc::clone(self.trial_stats.as_ref()?);
        Some(shadow::ShadowRequest { slot: Arc::clone(&trial.slot), stats, input, active })
    }

    /// Returns the access of a decision's calls to the state that the policy keeps. A canary's writes
    /// are kept apart.
    fn state_use(&self, policy: &Policy) -> StateUse {
        if policy.state().is_none() {
            return StateUse::default();
        }
        let access = match &self.stage {
            Stage::Trial(trial) => StateAccess::Overlaid(Arc::clone(&trial.overlay)),
            _ => StateAccess::Direct,
        };
        StateUse { access, usage: Some(Arc::default()) }
    }

    fn in_order(&mut self, label: &'static str) -> Result<Selection, NotRouted> {
        let clock = DecisionClock::start(self.input.arrived);
        let (input, last_resort) = self.input.decision_input(false).map_err(NotRouted::NoCandidate)?;
        let decision = Decision::in_order(input.candidates.len(), label);
        self.entries.push(decision_entry::of_gateway(clock, &input, &decision));
        let action = RoutingAction::Decision { decision, policy: None };
        Ok(Selection { action, input, last_resort, stats: Vec::new() })
    }
}

impl RoutingInput<'_> {
    /// Returns why no model can serve the request, if that is why a policy found none.
    /// A policy that plans decides even then, since parts of the request may be servable; if it
    /// finds no way either, a later attempt cannot succeed. If a model can serve the request, the
    /// policy has reasons of its own, which may pass.
    fn unservable(&self, refusal: &Refusal, input: &DecisionInput) -> Option<NotRouted> {
        if !matches!(refusal, Refusal::NoCandidate(_)) || input.orchestration.whole > 0 {
            return None;
        }
        let none = eligible(self.models(), &self.request, Instant::now()).err()?;
        Some(NotRouted::NoCandidate(none))
    }

    /// Returns the models of the route that can serve the request, for reasons that no policy can
    /// change.
    pub fn models(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.route.models.iter().filter(|model| self.serving.contains(model))
    }

    /// Returns the input of a policy, and the unhealthy models that it does not see. A policy that
    /// plans gets candidates for parts of the request too, unhealthy ones included.
    fn decision_input(&self, orchestrates: bool) -> Result<(DecisionInput, Vec<Candidate>), NoCandidate> {
        let (models, now) = (self.models(), Instant::now());
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
            prompt: Arc::clone(&self.prompt),
            orchestration: Orchestration { whole, limits, ..Orchestration::default() },
            state: StateUse::default(),
        };
        Ok((input, last_resort))
    }
}
