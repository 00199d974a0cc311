//! Input and result of a decision.

use std::sync::Arc;

use pointsman_domain::candidate::Candidate;
use pointsman_domain::decision::Refusal;
use pointsman_domain::plan::{PlanLimits, PlanScope, PlanStep, TaskResult};
use pointsman_domain::prompt::Prompt;
use pointsman_domain::request::RequestFacts;
use pointsman_state::{StateAccess, StateUsage};

/// The facts that a policy decides on. Cheap to clone.
#[derive(Clone)]
pub struct DecisionInput {
    /// The request, without its content.
    pub request: Arc<RequestFacts>,
    /// The models that can serve it; not empty. For an orchestrating policy, models that can serve a
    /// part of the request follow those that can serve it whole.
    pub candidates: Arc<[Candidate]>,
    /// Its content, read only by policies that were granted it.
    pub prompt: Arc<dyn Prompt>,
    /// Further facts for orchestrating policies.
    pub orchestration: Orchestration,
    /// Access to the policy's state.
    pub state: StateUse,
}

/// Access of the calls for one decision to the policy's state.
#[derive(Clone, Debug, Default)]
pub struct StateUse {
    /// Effect of writes.
    pub access: StateAccess,
    /// Counts of reads and writes, if the caller needs them.
    pub usage: Option<Arc<StateUsage>>,
}

impl From<StateAccess> for StateUse {
    fn from(access: StateAccess) -> Self {
        Self { access, usage: None }
    }
}

/// Facts against which the steps of an orchestrating policy are validated.
#[derive(Clone, Default)]
pub struct Orchestration {
    /// Number of candidates, counted from the first, that can serve the request whole.
    pub whole: usize,
    /// Limits on plans.
    pub limits: PlanLimits,
    /// Results of the tasks of earlier steps, by number.
    pub results: Arc<[TaskResult]>,
}

impl DecisionInput {
    pub(crate) fn scope(&self) -> PlanScope<'_> {
        PlanScope {
            request: &self.request,
            content: &*self.prompt,
            candidates: &self.candidates,
            whole: self.orchestration.whole,
            first: self.orchestration.results.len(),
            limits: &self.orchestration.limits,
        }
    }
}

/// A validated answer of a policy.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyAnswer {
    /// The next step. A router always answers with the models to try.
    Step(PlanStep),
    /// A refusal to decide.
    Refusal(Refusal),
}
