//! The account of one request, open from its arrival to its end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use http::HeaderValue;
use pointsman_domain::failure::FailureKind;
use pointsman_domain::history::{Baseline, DecisionEntry, History, PlanRun};
use pointsman_domain::model::Model;
use pointsman_domain::money::Picodollars;
use pointsman_domain::outcome::{Fault, Outcome, RequestEnd};
use pointsman_domain::plan::{CallLimits, PlanLimitExceeded, PlanLimits, Task};
use pointsman_domain::prompt::ContentSize;
use pointsman_domain::request::RequestFacts;
use pointsman_domain::trace::TraceContext;
use pointsman_domain::usage::Usage;
use pointsman_policy::Record;
use pointsman_telemetry::{AttemptFailed, Telemetry};

use super::calls::{CallId, Calls};
use crate::exchange::{Answer, Exchange};
use crate::feedback::Feedback;
use crate::recorder::Recorder;
use crate::trace_headers;

/// What happened to one request so far. Dropping it unclosed means that the client
/// went away: what was used until then is entered. Calls are noted through a
/// shared reference, because the tasks of a plan run side by side.
#[derive(Debug)]
pub(crate) struct Account {
    recorder: Arc<Recorder>,
    feedback: Option<Feedback>,
    /// What else has a record of what becomes of it.
    records: Vec<Arc<Record>>,
    opening: Opening,
    taken_in: Duration,
    label: String,
    /// Who was asked what to do.
    asked: Mutex<Vec<DecisionEntry>>,
    calls: Mutex<Calls>,
    /// How its plan goes, if there is one.
    plan: Mutex<Option<PlanRun>>,
    /// What is said, if somebody is to be told.
    exchange: Option<Exchange>,
    closed: bool,
}

/// What is known of a request when its account is opened.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    /// The name that it was asked for by.
    pub(crate) route: Arc<str>,
    /// What its cost is compared with.
    pub(crate) baseline: Option<Arc<Model>>,
    /// Its facts.
    pub(crate) request: Arc<RequestFacts>,
    /// Its place in a trace.
    pub(crate) trace: Option<TraceContext>,
    /// When it arrived.
    pub(crate) arrived: Instant,
}

impl Account {
    /// Opens the account of a request that has been read.
    pub(crate) fn open(recorder: Arc<Recorder>, opening: Opening) -> Self {
        Self {
            recorder,
            feedback: None,
            records: Vec::new(),
            taken_in: opening.arrived.elapsed(),
            opening,
            label: String::new(),
            asked: Mutex::default(),
            calls: Mutex::default(),
            plan: Mutex::default(),
            exchange: None,
            closed: false,
        }
    }

    /// Keeps what is said, if somebody is to be told when it ends.
    pub(crate) fn keep(&mut self, exchange: Option<Exchange>) {
        self.exchange = exchange;
    }

    /// Keeps the answer too, if what is said is kept.
    pub(crate) fn keep_answer(&mut self, answer: impl FnOnce() -> Answer) {
        if let Some(exchange) = &mut self.exchange {
            exchange.answered(answer());
        }
    }

    /// What a model is told of the trace that a call belongs to, if it belongs to one.
    pub(crate) fn traceparent(&self, call: CallId) -> Option<HeaderValue> {
        let trace = self.opening.trace?;
        trace_headers::for_call(trace, self.calls().span_of(call)?)
    }

    /// Notes who was asked what to do, and what they said.
    pub(crate) fn asked(&self, mut asked: Vec<DecisionEntry>) {
        let mut all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        // Nearly all requests are asked about once.
        if all.is_empty() {
            *all = asked;
        } else {
            all.append(&mut asked);
        }
    }

    /// Notes what was decided, and who wants to hear what becomes of it.
    pub(crate) fn decided(&mut self, label: &str, feedback: Option<Feedback>, records: Vec<Arc<Record>>) {
        label.clone_into(&mut self.label);
        self.feedback = feedback;
        self.records = records;
    }

