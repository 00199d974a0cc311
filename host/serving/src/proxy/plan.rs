//! Runs a plan step by step, with concurrent tasks where their order allows it, until there is an
//! answer. Dropping the future ends every call that is under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::HeaderMap;
use pointsman_config::RouteLimits;
use pointsman_dialects::call::TaskOutputs;
use pointsman_dialects::request::ClientConversation;
use pointsman_domain::decision::{Decision, Refusal};
use pointsman_domain::history::TaskRun;
use pointsman_domain::plan::{
    ComposedPart, Continuation, Finish, InvalidPlan, Plan, PlanLimitExceeded, PlanProgress, PlanStep,
    TaskResult,
};
use pointsman_domain::prompt::ContentSize;
use pointsman_policy::{DecisionInput, Policy, PolicyAnswer, PolicyFailure};

use super::decision_entry::{self, DecisionClock};
use super::race::{CallContext, WinningAttempt};
use crate::accounting::RequestAccounting;
use crate::memory::MemoryLease;
use assembly::Assembler;
use task_runner::{TaskEnd, TaskRunner};

pub mod assembly;
mod task_runner;

/// Runs the plan of one request.
pub struct PlanRunner<'a> {
    /// Context of the calls.
    pub calls: CallContext<'a>,
    /// The client's request.
    pub request: &'a ClientConversation,
    /// Headers of the client to forward.
    pub headers: &'a HeaderMap,
    /// Limits of attempts and plans.
    pub limits: &'a RouteLimits,
    /// Time of arrival.
    pub arrived: Instant,
    /// Time by which the answer has to be complete.
    pub deadline: Instant,
    /// Accounting of the request.
    pub accounting: &'a RequestAccounting,
    /// Counts the outputs of tasks as held, as long as the plan may refer to them.
    pub outputs: Mutex<Vec<MemoryLease>>,
    /// Assembler of large inputs and answers.
    pub assembler: &'a Assembler,
}

/// A plan that ended with an answer, or with a decision.
pub struct PlanResult {
    /// The label of the last step.
    pub label: String,
    /// The answer, or the decision.
    pub end: PlanEnd,
}

/// The end of a plan.
pub enum PlanEnd {
    /// A task's answer.
    Answer(Box<WinningAttempt>),
    /// A text composed of outputs.
    Text(String),
    /// A decision: one model answers the request as received.
    Route(Decision),
}

/// Reason for which a plan has no answer.
#[derive(Debug)]
pub enum PlanError {
    /// The policy failed when it was resumed.
    Policy(PolicyFailure),
    /// The policy refused to continue.
    Refused(Refusal),
    /// A required task failed.
    Task {
        /// Its name.
        name: Arc<str>,
        /// Explanation for the client.
        why: String,
        /// Kind of failure.
        cause: TaskFailure,
    },
    /// The answer would be larger than the plan may make it.
    Answer(PlanLimitExceeded),
}

/// Kinds of failure of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskFailure {
    /// No model gave an output in time.
    NoOutput,
    /// It would have used up more than the plan may.
    PlanLimit,
    /// The gateway has no memory left for an output.
    NoMemory,
}

