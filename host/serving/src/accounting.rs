//! The accounting of one request, from its arrival to its end.
//!
//! Whole answers, streams and hang-ups all end when their [`RequestAccounting`] is closed,
//! explicitly or by being dropped, so no request that was paid for is ever missing in what the
//! gateway reports.

mod calls;
mod decisions;
mod report;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::HeaderValue;
use pointsman_domain::failure::FailureKind;
use pointsman_domain::history::{Baseline, History};
use pointsman_domain::ids::KeyName;
use pointsman_domain::model::Model;
use pointsman_domain::outcome::{FailureCause, Fault, Outcome, RequestEnd};
use pointsman_domain::plan::Task;
use pointsman_domain::request::RequestFacts;
use pointsman_domain::trace::TraceContext;
use pointsman_policy::{Policy, PolicyStats};
use pointsman_state::StateAccess;
use pointsman_telemetry::{AttemptFailure, CapturedOutput, Telemetry};

use crate::captured_content::{CapturedAnswer, CapturedContent};
use crate::clock::unix_seconds;
use crate::policy_events::OutcomeObserver;
use crate::ratings::RatableDecision;
use crate::recorder::Recorder;
use crate::trace_headers;

pub use calls::{CallId, CallLedger};
pub use decisions::DecisionTrail;
pub use report::RequestReport;

/// Everything that happened to one request so far. Dropping it unclosed means that the client
/// hung up: what was used until then is recorded. It is changed through shared references,
/// because the tasks of a plan run concurrently.
#[derive(Debug)]
pub struct RequestAccounting {
    recorder: Arc<Recorder>,
    start: RequestStart,
    body_read_after: Duration,
    calls: CallLedger,
    decisions: DecisionTrail,
    /// Queue of the policy that observes outcomes.
    observer: Option<OutcomeObserver>,
    /// Policy that decided, with the access of its calls to its state.
    decider: Option<(Arc<Policy>, StateAccess)>,
    /// Statistics of the versions that the outcome counts for.
    stats: Vec<Arc<PolicyStats>>,
    /// The content, where content is recorded.
    content: Option<CapturedContent>,
    is_closed: bool,
}

/// Facts that are known when a request has been read.
#[derive(Clone, Debug)]
pub struct RequestStart {
    /// The route or model that the client named.
    pub route: Arc<str>,
    /// The model that the cost is compared with.
    pub baseline: Option<Arc<Model>>,
    /// The facts that policies see.
    pub request: Arc<RequestFacts>,
    /// The request's place in a trace.
    pub trace: Option<TraceContext>,
    /// Time of arrival.
    pub arrived: Instant,
    /// Cause of a failure for lack of time.
    pub deadline_cause: FailureCause,
}

/// Reason for which a request failed.
struct RequestFailure {
    fault: Fault,
    cause: FailureCause,
    why: String,
}

impl RequestAccounting {
    /// Opens the accounting of a request that has been read.
    pub fn open(recorder: Arc<Recorder>, start: RequestStart) -> Self {
        Self {
            recorder,
            body_read_after: start.arrived.elapsed(),
            calls: CallLedger::new(start.arrived),
            start,
            decisions: DecisionTrail::default(),
            observer: None,
            decider: None,
            stats: Vec::new(),
            content: None,
            is_closed: false,
        }
    }

    /// The calls of models, with what they use and reserve.
    pub fn calls(&self) -> &CallLedger {
        &self.calls
    }

    /// The decisions and the plan.
    pub fn decisions(&self) -> &DecisionTrail {
        &self.decisions
    }

    /// Telemetry for events in the middle of the request.
    pub fn telemetry(&self) -> &Telemetry {
        &self.recorder.telemetry
    }

    /// The cause of a failure for lack of time.
    pub fn deadline_cause(&self) -> FailureCause {
        self.start.deadline_cause
    }

    /// The id of the decision, which is the request's.
    pub fn id(&self) -> &str {
        &self.start.request.id
    }

    /// Returns the name of the client's key; `None` where no keys are configured.
    pub fn key(&self) -> Option<KeyName> {
        self.start.request.tenant.clone()
    }

