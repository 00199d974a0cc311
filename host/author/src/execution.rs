//! Execution of a request: the policy's first answer, and those after the tasks of its plans, whose
//! results a case states.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pointsman_domain::candidate::Candidate;
use pointsman_domain::money::Picodollars;
use pointsman_domain::plan::{Continuation, Plan, PlanStep, Task, TaskResult};
use pointsman_domain::prompt::tokens_of_text;
use pointsman_domain::usage::Usage;
use pointsman_policy::{CallTrace, DecisionInput, Examination, FuelUse, Policy, PolicyAnswer, PolicyFailure};
use pointsman_state::{PolicyState, StateAccess, WriteError};

use crate::case::format::{EarlierCall, TaskOutcome};
use crate::case::{Case, earlier, input};
use crate::subject::Sandbox;

/// Finish reason of outputs that state none.
const STOP: &str = "stop";

/// The calls of a policy for one request.
#[derive(Clone)]
pub struct RequestRun {
    /// The input of the first call.
    pub input: DecisionInput,
    /// Calls in order. Never empty.
    pub calls: Vec<Examination>,
    /// Calls before the request.
    pub earlier: Vec<EarlierRun>,
    /// Results of tasks so far, by number.
    pub results: Vec<TaskResult>,
    /// Reason why the last answer is not the end of the request, if it is not.
    pub stopped: Option<Stopped>,
    /// State that the policy keeps, if it keeps any.
    kept: Option<Arc<PolicyState>>,
}

/// A call before the request of a case.
#[derive(Clone, Debug)]
pub struct EarlierRun {
    /// `request`, `outcome` or `rating`.
    pub kind: &'static str,
    /// Failure of the policy, if it failed.
    pub failure: Option<PolicyFailure>,
    /// Imported functions that it called, and lines that it logged.
    pub trace: CallTrace,
    /// Executed instructions, if they were counted.
    pub fuel: Option<FuelUse>,
}

impl<T> From<(&'static str, Examination<T>)> for EarlierRun {
    fn from((kind, call): (&'static str, Examination<T>)) -> Self {
        Self { kind, failure: call.answer.err(), trace: call.trace, fuel: call.fuel }
    }
}

/// The reason why a request was not carried on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The plan is to be resumed, and results of its tasks are not stated.
    NoResult {
        /// Name of the first task without a result.
        task: String,
    },
    /// A task failed that is not optional, so the request fails.
    TaskFailed {
        /// Name of the task.
        task: String,
    },
    /// A result names a candidate that there is not.
    UnknownCandidate {
        /// Name of the task.
        task: String,
        /// The candidate.
        candidate: String,
    },
    /// The route's limit on steps is reached.
    TooManySteps {
        /// The limit.
        limit: usize,
    },
}

impl RequestRun {
    /// Returns the last call.
    pub fn last(&self) -> Option<&Examination> {
        self.calls.last()
    }

    /// Returns the executed instructions of all calls, if they were counted.
    pub fn fuel(&self) -> Option<u64> {
        self.calls.iter().map(|call| call.fuel.map(|fuel| fuel.total())).sum()
    }

    /// Returns the state that the policy keeps, if it keeps any.
    pub fn kept(&self) -> Option<&PolicyState> {
        self.kept.as_deref()
    }

    /// Returns the largest memory of the calls' instances, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.calls.iter().map(|call| call.memory_bytes).max().unwrap_or(0)
    }
}

/// Results of tasks that a case states.
struct StatedResults<'a> {
    outcomes: &'a [TaskOutcome],
    /// Results used so far, by place in `outcomes`.
    used: Vec<bool>,
}

/// Replaces the values that a policy keeps by those that a case states, so that no case depends on
/// another. A policy that keeps nothing ignores them.
///
/// # Errors
/// Fails if the gateway would reject a value.
pub fn set_state(policy: &Policy, values: Option<&BTreeMap<String, String>>) -> Result<(), WriteError> {
    let Some(state) = policy.state() else { return Ok(()) };
    let values = values.into_iter().flatten();
    state.replace(values.map(|(key, value)| (key.as_str(), Bytes::copy_from_slice(value.as_bytes()))))
}

/// Runs a case: sets the values that the policy keeps, makes the earlier calls, and runs the request. No
/// instance of an earlier case is used.
///
/// # Errors
/// Fails if the gateway would reject a value of the state.
pub fn execute_case(sandbox: &Sandbox, policy: &Policy, case: &Case) -> Result<RequestRun, WriteError> {
    set_state(policy, case.state.as_ref())?;
    policy.drop_idle_instances();
    let calls = case.earlier.iter().filter_map(|call| execute_earlier(sandbox, policy, case, call));
    let earlier = calls.collect();
    let input = input::decision_input(case, policy.orchestrates());
    let run = RequestRun { earlier, ..execute(sandbox, policy, input, &case.tasks) };
    // The sandbox has room for few of them.
    policy.drop_idle_instances();
    Ok(run)
}