    /// Notes that a plan has come to another kind of choice in the end.
    pub(crate) fn relabelled(&mut self, label: &str) {
        label.clone_into(&mut self.label);
    }

    /// A call with about so many input tokens was started: until told otherwise,
    /// they are paid for.
    pub(crate) fn sent(&self, model: &Arc<Model>, input_tokens: u32, task: Option<usize>) -> CallId {
        let mut calls = self.calls();
        // Under the lock, so that calls are in the order in which they began.
        let begun = self.elapsed(Instant::now());
        calls.sent(model, input_tokens, task, begun, fastrand::u64(1..))
    }

    /// A call of a model ended without an answer.
    pub(crate) fn call_failed(&self, call: CallId, model: &Model, task: Option<usize>, failure: FailureKind) {
        let (decision, kind) = (self.id(), &failure);
        self.telemetry().attempt_failed(&AttemptFailed { decision, task, model: &model.id, kind });
        let ended = self.elapsed(Instant::now());
        self.calls().failed(call, failure, ended);
    }

    /// A call brought what a plan goes on with.
    pub(crate) fn brought(&self, call: CallId, now: Instant) {
        self.calls().brought(call, self.elapsed(now));
    }

    /// A call is being answered; the client will see its first token.
    pub(crate) fn answering(&self, call: CallId, now: Instant) {
        self.calls().answering(call, self.elapsed(now));
    }

    /// A call has used this much by now.
    pub(crate) fn used(&self, call: CallId, usage: Usage) {
        self.calls().used(call, usage);
    }

    /// Starts a call within the limits of a plan, and returns the limit of output
    /// tokens for each of its answers.
    ///
    /// # Errors
    /// Fails when the most that the call can come to exceeds what is left. It is not noted
    /// then.
    pub(crate) fn sent_within(
        &self,
        limits: &PlanLimits,
        model: &Arc<Model>,
        call: &CallLimits<'_>,
    ) -> Result<(CallId, u32), PlanLimitExceeded> {
        let mut calls = self.calls();
        let max_output_tokens = calls.reserve(call, limits)?;
        let input_tokens = u32::try_from(call.input_tokens).unwrap_or(u32::MAX);
        let begun = self.elapsed(Instant::now());
        let id = calls.sent(model, input_tokens, call.task, begun, fastrand::u64(1..));
        Ok((id, max_output_tokens))
    }

    /// Reserves bytes for content that a plan is going to put together.
    ///
    /// # Errors
    /// Fails when it exceeds what is left.
    pub(crate) fn assemble(&self, size: &ContentSize, limits: &PlanLimits) -> Result<(), PlanLimitExceeded> {
        self.calls().spending().assemble(size, limits)
    }

    /// Returns the rest of the limits of a plan.
    pub(crate) fn left(&self, limits: &PlanLimits) -> PlanLimits {
        self.calls().spending().left(limits)
    }

    /// A task is over, and needs no share of what is left.
    pub(crate) fn task_ended(&self, task: usize) {
        self.calls().spending().end_task(task);
    }

    /// What a call has used so far.
    pub(crate) fn usage_of(&self, call: CallId) -> Usage {
        self.calls().usage_of(call)
    }

    /// The input tokens that a call was noted with, as an estimate for when its
    /// answer tells none.
    pub(crate) fn input_estimate(&self, call: CallId) -> u32 {
        u32::try_from(self.usage_of(call).input_tokens).unwrap_or(u32::MAX)
    }

    /// What a task's calls have used, and what they cost.
    pub(crate) fn of_task(&self, task: usize) -> (Usage, Picodollars) {
        self.calls().of_task(task)
    }

    /// The first token of an answer of about so many, which was put together here.
    pub(crate) fn composed(&self, now: Instant, tokens: u64) {
        self.calls().composed(self.elapsed(now), tokens);
    }

