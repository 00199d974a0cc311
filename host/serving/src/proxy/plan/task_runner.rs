//! One task of a plan: assembles its content, calls models, and gives their output.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_dialects::call::{CallContent, InvalidTaskInput, TaskOutputs};
use pointsman_domain::candidate::Candidate;
use pointsman_domain::history::TaskRun;
use pointsman_domain::plan::{Plan, PlanLimitExceeded, Task, TaskResult};
use pointsman_telemetry::CapturedOutput;

use super::assembly::Assembler;
use super::{PlanRunner, TaskFailure};
use crate::proxy::attempt::CommittedBody;
use crate::proxy::call::{CallBudget, OutgoingCall, ResponseMode};
use crate::proxy::race::{NoAnswer, WinningAttempt, race};

/// Runs one task.
pub(super) struct TaskRunner<'a> {
    runner: &'a PlanRunner<'a>,
    number: usize,
    plan: &'a Arc<Plan>,
    task: &'a Task,
    candidates: &'a [Candidate],
    begun: Instant,
    begun_after: Duration,
}

/// The end of a task.
pub(super) enum TaskEnd {
    /// It gives the client's answer.
    Answer(Box<WinningAttempt>),
    /// It gave an output.
    Result(TaskResult),
    /// It failed.
    FailedAttempt {
        /// The result, with the error.
        result: TaskResult,
        /// Kind of failure.
        cause: TaskFailure,
    },
}

/// Reason why a task gave no output.
enum TaskError {
    /// Its input would be larger than the plan may make it.
    PlanLimit(PlanLimitExceeded),
    /// Its content cannot be sent to a model.
    Input(InvalidTaskInput),
    /// No model gave one.
    NoAnswer(NoAnswer),
}

impl<'a> TaskRunner<'a> {
    /// Starts the time of a task. `None` if the plan has no task of this number.
    pub(super) fn begin(
        runner: &'a PlanRunner<'a>,
        number: usize,
        plan: &'a Arc<Plan>,
        candidates: &'a [Candidate],
    ) -> Option<Self> {
        let task = plan.task(number)?;
        let (begun, begun_after) = (Instant::now(), runner.elapsed());
        runner.accounting.decisions().update_plan(|run| {
            if let Some(task) = run.tasks.get_mut(number) {
                task.begun = Some(begun_after);
            }
        });
        Some(Self { runner, number, plan, task, candidates, begun, begun_after })
    }

    /// Calls models until one gives an output or the task's time is over. `outputs`
    /// are those of the tasks before it.
    pub(super) async fn run(self, outputs: TaskOutputs) -> (usize, TaskEnd) {
        let deadline = self.deadline();
        let ended = match tokio::time::timeout_at(deadline.into(), self.output(outputs, deadline)).await {
            Ok(Ok(won)) => self.won(won),
            Ok(Err(TaskError::PlanLimit(over_limit))) => {
                self.failed(over_limit.to_string(), TaskFailure::PlanLimit)
            }
            Ok(Err(TaskError::Input(invalid))) => self.failed(invalid.to_string(), TaskFailure::NoOutput),
            Ok(Err(TaskError::NoAnswer(no_answer)))
                if Instant::now() < deadline || self.task.timeout.is_none() =>
            {
                self.failed(summary(&no_answer), cause_of(&no_answer))
            }
            Ok(Err(_)) | Err(_) => {
                let waited = self.begun.elapsed().as_millis();
                self.failed(format!("no output within {waited} ms"), TaskFailure::NoOutput)
            }
        };
        (self.number, ended)
    }

    async fn output(&self, outputs: TaskOutputs, deadline: Instant) -> Result<WinningAttempt, TaskError> {
        let answers = self.plan.answering() == Some(self.number);
        let outgoing = self.outgoing(self.content(answers, outputs).await?, answers);
        let limits = self.runner.limits.attempts(deadline);
        let (calls, accounting) = (self.runner.calls, self.runner.accounting);
        race(calls, self.candidates, self.task.decision(), limits, &outgoing, accounting)
            .await
            .map_err(TaskError::NoAnswer)
    }

