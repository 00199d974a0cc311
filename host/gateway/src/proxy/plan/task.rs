//! One task of a plan: from the plan's words to a model's output.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_domain::candidate::Candidate;
use pointsman_domain::history::TaskRun;
use pointsman_domain::model::Operation;
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::Usage;
use pointsman_domain::plan::{Task, TaskResult};

use super::Conductor;
use crate::proxy::attempt::CommittedBody;
use crate::proxy::outgoing::{Outgoing, Payload, Wanted};
use crate::proxy::race::{Exhausted, Won, race};

/// A task that is ready to be run.
pub(super) struct Job<'a> {
    conductor: &'a Conductor<'a>,
    number: usize,
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
        /// Whether it would have used up more than the plan may.
        over_limit: bool,
    },
}

/// Why a task cannot begin, in words that a client may hear.
pub(super) struct Fault {
    why: String,
    over_limit: bool,
}

impl<'a> Job<'a> {
    /// The task's time begins.
    pub(super) fn begin(
        conductor: &'a Conductor<'a>,
        number: usize,
        task: &'a Task,
        candidates: &'a [Candidate],
    ) -> Self {
        let (begun, begun_after) = (Instant::now(), conductor.elapsed());
        conductor.account.note(|run| {
            if let Some(task) = run.tasks.get_mut(number) {
                task.begun = Some(begun_after);
            }
        });
        Self { conductor, number, task, candidates, begun, begun_after }
    }

    /// Puts the call together, from the outputs of the tasks before it.
    pub(super) fn prepare<'o>(
        &self,
        answers: bool,
        output: &dyn Fn(usize) -> Option<&'o str>,
    ) -> std::result::Result<Outgoing<'a>, Fault> {
        self.payload(answers, output).and_then(|payload| self.outgoing(payload, answers))
    }

    /// Calls models until one gives an output or the task's time is over.
    pub(super) async fn run(self, prepared: std::result::Result<Outgoing<'a>, Fault>) -> (usize, Ended) {
        let number = self.number;
        let outgoing = match prepared {
            Ok(outgoing) => outgoing,
            Err(Fault { why, over_limit }) => return (number, self.failed(why, over_limit)),
        };
        let deadline = self.deadline();
        let limits = self.conductor.limits.attempts(deadline);
        let (calls, account) = (self.conductor.calls, self.conductor.account);
        let racing = race(calls, self.candidates, self.task.decision(), limits, &outgoing, account);
        let ended = match tokio::time::timeout_at(deadline.into(), racing).await {
            Ok(Ok(won)) => self.won(won),
            Ok(Err(exhausted)) if Instant::now() < deadline || self.task.timeout.is_none() => {
                self.failed(words(&exhausted), false)
            }
            Ok(Err(_)) | Err(_) => {
                let waited = self.begun.elapsed().as_millis();
                self.failed(format!("no output within {waited} ms"), false)
            }
        };
        (number, ended)
    }

    /// The content of the call.
    fn payload<'o>(
        &self,
        answers: bool,
        output: &dyn Fn(usize) -> Option<&'o str>,
    ) -> std::result::Result<Payload<'a>, Fault> {
        let request = self.conductor.request;
        Ok(match self.task.operation {
            Operation::Chat => Payload::Chat(request.chat_task(self.task, output, answers)),
            Operation::Embedding => Payload::Embedding(request.embedding_task(self.task, output)),
            Operation::Transcription => {
                let body = request.transcription_task(self.task);
                let fault = |why: String| Fault { why, over_limit: false };
                Payload::Transcription(body.map_err(|bad| fault(bad.to_string()))?)
            }
        })
    }

    /// The call, if there is enough left for it.
    fn outgoing(&self, payload: Payload<'a>, answers: bool) -> std::result::Result<Outgoing<'a>, Fault> {
        let account = self.conductor.account;
        let used = account.usage();
        self.check_limits(used, payload.input_tokens())?;
        let wanted = if answers { Wanted::answer_to(self.conductor.request, used) } else { Wanted::Output };
        let headers = self.conductor.headers.clone();
        Ok(Outgoing { payload, wanted, task: Some(self.number), headers })
    }

    /// A task that might use up more than the plan may, with what those under way
    /// might, is not begun.
    fn check_limits(&self, used: Usage, input_tokens: u32) -> std::result::Result<(), Fault> {
        let limits = &self.conductor.limits.plan;
        let over = |why: String| Err(Fault { why, over_limit: true });
        if used.output_tokens >= u64::from(limits.output_tokens) {
            return over(format!("the plan has used its {} output tokens", limits.output_tokens));
        }
        let Some(limit) = limits.cost else { return Ok(()) };
        let first = self.task.decision().targets().first();
        let price = first.and_then(|target| self.candidates.get(target.candidate)).map(|it| it.model.price);
        let output_tokens = self.task.max_output_tokens.unwrap_or(0);
        let cost = price.map_or(Picodollars::ZERO, |it| it.of(input_tokens.into(), output_tokens.into()));
        if !self.conductor.account.promise(self.number, cost, limit) {
            return over(format!("the plan would cost more than ${limit}"));
        }
        Ok(())
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

    fn failed(&self, why: String, over_limit: bool) -> Ended {
        let ended = self.conductor.elapsed();
        let account = self.conductor.account;
        account.telemetry().task_failed(account.id(), self.task.name(), &why);
        self.note(|note| {
            note.ended = Some(ended);
            note.error = Some(why.clone());
        });
        Ended::Failed { result: self.result(ended, Some(why)), over_limit }
    }

    fn result(&self, ended: Duration, error: Option<String>) -> TaskResult {
        self.conductor.account.settled(self.number);
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

/// What was tried and how it failed.
fn words(exhausted: &Exhausted) -> String {
    if exhausted.failures.is_empty() { "no time was left".to_owned() } else { exhausted.for_client() }
}
