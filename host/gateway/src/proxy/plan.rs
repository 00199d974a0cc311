//! Runs a plan: tasks side by side where they can, step after step, until there
//! is an answer. Dropping the future ends every call that is under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::HeaderMap;
use pointsman_domain::decision::{Decision, Refusal};
use pointsman_domain::history::TaskRun;
use pointsman_domain::plan::{
    ComposedPart, Continuation, Finish, InvalidPlan, Plan, PlanLimitExceeded, PlanProgress, PlanStep,
    TaskResult,
};
use pointsman_domain::prompt::ContentSize;
use pointsman_policy::{Answer, DecisionInput, Policy, PolicyFailure};
use pointsman_wire::openai::client::ChatRequest;
use pointsman_wire::openai::pass_through::TaskOutputs;

use super::asked::{self, Moment};
use super::race::{CallContext, Won};
use crate::config::RouteLimits;
use crate::ledger::Account;
use crate::memory::MemoryLease;
use assembly::Assembler;
use task::{Ended, Job};

pub(crate) mod assembly;
mod task;

/// What the tasks of one request are run with.
pub(crate) struct Conductor<'a> {
    /// Context of the calls.
    pub(crate) calls: CallContext<'a>,
    /// The client's request.
    pub(crate) request: &'a ChatRequest,
    /// The client's headers that go along.
    pub(crate) headers: &'a HeaderMap,
    /// How long and how often each task is tried, and what plans may use up.
    pub(crate) limits: &'a RouteLimits,
    /// When the request arrived.
    pub(crate) arrived: Instant,
    /// When the request has to be over.
    pub(crate) deadline: Instant,
    /// What is used.
    pub(crate) account: &'a Account,
    /// Counts the outputs of tasks as held, as long as the plan may refer to them.
    pub(crate) outputs: Mutex<Vec<MemoryLease>>,
    /// Assembler of large inputs and answers.
    pub(crate) assembler: &'a Assembler,
}

/// What a plan came to.
pub(crate) struct Result {
    /// The label of the last step.
    pub(crate) label: String,
    /// The answer, or the way to it.
    pub(crate) end: End,
}

/// How a plan ended.
pub(crate) enum End {
    /// A task's answer, on its way.
    Answer(Box<Won>),
    /// A text that was put together.
    Text(String),
    /// One model is to answer the request as it is.
    Route(Decision),
}

/// Why a plan did not come to an answer.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The policy failed when it was asked again.
    Policy(PolicyFailure),
    /// The policy declined to go on.
    Refused(Refusal),
    /// A task that is needed failed.
    Task {
        /// Its name.
        name: Arc<str>,
        /// What the client may hear of it.
        why: String,
        /// Kind of failure.
        cause: TaskFailure,
    },
    /// The answer would be larger than the plan may make it.
    Answer(PlanLimitExceeded),
}

/// Kinds of failure of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskFailure {
    /// No model gave an output in time.
    NoOutput,
    /// It would have used up more than the plan may.
    PlanLimitExceeded,
    /// The gateway has no memory left for an output.
    NoMemory,
}