    /// Who is told of what happens on the way.
    pub(crate) fn telemetry(&self) -> &Telemetry {
        &self.recorder.telemetry
    }

    /// The decision's id.
    pub(crate) fn id(&self) -> &str {
        &self.opening.request.id
    }

    /// A step of a plan begins, with tasks from this number on. What an abandoned
    /// plan of another policy had from there are none of its tasks.
    pub(crate) fn begin_step<'t>(
        &self,
        first: usize,
        tasks: impl IntoIterator<Item = &'t Task>,
        step_follows: bool,
    ) {
        self.note(|run| run.tasks.truncate(first));
        let mut calls = self.calls();
        calls.disown(first);
        calls.spending().begin_step((first..).zip(tasks), step_follows);
    }

    /// Notes how a plan goes.
    pub(crate) fn note(&self, note: impl FnOnce(&mut PlanRun)) {
        note(self.plan().get_or_insert_default());
    }

    /// How many tasks the request was cut into, if it was.
    pub(crate) fn tasks(&self) -> Option<usize> {
        self.plan().as_ref().map(|run| run.tasks.len())
    }

    /// Whether the request was cut into tasks.
    pub(crate) fn has_plan(&self) -> bool {
        self.plan().is_some()
    }

    /// Calls made so far.
    pub(crate) fn attempts(&self) -> u32 {
        self.calls().made()
    }

    /// What all calls have used so far.
    pub(crate) fn usage(&self) -> Usage {
        self.calls().total().0
    }

    /// Money spent so far: on answers, and on the input of calls in vain.
    pub(crate) fn cost(&self) -> Picodollars {
        self.calls().total().1
    }

    /// Time since the request arrived.
    pub(crate) fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.opening.arrived)
    }

    /// The client has the whole answer.
    pub(crate) fn answered(mut self) {
        self.close(RequestEnd::Answered, None);
    }

    /// The request came to nothing, or its answer broke off.
    pub(crate) fn failed(mut self, fault: Fault, why: String) {
        self.close(RequestEnd::Failed, Some((fault, why)));
    }

    /// Tells everybody who wants to know.
    fn close(&mut self, ending: RequestEnd, error: Option<(Fault, String)>) {
        self.closed = true;
        let history = self.history(ending, error);
        for record in &self.records {
            record.ended(&history.outcome);
        }
        if let Some(feedback) = self.feedback.take() {
            feedback.send(history.outcome.clone(), &self.recorder.telemetry);
        }
        self.recorder.ended(history, self.exchange.take());
    }

    fn history(&mut self, ending: RequestEnd, error: Option<(Fault, String)>) -> History {
        let latency = self.opening.arrived.elapsed();
        let plan = self.plan().take();
        let calls = std::mem::take(&mut *self.calls());
        let (usage, cost) = calls.total();
        let (fault, error) = error.unzip();
        let request = Arc::clone(&self.opening.request);
        let baseline = self.opening.baseline.as_ref().filter(|_| ending == RequestEnd::Answered);
        History {
            arrived: SystemTime::now().checked_sub(latency).unwrap_or(SystemTime::UNIX_EPOCH),
            route: Arc::clone(&self.opening.route),
            trace: self.opening.trace,
            taken_in: self.taken_in,
            asked: std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner)),
            plan,
            baseline: baseline.and_then(|model| {
                Baseline::of(model, &request, calls.answering_call(), calls.answer_tokens())
            }),
            outcome: Outcome {
                id: request.id.clone(),
                label: std::mem::take(&mut self.label),
                ending,
                attempts: calls.made(),
                usage,
                cost,
                model: calls.answering_call().map(|call| call.model.id.clone()),
                first_token: calls.first_token(),
                latency,
                error,
                fault,
            },
            request,
            calls: calls.close(latency, ending),
        }
    }

    fn plan(&self) -> MutexGuard<'_, Option<PlanRun>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if !self.closed {
            self.close(RequestEnd::Cancelled, None);
        }
    }
}