    /// Time since the request arrived.
    pub fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.start.arrived)
    }

    /// Records the content, if there is any to record, when the request ends.
    pub fn record_content(&mut self, content: Option<CapturedContent>) {
        self.content = content;
    }

    /// Adds the answer to the content, if content is recorded.
    pub fn record_answer(&mut self, answer: impl FnOnce() -> CapturedAnswer) {
        if let Some(content) = &mut self.content {
            content.set_answer(answer());
        }
    }

    /// Adds the output of a task to the content, if outputs are recorded.
    pub fn record_output(&self, output: impl FnOnce() -> CapturedOutput) {
        if let Some(content) = &self.content {
            content.add_output(output);
        }
    }

    /// Sets who observes the outcome: a policy, and statistics of versions.
    pub fn set_observers(&mut self, policy: Option<OutcomeObserver>, stats: Vec<Arc<PolicyStats>>) {
        self.observer = policy;
        self.stats = stats;
    }

    /// Sets the policy that decided, with the access of its calls to its state; `None` for the gateway's
    /// own order, also after a policy that failed.
    pub fn set_decider(&mut self, decider: Option<(Arc<Policy>, StateAccess)>) {
        self.decider = decider;
    }

    /// Returns the `traceparent` of a call; `None` if the request belongs to no trace.
    pub fn traceparent(&self, call: CallId) -> Option<HeaderValue> {
        trace_headers::render_traceparent(self.start.trace?, self.calls.span_of(call)?)
    }

    /// Records that a call ended without an answer.
    pub fn record_failure(&self, call: CallId, model: &Model, task: Option<usize>, failure: FailureKind) {
        let (decision, kind) = (self.id(), &failure);
        self.telemetry().log_attempt_failure(&AttemptFailure { decision, task, model: &model.id, kind });
        self.calls.record_failure(call, failure);
    }

    /// Begins a step of a plan, whose tasks have the numbers from `first` on. Later tasks of an
    /// abandoned plan are dropped; their calls stay paid for.
    pub fn start_step<'t>(
        &self,
        first: usize,
        tasks: impl IntoIterator<Item = &'t Task>,
        step_follows: bool,
    ) {
        self.decisions.update_plan(|run| run.tasks.truncate(first));
        if let Some(content) = &self.content {
            content.discard_outputs(first);
        }
        self.calls.start_step(first, tasks, step_follows);
    }

    /// The report for the client's headers, as of now.
    pub fn report(&self) -> RequestReport {
        let report = RequestReport { attempts: Some(self.calls.made()), ..self.decisions.report() };
        RequestReport { decision_id: self.id().to_owned(), ..report }
    }

    /// Closes the accounting: the client has the whole answer.
    pub fn answered(mut self) {
        self.close(RequestEnd::Answered, None);
    }

    /// Closes the accounting: there is no answer, or it broke off.
    pub fn failed(mut self, fault: Fault, cause: FailureCause, why: String) {
        self.close(RequestEnd::Failed, Some(RequestFailure { fault, cause, why }));
    }

    fn close(&mut self, ending: RequestEnd, failure: Option<RequestFailure>) {
        self.is_closed = true;
        let history = self.take_history(ending, failure);
        for stats in &self.stats {
            stats.record_outcome(&history.outcome);
        }
        self.remember_for_ratings(&history.outcome);
        if let Some(observer) = self.observer.take() {
            observer.send(history.outcome.clone(), &self.recorder.telemetry);
        }
        self.recorder.record_request(history, self.content.take());
    }

    /// Remembers a decision that can be rated: where a policy or the decision log takes ratings.
    fn remember_for_ratings(&mut self, outcome: &Outcome) {
        let (policy, access) = self.decider.take().unzip();
        let takes_ratings = policy.as_ref().is_some_and(|policy| policy.wants_ratings());
        let Some(model) = &outcome.model else { return };
        if !takes_ratings && self.telemetry().decision_log.is_none() {
            return;
        }
        let decision = RatableDecision::new(
            self.key(),
            policy.map(|policy| policy.name().clone()),
            &access.unwrap_or_default(),
            &outcome.label,
            model.clone(),
            unix_seconds(),
        );
        self.recorder.ratable.record(&outcome.id, decision);
    }

    fn take_history(&mut self, ending: RequestEnd, failure: Option<RequestFailure>) -> History {
        let latency = self.start.arrived.elapsed();
        let calls = self.calls.take();
        let decisions = self.decisions.take();
        let (usage, cost) = calls.total();
        let cause = failure.as_ref().map(|failure| failure.cause);
        let (fault, error) = failure.map(|failure| (failure.fault, failure.why)).unzip();
        let request = Arc::clone(&self.start.request);
        let baseline = self.start.baseline.as_ref().filter(|_| ending == RequestEnd::Answered);
        History {
            arrived: SystemTime::now().checked_sub(latency).unwrap_or(SystemTime::UNIX_EPOCH),
            route: Arc::clone(&self.start.route),
            trace: self.start.trace,
            body_read_after: self.body_read_after,
            decisions: decisions.entries,
            plan: decisions.plan,
            baseline: baseline.and_then(|model| {
                Baseline::of(model, &request, calls.answering_call(), calls.answer_tokens())
            }),
            outcome: Outcome {
                id: request.id.clone(),
                label: decisions.label.unwrap_or_default(),
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
            cause,
            request,
            calls: calls.close(latency, ending),
        }
    }
}

impl Drop for RequestAccounting {
    fn drop(&mut self) {
        if !self.is_closed {
            self.close(RequestEnd::Cancelled, None);
        }
    }
}
