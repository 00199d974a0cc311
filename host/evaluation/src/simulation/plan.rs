//! Plans: tasks in the order of their dependencies, step by step.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::model::Operation;
use pointsman_domain::money::Picodollars;
use pointsman_domain::plan::{Continuation, Plan, PlanProgress, PlanStep, TaskResult};
use pointsman_domain::prompt::ContentSize;
use pointsman_domain::usage::Usage;

use super::decision::{DecisionMaker, Resumption, ResumptionAnswer};
use super::engine::Engine;
use super::fault::Fault;
use super::output;
use super::race::RaceSettings;
use super::slab::Key;

/// Reason of a plan that would take more steps than its limit.
const TOO_MANY_STEPS: &str = "invalid";

/// Plan of a request.
#[derive(Debug)]
pub(super) struct PlanRun {
    /// Plan of the current step.
    plan: Arc<Plan>,
    progress: PlanProgress,
    /// Number of the current step, from 1.
    step: usize,
    /// Tasks of this step that have ended.
    ended: HashMap<usize, TaskResult>,
    /// True if the step's continuation has been taken.
    is_continued: bool,
    /// Results of earlier steps.
    results: Vec<TaskResult>,
    /// Sizes of the outputs of all steps.
    sizes: HashMap<usize, ContentSize>,
    /// Start, usage and cost of each task of all steps.
    tasks: HashMap<usize, (Duration, Usage, Picodollars)>,
}

impl PlanRun {
    pub(super) fn add_usage(&mut self, task: usize, usage: Usage, cost: Picodollars) {
        if let Some((_, of_task, total)) = self.tasks.get_mut(&task) {
            *of_task = *of_task + usage;
            *total += cost;
        }
    }
}