    /// Assembles the content of the call, if the limits of the plan leave enough for it.
    async fn content(&self, answers: bool, outputs: TaskOutputs) -> Result<CallContent<'static>, TaskError> {
        let PlanRunner { request, accounting, limits, assembler, .. } = *self.runner;
        let mut size = self.task.size(|task| outputs.size(task));
        if answers {
            size += request.size_beside_messages();
        }
        if size.input_tokens() > accounting.calls().left(&limits.plan).input_tokens {
            return Err(TaskError::PlanLimit(PlanLimitExceeded::InputTokens(limits.plan.input_tokens)));
        }
        accounting.calls().reserve_content(&size, &limits.plan).map_err(TaskError::PlanLimit)?;
        if !Assembler::takes(&size) {
            return request.task_content(self.task, &outputs, answers).map_err(TaskError::Input);
        }
        let (request, plan, number) = (request.clone(), Arc::clone(self.plan), self.number);
        let assemble = move || {
            let task = plan.task(number).ok_or_else(InvalidTaskInput::no_such_task)?;
            request.task_content(task, &outputs, answers)
        };
        assembler.run(assemble).await.map_err(TaskError::Input)
    }

    fn outgoing(&self, content: CallContent<'static>, answers: bool) -> OutgoingCall<'static> {
        let PlanRunner { request, accounting, limits, headers, .. } = *self.runner;
        let mode = if answers {
            ResponseMode::answer_to_conversation(request, accounting.calls().usage())
        } else {
            ResponseMode::Output
        };
        let budget = CallBudget { limits: limits.plan, task: self.task.max_output_tokens };
        OutgoingCall {
            content,
            mode,
            task: Some(self.number),
            headers: headers.clone(),
            budget: Some(budget),
            drop_untranslatable: limits.drop_untranslatable,
        }
    }

    fn deadline(&self) -> Instant {
        let own = self.task.timeout.map(|timeout| self.begun + timeout);
        own.map_or(self.runner.deadline, |own| own.min(self.runner.deadline))
    }

    fn won(&self, won: WinningAttempt) -> TaskEnd {
        let committed = &won.committed;
        let (model, now) = (Arc::clone(&committed.model), committed.first_token_at);
        let sent_at = committed.sent_at;
        let CommittedBody::Output { output, memory } = won.committed.body else {
            self.update(|run| run.model = Some(model.id.to_string()));
            return TaskEnd::Answer(Box::new(won));
        };
        self.runner.hold_output(memory);
        let usage = output.count.usage_or_estimate(self.runner.accounting.calls().input_estimate(won.call));
        model.live.record_whole_answer(&model.expected, now, usage.output_tokens, now - sent_at);
        self.runner.accounting.calls().set_usage(won.call, usage);
        let ended = self.runner.elapsed();
        self.update(|run| {
            run.ended = Some(ended);
            run.model = Some(model.id.to_string());
            run.output_bytes = Some(output.text.len());
        });
        let text: Arc<str> = output.text.into();
        self.runner.accounting.record_output(|| CapturedOutput {
            task: self.number,
            text: Arc::clone(&text),
            finish_reason: output.finish_reason.clone(),
        });
        TaskEnd::Result(TaskResult {
            output: Some(text),
            candidate: Some(won.candidate),
            finish_reason: output.finish_reason,
            ..self.result(ended, None)
        })
    }

    fn failed(&self, why: String, cause: TaskFailure) -> TaskEnd {
        let ended = self.runner.elapsed();
        let accounting = self.runner.accounting;
        accounting.telemetry().log_task_failure(accounting.id(), self.task.name(), &why);
        self.update(|run| {
            run.ended = Some(ended);
            run.error = Some(why.clone());
        });
        TaskEnd::FailedAttempt { result: self.result(ended, Some(why)), cause }
    }

    fn result(&self, ended: Duration, error: Option<String>) -> TaskResult {
        self.runner.accounting.calls().end_task(self.number);
        let (usage, cost) = self.runner.accounting.calls().of_task(self.number);
        TaskResult {
            name: Arc::from(self.task.name()),
            output: None,
            candidate: None,
            finish_reason: None,
            usage,
            cost,
            latency: ended.saturating_sub(self.begun_after),
            error,
        }
    }

    fn update(&self, update: impl FnOnce(&mut TaskRun)) {
        self.runner.accounting.decisions().update_plan(|run| {
            if let Some(task) = run.tasks.get_mut(self.number) {
                update(task);
            }
        });
    }
}

fn cause_of(no_answer: &NoAnswer) -> TaskFailure {
    if no_answer.is_out_of_memory() {
        return TaskFailure::NoMemory;
    }
    if no_answer.over_limit.is_some() { TaskFailure::PlanLimit } else { TaskFailure::NoOutput }
}

/// Explains the failure of a task.
fn summary(no_answer: &NoAnswer) -> String {
    match no_answer.summary() {
        empty if empty.is_empty() => "no time was left".to_owned(),
        summary => summary,
    }
}
