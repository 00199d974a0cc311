//! What a policy is asked, and what it answers.

use std::sync::Arc;

use pointsman_domain::candidate::Candidate;
use pointsman_domain::decision::Refusal;
use pointsman_domain::plan::{PlanLimits, PlanScope, PlanStep, TaskResult};
use pointsman_domain::prompt::Prompt;
use pointsman_domain::request::RequestFacts;

/// What a policy decides on. Cheap to clone.
#[derive(Clone)]
pub struct DecisionInput {
    /// The request, without its content.
    pub request: Arc<RequestFacts>,
    /// The models that can serve it; not empty. For a policy that orchestrates,
    /// those that can serve a part of it too, after those that can serve it whole.
    pub candidates: Arc<[Candidate]>,
    /// Its content. Asked only by policies that were granted it.
    pub prompt: Arc<dyn Prompt>,
    /// What only a policy that orchestrates has a use for.
    pub orchestration: Orchestration,
}

/// What the steps of an orchestrating policy are checked against.
#[derive(Clone, Default)]
pub struct Orchestration {
    /// How many candidates, counted from the first, can serve the request whole.
    pub whole: usize,
    /// What plans may use up.
    pub limits: PlanLimits,
    /// What the tasks of earlier steps came to, by number.
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

/// What a policy answered, checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// What to do: a policy that only routes always says which models to try.
    Step(PlanStep),
    /// That it will not decide.
    Refusal(Refusal),
}