impl PlanRunner<'_> {
    /// Runs steps until one ends the plan.
    pub async fn run(
        &self,
        step: PlanStep,
        policy: &Policy,
        mut input: DecisionInput,
    ) -> Result<PlanResult, PlanError> {
        let mut step = step;
        let mut outputs = TaskOutputs::default();
        for number in 1.. {
            let label = step.label().to_owned();
            let end = match step {
                PlanStep::Route(decision) => PlanEnd::Route(decision),
                PlanStep::Finish(finish) => {
                    self.record_finish(&input, number);
                    let size = finish.size(|task| outputs.size(task));
                    PlanEnd::Text(self.composed(&Arc::new(finish), Finish::content, size, &outputs).await?)
                }
                PlanStep::Run(plan) => {
                    self.record_plan(&plan, number);
                    let plan = Arc::new(plan);
                    let mut results = input.orchestration.results.to_vec();
                    let answer = self.tasks(&plan, &input, &mut results, &mut outputs).await?;
                    match (plan.next(), answer) {
                        (Continuation::Answer(_), Some(won)) => PlanEnd::Answer(won),
                        (Continuation::Resume(state), _) => {
                            input.orchestration.results = results.into();
                            input.orchestration.limits = self.accounting.calls().left(&self.limits.plan);
                            step = self.resume(policy, &mut input, state, number).await?;
                            continue;
                        }
                        (Continuation::Compose(_), _) => {
                            let size = plan.answer_size(|task| outputs.size(task));
                            PlanEnd::Text(self.composed(&plan, parts_of_answer, size, &outputs).await?)
                        }
                        (Continuation::Answer(_), None) => PlanEnd::Text(String::new()),
                    }
                }
            };
            return Ok(PlanResult { label, end });
        }
        Err(PlanError::Policy(InvalidPlan::TooManySteps(self.limits.plan.steps).into()))
    }

    /// Resumes the policy for the next step.
    async fn resume(
        &self,
        policy: &Policy,
        input: &mut DecisionInput,
        state: &[u8],
        steps: usize,
    ) -> Result<PlanStep, PlanError> {
        let limit = self.limits.plan.steps;
        if steps >= limit {
            return Err(PlanError::Policy(InvalidPlan::TooManySteps(limit).into()));
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        Arc::make_mut(&mut input.request).set_time_left(left);
        let clock = DecisionClock::start(self.arrived);
        let answer = policy.resume(input.clone(), state).await;
        let entry = decision_entry::of_policy(policy, clock, clock.elapsed(), input, &answer);
        self.accounting.decisions().append(vec![entry]);
        match answer.map_err(PlanError::Policy)? {
            PolicyAnswer::Step(step) => Ok(step),
            PolicyAnswer::Refusal(refusal) => Err(PlanError::Refused(refusal)),
        }
    }

    /// Runs the tasks of a plan until all have ended, and appends their results. Returns the answer
    /// if one of the tasks gives it.
    async fn tasks(
        &self,
        plan: &Arc<Plan>,
        input: &DecisionInput,
        results: &mut Vec<TaskResult>,
        outputs: &mut TaskOutputs,
    ) -> Result<Option<Box<WinningAttempt>>, PlanError> {
        let mut progress = PlanProgress::new(plan, self.limits.plan.parallel);
        let mut ended: HashMap<usize, TaskResult> = HashMap::new();
        let mut running = FuturesUnordered::new();
        loop {
            while let Some(number) = progress.begin() {
                if let Some(job) = TaskRunner::begin(self, number, plan, &input.candidates) {
                    running.push(job.run(outputs.clone()));
                }
            }
            let Some((number, end)) = running.next().await else { break };
            progress.ended(number);
            match end {
                TaskEnd::Answer(won) => return Ok(Some(won)),
                TaskEnd::Result(result) => {
                    outputs.set(number, result.output.clone());
                    ended.insert(number, result);
                }
                TaskEnd::FailedAttempt { result, cause } => {
                    if !plan.task(number).is_some_and(|task| task.optional) {
                        let why = result.error.unwrap_or_default();
                        return Err(PlanError::Task { name: result.name, why, cause });
                    }
                    outputs.set(number, None);
                    ended.insert(number, result);
                }
            }
        }
        results.extend((plan.first()..).map_while(|number| ended.remove(&number)));
        Ok(None)
    }

    /// Composes an answer of the parts that `source` has.
    async fn composed<S: Send + Sync + 'static>(
        &self,
        source: &Arc<S>,
        parts: fn(&S) -> &[ComposedPart],
        size: ContentSize,
        outputs: &TaskOutputs,
    ) -> Result<String, PlanError> {
        self.accounting.calls().reserve_content(&size, &self.limits.plan).map_err(PlanError::Answer)?;
        if !Assembler::takes(&size) {
            return Ok(self.request.compose_text(parts(source), outputs));
        }
        let (request, source, outputs) = (self.request.clone(), Arc::clone(source), outputs.clone());
        Ok(self.assembler.run(move || request.compose_text(parts(&source), &outputs)).await)
    }

    fn record_finish(&self, input: &DecisionInput, step: usize) {
        self.accounting.start_step(input.orchestration.results.len(), [], false);
        self.accounting.decisions().update_plan(|run| (run.steps, run.limits) = (step, self.limits.plan));
    }

    fn record_plan(&self, plan: &Plan, step: usize) {
        let step_follows = matches!(plan.next(), Continuation::Resume(_));
        self.accounting.start_step(plan.first(), plan.tasks(), step_follows);
        self.accounting.decisions().update_plan(|run| {
            (run.steps, run.limits) = (step, self.limits.plan);
            run.tasks.extend(task_runs(plan, step));
        });
    }

    fn hold_output(&self, memory: MemoryLease) {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }

    /// Time since the request arrived.
    fn elapsed(&self) -> Duration {
        self.accounting.elapsed(Instant::now())
    }
}

fn parts_of_answer(plan: &Plan) -> &[ComposedPart] {
    match plan.next() {
        Continuation::Compose(parts) => parts,
        Continuation::Answer(_) | Continuation::Resume(_) => &[],
    }
}

/// Returns the tasks of a step before any of them has begun.
pub fn task_runs(plan: &Plan, step: usize) -> Vec<TaskRun> {
    let run = |task: &pointsman_domain::plan::Task| TaskRun {
        name: task.name().to_owned(),
        operation: task.operation,
        step,
        after: task.after.clone(),
        begun: None,
        ended: None,
        model: None,
        output_bytes: None,
        error: None,
    };
    plan.tasks().iter().map(run).collect()
}