/// Makes an earlier call. `None` for an event that the policy does not take.
fn execute_earlier(
    sandbox: &Sandbox,
    policy: &Policy,
    case: &Case,
    call: &EarlierCall,
) -> Option<EarlierRun> {
    if let Some(request) = &call.request {
        let candidates = call.candidates.as_ref().or(case.candidates.as_ref());
        let candidates = candidates.map(Vec::as_slice).unwrap_or_default();
        let input = input::input_of(request, candidates, None, policy.orchestrates());
        return Some(("request", sandbox.wait(policy.examine(input, None))).into());
    }
    if let Some(outcome) = &call.outcome {
        let examined = policy.examine_outcome(earlier::outcome(outcome), StateAccess::default());
        return sandbox.wait(examined).map(|call| ("outcome", call).into());
    }
    let rating = earlier::rating(call.rating.as_ref()?);
    sandbox.wait(policy.examine_rating(rating, StateAccess::default())).map(|call| ("rating", call).into())
}

/// Runs a request to the end that the stated results of tasks allow.
pub fn execute(
    sandbox: &Sandbox,
    policy: &Policy,
    input: DecisionInput,
    outcomes: &[TaskOutcome],
) -> RequestRun {
    let limit = input.orchestration.limits.steps;
    let mut stated = StatedResults { outcomes, used: vec![false; outcomes.len()] };
    let kept = policy.state().cloned();
    let (calls, results) = (Vec::new(), Vec::new());
    let earlier = Vec::new();
    let mut run = RequestRun { input: input.clone(), calls, earlier, results, stopped: None, kept };
    let mut next = input;
    let mut state: Option<Vec<u8>> = None;
    loop {
        let call = sandbox.wait(policy.examine(next.clone(), state.as_deref()));
        let resumed = match &call.answer {
            Ok(PolicyAnswer::Step(PlanStep::Run(plan))) => {
                let state = match plan.next() {
                    Continuation::Resume(state) => Some(state.clone()),
                    Continuation::Answer(_) | Continuation::Compose(_) => None,
                };
                let failed = stated.add_results(plan, &run.input.candidates, &mut run.results);
                match (state, failed) {
                    (Some(state), None) => Some(state),
                    (Some(_), stopped) => {
                        run.stopped = stopped;
                        None
                    }
                    // What follows the plan is not asked, so results matter only where they are stated.
                    (None, Some(Stopped::NoResult { .. }) | None) => None,
                    (None, stopped) => {
                        run.stopped = stopped;
                        None
                    }
                }
            }
            _ => None,
        };
        run.calls.push(call);
        let Some(carried) = resumed else { return run };
        if run.calls.len() >= limit {
            run.stopped = Some(Stopped::TooManySteps { limit });
            return run;
        }
        state = Some(carried);
        next.orchestration.results = run.results.as_slice().into();
    }
}

impl StatedResults<'_> {
    /// Adds the results of a plan's tasks. Returns the reason if one is missing or ends the request.
    fn add_results(
        &mut self,
        plan: &Plan,
        candidates: &[Candidate],
        results: &mut Vec<TaskResult>,
    ) -> Option<Stopped> {
        for task in plan.tasks() {
            let name = || task.name().to_owned();
            let Some(outcome) = self.take(task.name()) else {
                return Some(Stopped::NoResult { task: name() });
            };
            let candidate = match &outcome.candidate {
                None => task.decision().targets().first().map(|target| target.candidate),
                Some(id) => match candidates.iter().position(|it| it.model.id.as_str() == id) {
                    Some(candidate) => Some(candidate),
                    None => {
                        return Some(Stopped::UnknownCandidate { task: name(), candidate: id.clone() });
                    }
                },
            };
            if outcome.output.is_none() && !task.optional {
                return Some(Stopped::TaskFailed { task: name() });
            }
            results.push(result(task, outcome, candidate, candidates));
        }
        None
    }

    /// Takes the next result for a task of this name; the last one serves all further tasks.
    fn take(&mut self, name: &str) -> Option<&TaskOutcome> {
        let of_name = |it: &(usize, &TaskOutcome)| it.1.name == name;
        let mut places = self.outcomes.iter().enumerate().filter(of_name);
        let (place, outcome) = places
            .clone()
            .find(|(place, _)| self.used.get(*place) == Some(&false))
            .or_else(|| places.next_back())?;
        if let Some(used) = self.used.get_mut(place) {
            *used = true;
        }
        Some(outcome)
    }
}

fn result(
    task: &Task,
    outcome: &TaskOutcome,
    candidate: Option<usize>,
    candidates: &[Candidate],
) -> TaskResult {
    let input_tokens = outcome.input_tokens.unwrap_or(0).into();
    let estimated = || tokens_of_text(outcome.output.as_ref().map_or(0, String::len) as u64);
    let output_tokens = outcome.output_tokens.map_or_else(estimated, u64::from);
    let price = candidate.and_then(|index| candidates.get(index)).map(|it| &it.model.price);
    let priced = || price.map_or(Picodollars::ZERO, |price| price.of(input_tokens, output_tokens));
    let failed = || Some(outcome.error.clone().unwrap_or_else(|| "the case states no output".to_owned()));
    let is_done = outcome.output.is_some();
    TaskResult {
        name: task.name().into(),
        output: outcome.output.as_deref().map(Arc::from),
        candidate: candidate.filter(|_| is_done),
        finish_reason: is_done.then(|| outcome.finish_reason.clone().unwrap_or_else(|| STOP.to_owned())),
        usage: Usage::counted(input_tokens, output_tokens),
        cost: outcome.cost.map_or_else(priced, Picodollars::from_usd),
        latency: Duration::try_from_secs_f64(outcome.latency_ms.unwrap_or(0.0) / 1e3).unwrap_or_default(),
        error: if is_done { None } else { failed() },
    }
}
