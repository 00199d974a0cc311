//! Decisions, as a simulation asks for them.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use pointsman_domain::candidate::{Candidate, Eligible, eligible};
use pointsman_domain::decision::Decision;
use pointsman_domain::model::Model;
use pointsman_domain::outcome::Outcome;
use pointsman_domain::plan::{PlanLimits, PlanStep, TaskResult};
use pointsman_domain::prompt::Prompt;
use pointsman_domain::request::RequestFacts;

/// Label of decisions in the order of the models.
const IN_ORDER: &str = "static";

/// Request that needs a decision.
pub struct DecisionQuery<'a> {
    /// Facts, with the time that is left.
    pub request: &'a Arc<RequestFacts>,
    /// Content.
    pub content: &'a Arc<dyn Prompt>,
    /// Models of the route. Their live statistics are those of the simulated time.
    pub models: &'a [Arc<Model>],
    /// Simulated time.
    pub now: Instant,
    /// Stage of the route's chain of policies that decides first: 0, or one after a policy whose plan
    /// failed.
    pub stage: usize,
}

impl fmt::Debug for DecisionQuery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecisionQuery").field("request", &self.request).finish_non_exhaustive()
    }
}

/// Plan that needs its next step.
#[derive(Clone)]
pub struct Resumption<'a> {
    /// Facts, with the time that is left.
    pub request: &'a Arc<RequestFacts>,
    /// Content.
    pub content: &'a Arc<dyn Prompt>,
    /// Candidates of the first step.
    pub candidates: &'a Arc<[Candidate]>,
    /// Number of candidates, counted from the first, that can serve the whole request.
    pub whole: usize,
    /// Remainder of the limits on plans.
    pub limits: PlanLimits,
    /// Results of the tasks of earlier steps.
    pub results: Arc<[TaskResult]>,
    /// State that the plan carries.
    pub state: &'a [u8],
    /// Stage that began the plan.
    pub stage: usize,
}

impl fmt::Debug for Resumption<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resumption").field("stage", &self.stage).finish_non_exhaustive()
    }
}

/// Result of a decision.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Action to take.
    pub action: Action,
    /// Candidates to which the action refers, those of the last resort included.
    pub candidates: Arc<[Candidate]>,
    /// Number of candidates, counted from the first, that can serve the whole request.
    pub whole: usize,
    /// Stage that decided.
    pub stage: usize,
    /// True if the policy that decided may answer with plans.
    pub orchestrates: bool,
    /// Reasons for which earlier stages did not decide.
    pub failures: Vec<&'static str>,
}

/// Action to take for a request.
#[derive(Clone, Debug)]
pub enum Action {
    /// Call models in this order.
    Route(Decision),
    /// Run a plan.
    Plan(PlanStep),
    /// Reject the request, because a policy refused it.
    Refuse,
    /// Reject the request, because no model can serve it.
    NoCandidate,
    /// Reject the request, because the policy failed.
    Reject,
}

/// Answer to a resumption.
#[derive(Clone, Debug)]
pub enum ResumptionAnswer {
    /// Next step.
    Step(PlanStep),
    /// Refusal to continue.
    Refused,
    /// Failure of the policy, with its reason.
    Failed(&'static str),
}

/// Source of decisions.
pub trait DecisionMaker {
    /// Decides what to do with a request.
    fn decide(&mut self, query: &DecisionQuery<'_>) -> Selection;

    /// Returns the next step of a plan.
    fn resume(&mut self, resumption: &Resumption<'_>) -> ResumptionAnswer;

    /// Returns whether [`observe`](Self::observe) has an effect.
    fn observes(&self) -> bool {
        false
    }

    /// Reports the outcome of a request that a stage decided.
    fn observe(&mut self, _stage: usize, _outcome: &Outcome) {}
}

/// The order of the models, without a policy.
#[derive(Clone, Copy, Debug, Default)]
pub struct InOrder;

impl DecisionMaker for InOrder {
    fn decide(&mut self, query: &DecisionQuery<'_>) -> Selection {
        let (action, candidates, whole) = match eligible(query.models, query.request, query.now) {
            Err(_) => (Action::NoCandidate, Vec::new(), 0),
            Ok(Eligible { mut candidates, last_resort }) => {
                let whole = candidates.len();
                candidates.extend(last_resort);
                (Action::Route(Decision::in_order(candidates.len(), IN_ORDER)), candidates, whole)
            }
        };
        let candidates = candidates.into();
        Selection { action, candidates, whole, stage: query.stage, orchestrates: false, failures: Vec::new() }
    }

    fn resume(&mut self, _: &Resumption<'_>) -> ResumptionAnswer {
        ResumptionAnswer::Refused
    }
}