impl<M: DecisionMaker> Engine<'_, M> {
    /// Follows a step of a plan.
    pub(super) fn take_step(&mut self, key: Key, step: PlanStep) {
        let limits = self.setup.limits.plan;
        let Some(run) = self.runs.get_mut(key) else { return };
        match step {
            PlanStep::Route(decision) => {
                run.depth += 1;
                let budget = Some((limits, None)).filter(|_| run.plan.is_some() || limits.cost.is_some());
                self.start_whole(key, &decision, budget);
            }
            PlanStep::Finish(_) => self.composed(key),
            PlanStep::Run(plan) => {
                run.depth += depth(&plan);
                let step_follows = matches!(plan.next(), Continuation::Resume(_));
                run.spending.start_step((plan.first()..).zip(plan.tasks()), step_follows);
                let plan = Arc::new(plan);
                let progress = PlanProgress::new(&plan, limits.parallel);
                match &mut run.plan {
                    Some(current) => {
                        current.step += 1;
                        (current.plan, current.progress) = (plan, progress);
                        current.ended.clear();
                        current.is_continued = false;
                    }
                    None => {
                        run.plan = Some(PlanRun {
                            plan,
                            progress,
                            step: 1,
                            ended: HashMap::new(),
                            is_continued: false,
                            results: Vec::new(),
                            sizes: HashMap::new(),
                            tasks: HashMap::new(),
                        });
                    }
                }
                self.advance_plan(key);
            }
        }
    }

    /// Starts the tasks that can start, and continues the plan if all have ended.
    fn advance_plan(&mut self, key: Key) {
        while let Some(number) = self.runs.get_mut(key).and_then(|run| run.plan.as_mut()?.progress.begin()) {
            self.start_task(key, number);
        }
        let Some(plan) = self.runs.get_mut(key).and_then(|run| run.plan.as_mut()) else { return };
        if !plan.progress.is_over() || std::mem::replace(&mut plan.is_continued, true) {
            return;
        }
        let mut ended = std::mem::take(&mut plan.ended);
        plan.results.extend((plan.plan.first()..).map_while(|number| ended.remove(&number)));
        match plan.plan.next() {
            Continuation::Answer(_) | Continuation::Compose(_) => self.composed(key),
            Continuation::Resume(state) => {
                let state = state.clone();
                self.resume(key, &state);
            }
        }
    }

    fn start_task(&mut self, key: Key, number: usize) {
        let (now, limits) = (self.now, self.setup.limits.plan);
        let Some(run) = self.runs.get_mut(key) else { return };
        let Some(current) = &mut run.plan else { return };
        let plan = Arc::clone(&current.plan);
        let Some(task) = plan.task(number) else { return };
        current.tasks.insert(number, (now, Usage::default(), Picodollars::ZERO));
        let size = task.size(|output| current.sizes.get(&output).copied());
        let input_tokens = size.input_tokens();
        let fits = input_tokens <= run.spending.left(&limits).input_tokens
            && run.spending.assemble(&size, &limits).is_ok();
        if !fits {
            return self.task_failed(key, number);
        }
        let own = task.timeout.and_then(|timeout| now.checked_add(timeout));
        let settings = RaceSettings {
            task: Some(number),
            operation: task.operation,
            deadline: own.map_or(run.deadline, |own| own.min(run.deadline)),
            input_tokens,
            answers: plan.answering() == Some(number),
            budget: Some((limits, task.max_output_tokens)),
        };
        self.start_race(key, task.decision(), settings);
    }

    /// Records the output of a task.
    pub(super) fn task_done(&mut self, key: Key, number: usize, candidate: usize, tokens: u32) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let Some(current) = &mut run.plan else { return };
        let plan = Arc::clone(&current.plan);
        let Some(task) = plan.task(number) else { return };
        let text = match task.operation {
            Operation::Chat | Operation::Transcription | Operation::Translation => {
                output::text(tokens, &task.input, &mut run.random)
            }
            _ => Arc::from(""),
        };
        current.sizes.insert(number, ContentSize::unwritten(&text));
        self.end_task(key, number, |result| {
            result.output = Some(text);
            result.candidate = Some(candidate);
            result.finish_reason = Some("stop".to_owned());
        });
    }

    /// Records that a task has failed. The request fails with it, unless the task is optional.
    pub(super) fn task_failed(&mut self, key: Key, number: usize) {
        let Some(current) = self.runs.get(key).and_then(|run| run.plan.as_ref()) else { return };
        if !current.plan.task(number).is_some_and(|task| task.optional) {
            return self.failed(key, Fault::Task);
        }
        self.end_task(key, number, |result| result.error = Some("no output".to_owned()));
    }

    fn end_task(&mut self, key: Key, number: usize, complete: impl FnOnce(&mut TaskResult)) {
        let now = self.now;
        let Some(run) = self.runs.get_mut(key) else { return };
        run.spending.end_task(number);
        let Some(current) = &mut run.plan else { return };
        let name = current.plan.task(number).map_or("", |task| task.name());
        let (began, usage, cost) =
            current.tasks.get(&number).copied().unwrap_or((now, Usage::default(), Picodollars::ZERO));
        let mut result = TaskResult {
            name: Arc::from(name),
            output: None,
            candidate: None,
            finish_reason: None,
            usage,
            cost,
            latency: now - began,
            error: None,
        };
        complete(&mut result);
        current.ended.insert(number, result);
        current.progress.ended(number);
        self.advance_plan(key);
    }

    fn resume(&mut self, key: Key, state: &[u8]) {
        let limits = self.setup.limits.plan;
        let now = self.now;
        let Some(run) = self.runs.get_mut(key) else { return };
        Arc::make_mut(&mut run.facts).set_time_left(run.deadline.saturating_sub(now));
        let Some(current) = &mut run.plan else { return };
        let answer = if current.step >= limits.steps {
            ResumptionAnswer::Failed(TOO_MANY_STEPS)
        } else {
            self.maker.resume(&Resumption {
                request: &run.facts,
                content: &run.request.content,
                candidates: &run.candidates,
                whole: run.whole,
                limits: run.spending.left(&limits),
                results: current.results.as_slice().into(),
                state,
                stage: run.stage,
            })
        };
        match answer {
            ResumptionAnswer::Step(step) => self.take_step(key, step),
            ResumptionAnswer::Refused => self.failed(key, Fault::Refused),
            ResumptionAnswer::Failed(reason) => {
                let next = run.stage + 1;
                run.plan = None;
                self.report.count_decision_failure(reason);
                self.decide(key, next);
            }
        }
    }

    /// Answers with a text that was composed of outputs.
    fn composed(&mut self, key: Key) {
        if let Some(run) = self.runs.get_mut(key) {
            run.first_token = Some(self.now - run.arrived);
        }
        self.answered(key);
    }
}

/// Returns the number of tasks in the longest chain of a plan.
fn depth(plan: &Plan) -> u32 {
    let mut depths = vec![1_u32; plan.tasks().len()];
    // A chain is no longer than the number of tasks, and a plan has no cycle.
    for _ in 0..depths.len() {
        let before = depths.clone();
        for (task, depth) in plan.tasks().iter().zip(&mut depths) {
            let after = task.after.iter().filter_map(|number| before.get(number - plan.first()));
            *depth = 1 + after.max().copied().unwrap_or(0);
        }
        if before == depths {
            break;
        }
    }
    depths.into_iter().max().unwrap_or(0)
}