impl Conductor<'_> {
    /// Does what a policy said, and asks it again as long as it wants to be.
    pub(crate) async fn run(
        &self,
        step: PlanStep,
        policy: &Policy,
        mut input: DecisionInput,
    ) -> std::result::Result<Result, Stopped> {
        let mut step = step;
        let mut outputs = TaskOutputs::default();
        for asked in 1.. {
            let label = step.label().to_owned();
            let end = match step {
                PlanStep::Route(decision) => End::Route(decision),
                PlanStep::Finish(finish) => {
                    self.note_finish(&input, asked);
                    let size = finish.size(|task| outputs.size(task));
                    End::Text(self.composed(&Arc::new(finish), Finish::content, size, &outputs).await?)
                }
                PlanStep::Run(plan) => {
                    self.note_plan(&plan, asked);
                    let plan = Arc::new(plan);
                    let mut results = input.orchestration.results.to_vec();
                    let answer = self.tasks(&plan, &input, &mut results, &mut outputs).await?;
                    match (plan.next(), answer) {
                        (Continuation::Answer(_), Some(won)) => End::Answer(won),
                        (Continuation::Resume(state), _) => {
                            input.orchestration.results = results.into();
                            input.orchestration.limits = self.account.left(&self.limits.plan);
                            step = self.resume(policy, &mut input, state, asked).await?;
                            continue;
                        }
                        (Continuation::Compose(_), _) => {
                            let size = plan.answer_size(|task| outputs.size(task));
                            End::Text(self.composed(&plan, parts_of_answer, size, &outputs).await?)
                        }
                        (Continuation::Answer(_), None) => End::Text(String::new()),
                    }
                }
            };
            return Ok(Result { label, end });
        }
        Err(Stopped::Policy(InvalidPlan::TooManySteps(self.limits.plan.steps).into()))
    }

    /// Asks the policy what to do next.
    async fn resume(
        &self,
        policy: &Policy,
        input: &mut DecisionInput,
        state: &[u8],
        asked: usize,
    ) -> std::result::Result<PlanStep, Stopped> {
        let limit = self.limits.plan.steps;
        if asked >= limit {
            return Err(Stopped::Policy(InvalidPlan::TooManySteps(limit).into()));
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        Arc::make_mut(&mut input.request).set_time_left(left);
        let moment = Moment::now(self.arrived);
        let answer = policy.resume(input.clone(), state).await;
        self.account.asked(vec![asked::by_policy(policy, moment, moment.elapsed(), input, &answer)]);
        match answer.map_err(Stopped::Policy)? {
            Answer::Step(step) => Ok(step),
            Answer::Refusal(refusal) => Err(Stopped::Refused(refusal)),
        }
    }

    /// Runs the tasks of a plan until all have ended, adding their results. Gives
    /// the answer on its way if a task is to give it.
    async fn tasks(
        &self,
        plan: &Arc<Plan>,
        input: &DecisionInput,
        results: &mut Vec<TaskResult>,
        outputs: &mut TaskOutputs,
    ) -> std::result::Result<Option<Box<Won>>, Stopped> {
        let mut progress = PlanProgress::new(plan, self.limits.plan.parallel);
        let mut ended: HashMap<usize, TaskResult> = HashMap::new();
        let mut running = FuturesUnordered::new();
        loop {
            while let Some(number) = progress.begin() {
                if let Some(job) = Job::begin(self, number, plan, &input.candidates) {
                    running.push(job.run(outputs.clone()));
                }
            }
            let Some((number, end)) = running.next().await else { break };
            progress.ended(number);
            match end {
                Ended::Answer(won) => return Ok(Some(won)),
                Ended::Result(result) => {
                    outputs.set(number, result.output.clone());
                    ended.insert(number, result);
                }
                Ended::Failed { result, cause } => {
                    if !plan.task(number).is_some_and(|task| task.optional) {
                        let why = result.error.unwrap_or_default();
                        return Err(Stopped::Task { name: result.name, why, cause });
                    }
                    outputs.set(number, None);
                    ended.insert(number, result);
                }
            }
        }
        results.extend((plan.first()..).map_while(|number| ended.remove(&number)));
        Ok(None)
    }

    /// Puts an answer together whose parts `source` has.
    async fn composed<S: Send + Sync + 'static>(
        &self,
        source: &Arc<S>,
        parts: fn(&S) -> &[ComposedPart],
        size: ContentSize,
        outputs: &TaskOutputs,
    ) -> std::result::Result<String, Stopped> {
        self.account.assemble(&size, &self.limits.plan).map_err(Stopped::Answer)?;
        if !Assembler::takes(&size) {
            return Ok(self.request.compose_text(parts(source), outputs));
        }
        let (request, source, outputs) = (self.request.clone(), Arc::clone(source), outputs.clone());
        Ok(self.assembler.run(move || request.compose_text(parts(&source), &outputs)).await)
    }

    fn note_finish(&self, input: &DecisionInput, asked: usize) {
        self.account.begin_step(input.orchestration.results.len(), [], false);
        self.account.note(|run| run.steps = asked);
    }

    fn note_plan(&self, plan: &Plan, asked: usize) {
        let step_follows = matches!(plan.next(), Continuation::Resume(_));
        self.account.begin_step(plan.first(), plan.tasks(), step_follows);
        self.account.note(|run| {
            run.steps = asked;
            run.tasks.extend(runs(plan, asked));
        });
    }

    fn hold_output(&self, memory: MemoryLease) {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }

    /// Time since the request arrived.
    fn elapsed(&self) -> Duration {
        self.account.elapsed(Instant::now())
    }
}

fn parts_of_answer(plan: &Plan) -> &[ComposedPart] {
    match plan.next() {
        Continuation::Compose(parts) => parts,
        Continuation::Answer(_) | Continuation::Resume(_) => &[],
    }
}

/// The tasks of a step, before any of them has begun.
pub(crate) fn runs(plan: &Plan, step: usize) -> Vec<TaskRun> {
    let run = |task: &pointsman_domain::plan::Task| TaskRun {
        name: task.name().to_owned(),
        operation: task.operation.as_str(),
        step,
        after: task.after.clone(),
        begun: None,
        ended: None,
        model: None,
        error: None,
    };
    plan.tasks().iter().map(run).collect()
}
