//! One task of a plan: from the plan's words to a model's output.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_domain::candidate::Candidate;
use pointsman_domain::history::TaskRun;
use pointsman_domain::model::Operation;
use pointsman_domain::plan::{Plan, PlanLimitExceeded, Task, TaskResult};
use pointsman_wire::openai::client::{ChatRequest, InvalidRecording};
use pointsman_wire::openai::pass_through::TaskOutputs;

use super::assembly::Assembler;
use super::{Conductor, TaskFailure};
use crate::proxy::attempt::CommittedBody;
use crate::proxy::outgoing::{CallBudget, Outgoing, Payload, Wanted};
use crate::proxy::race::{Exhausted, Won, race};

/// A task that is ready to be run.
pub(super) struct Job<'a> {
    conductor: &'a Conductor<'a>,
    number: usize,
    plan: &'a Arc<Plan>,
    task: &'a Task,
    candidates: &'a [Candidate],
    begun: Instant,
    begun_after: Duration,
}

/// How a task ended.
pub(super) enum Ended {
    /// Its answer is on its way to the client.
    Answer(Box<Won>),
    /// It gave an output.
    Result(TaskResult),
    /// It gave none.
    Failed {
        /// What there is to tell.
        result: TaskResult,
        /// Kind of failure.
        cause: TaskFailure,
    },
}

/// Reason why a task gave no output.
enum TaskError {
    /// Its input would be larger than the plan may make it.
    PlanLimitExceeded(PlanLimitExceeded),
    /// Its recording cannot be sent as a file.
    Recording(InvalidRecording),
    /// No model gave one.
    Exhausted(Exhausted),
}

impl<'a> Job<'a> {
    /// The task's time begins. `None` if the plan has no task of this number.
    pub(super) fn begin(
        conductor: &'a Conductor<'a>,
        number: usize,
        plan: &'a Arc<Plan>,
        candidates: &'a [Candidate],
    ) -> Option<Self> {
        let task = plan.task(number)?;
        let (begun, begun_after) = (Instant::now(), conductor.elapsed());
        conductor.account.note(|run| {
            if let Some(task) = run.tasks.get_mut(number) {
                task.begun = Some(begun_after);
            }
        });
        Some(Self { conductor, number, plan, task, candidates, begun, begun_after })
    }

    /// Calls models until one gives an output or the task's time is over. `outputs`
    /// are those of the tasks before it.
    pub(super) async fn run(self, outputs: TaskOutputs) -> (usize, Ended) {
        let deadline = self.deadline();
        let ended = match tokio::time::timeout_at(deadline.into(), self.output(outputs, deadline)).await {
            Ok(Ok(won)) => self.won(won),
            Ok(Err(TaskError::PlanLimitExceeded(over_limit))) => {
                self.failed(over_limit.to_string(), TaskFailure::PlanLimitExceeded)
            }
            Ok(Err(TaskError::Recording(bad))) => self.failed(bad.to_string(), TaskFailure::NoOutput),
            Ok(Err(TaskError::Exhausted(exhausted)))
                if Instant::now() < deadline || self.task.timeout.is_none() =>
            {
                self.failed(words(&exhausted), cause_of(&exhausted))
            }
            Ok(Err(_)) | Err(_) => {
                let waited = self.begun.elapsed().as_millis();
                self.failed(format!("no output within {waited} ms"), TaskFailure::NoOutput)
            }
        };
        (self.number, ended)
    }

    async fn output(&self, outputs: TaskOutputs, deadline: Instant) -> std::result::Result<Won, TaskError> {
        let answers = self.plan.answering() == Some(self.number);
        let outgoing = self.outgoing(self.payload(answers, outputs).await?, answers);
        let limits = self.conductor.limits.attempts(deadline);
        let (calls, account) = (self.conductor.calls, self.conductor.account);
        race(calls, self.candidates, self.task.decision(), limits, &outgoing, account)
            .await
            .map_err(TaskError::Exhausted)
    }

    /// Puts the content of the call together, if what is left is enough for it.
    async fn payload(
        &self,
        answers: bool,
        outputs: TaskOutputs,
    ) -> std::result::Result<Payload<'static>, TaskError> {
        let Conductor { request, account, limits, assembler, .. } = *self.conductor;
        let mut size = self.task.size(|task| outputs.size(task));
        if answers {
            size += request.size_beside_messages();
        }
        if size.input_tokens() > account.left(&limits.plan).input_tokens {
            return Err(TaskError::PlanLimitExceeded(PlanLimitExceeded::InputTokens(
                limits.plan.input_tokens,
            )));
        }
        account.assemble(&size, &limits.plan).map_err(TaskError::PlanLimitExceeded)?;
        if !Assembler::takes(&size) {
            return payload(request, self.task, &outputs, answers).map_err(TaskError::Recording);
        }
        let (request, plan, number) = (request.clone(), Arc::clone(self.plan), self.number);
        let assemble = move || {
            let task = plan.task(number).ok_or(InvalidRecording::Missing)?;
            payload(&request, task, &outputs, answers)
        };
        assembler.run(assemble).await.map_err(TaskError::Recording)
    }

    fn outgoing(&self, payload: Payload<'static>, answers: bool) -> Outgoing<'static> {
        let Conductor { request, account, limits, headers, .. } = *self.conductor;
        let wanted = if answers { Wanted::answer_to(request, account.usage()) } else { Wanted::Output };
        let budget = CallBudget { limits: limits.plan, task: self.task.max_output_tokens };
        Outgoing { payload, wanted, task: Some(self.number), headers: headers.clone(), budget: Some(budget) }
    }

    fn deadline(&self) -> Instant {
        let own = self.task.timeout.map(|timeout| self.begun + timeout);
        own.map_or(self.conductor.deadline, |own| own.min(self.conductor.deadline))
    }

    fn won(&self, won: Won) -> Ended {
        let committed = &won.committed;
        let (model, now) = (Arc::clone(&committed.model), committed.first_token_at);
        let sent_at = committed.sent_at;
        let CommittedBody::Output { output, memory } = won.committed.body else {
            self.note(|note| note.model = Some(model.id.to_string()));
            return Ended::Answer(Box::new(won));
        };
        self.conductor.hold_output(memory);
        let usage = output.usage_or_estimate(self.conductor.account.input_estimate(won.call));
        model.live.answered_whole(&model.expected, now, usage.output_tokens, now - sent_at);
        self.conductor.account.used(won.call, usage);
        let ended = self.conductor.elapsed();
        self.note(|note| {
            note.ended = Some(ended);
            note.model = Some(model.id.to_string());
        });
        Ended::Result(TaskResult {
            output: Some(output.text.as_str().into()),
            candidate: Some(won.candidate),
            finish_reason: output.finish_reason,
            ..self.result(ended, None)
        })
    }

    fn failed(&self, why: String, cause: TaskFailure) -> Ended {
        let ended = self.conductor.elapsed();
        let account = self.conductor.account;
        account.telemetry().task_failed(account.id(), self.task.name(), &why);
        self.note(|note| {
            note.ended = Some(ended);
            note.error = Some(why.clone());
        });
        Ended::Failed { result: self.result(ended, Some(why)), cause }
    }

    fn result(&self, ended: Duration, error: Option<String>) -> TaskResult {
        self.conductor.account.task_ended(self.number);
        let (usage, cost) = self.conductor.account.of_task(self.number);
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

    fn note(&self, note: impl FnOnce(&mut TaskRun)) {
        self.conductor.account.note(|run| {
            if let Some(task) = run.tasks.get_mut(self.number) {
                note(task);
            }
        });
    }
}

/// The content of a task's call.
fn payload(
    request: &ChatRequest,
    task: &Task,
    outputs: &TaskOutputs,
    answers: bool,
) -> std::result::Result<Payload<'static>, InvalidRecording> {
    Ok(match task.operation {
        Operation::Chat => Payload::Chat(request.render_chat_task(task, outputs, answers)),
        Operation::Embedding => Payload::Embedding(request.render_embedding_task(task, outputs)),
        Operation::Transcription => Payload::Transcription(request.render_transcription_task(task)?),
    })
}

fn cause_of(exhausted: &Exhausted) -> TaskFailure {
    if exhausted.is_out_of_memory() {
        return TaskFailure::NoMemory;
    }
    if exhausted.over_limit.is_some() { TaskFailure::PlanLimitExceeded } else { TaskFailure::NoOutput }
}

/// What was tried and how it failed.
fn words(exhausted: &Exhausted) -> String {
    match exhausted.for_client() {
        nothing if nothing.is_empty() => "no time was left".to_owned(),
        words => words,
    }
}
