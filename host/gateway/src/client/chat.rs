//! `POST /v1/chat/completions`

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Request};
use pointsman_domain::history::{DecisionAnswer, DecisionEntry};
use pointsman_domain::outcome::Fault;
use pointsman_telemetry::PolicyFailed;
use pointsman_telemetry::metrics::Queue;
use pointsman_wire::openai::client::ChatRequest;

use super::error::ApiError;
use super::headers::{Told, forwarded};
use super::intake::Intake;
use super::setbacks;
use crate::app::App;
use crate::deadline::ResponseDeadline;
use crate::exchange::Exchange;
use crate::ledger::{Account, Opening};
use crate::proxy::answer;
use crate::proxy::choose::{Choice, Chooser, Course, NoChoice, Question};
use crate::proxy::outgoing::{CallBudget, Outgoing};
use crate::proxy::plan::{Conductor, End, Stopped};
use crate::proxy::race::{CallContext, Exhausted, Won, race};
use crate::snapshot::Snapshot;
use crate::trace_headers;

/// Answers a chat request, or says why not; either way with what is known of
/// the decision in the headers.
pub(super) async fn completions(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let mut told = Told::default();
    match complete(&app, request, &mut told).await {
        Ok(response) => response,
        Err(error) => {
            let mut response = error.into_response();
            told.write(response.headers_mut());
            response
        }
    }
}

async fn complete(app: &App, request: Request<Body>, told: &mut Told) -> Result<Response, ApiError> {
    let snapshot = app.snapshot();
    let intake = Intake::take(app, &snapshot, request).await;
    let Intake { headers, request, question, body_memory: _body_memory } =
        intake.inspect_err(|error| app.recorder.turned_away(error))?;
    told.decision_id(&question.request.id);
    let mut forwarded = forwarded(&headers);
    let traces = app.recorder.traces();
    let trace = traces.map(|traces| trace_headers::begin(&headers, &mut forwarded, traces.sample()));
    let opening = Opening {
        route: Arc::clone(&question.route.name),
        baseline: question.route.baseline.clone(),
        request: Arc::clone(&question.request),
        trace,
        arrived: question.arrived,
    };
    let mut account = Account::open(Arc::clone(&app.recorder), opening);
    let wants_content = app.recorder.telemetry.wants_content(&question.request.id, trace);
    account.keep(wants_content.then(|| Exchange::new(Arc::clone(&question.prompt))));
    let deadline = question.deadline;
    let work = Work { app, snapshot: &snapshot, request: &request, headers: forwarded, question };
    let reply = tokio::time::timeout_at(deadline.into(), pin!(work.reply(&mut account, told))).await;
    told.plan(account.tasks());
    told.attempts(account.attempts());
    match reply {
        Ok(Ok(Reply::Won(won))) => {
            let response = answer::respond(*won, account, std::mem::take(told), Some(deadline));
            Ok(ResponseDeadline(deadline).limit(response))
        }
        Ok(Ok(Reply::Text(text))) => {
            let response = answer::respond_composed(text, &request, account, std::mem::take(told));
            Ok(ResponseDeadline(deadline).limit(response))
        }
        Ok(Err(Setback::NotChosen(no_choice))) => Err(reject(account, setbacks::not_chosen(no_choice, told))),
        Ok(Err(Setback::Exhausted(exhausted))) if exhausted.answer.is_some() || Instant::now() < deadline => {
            exhausted_answer(exhausted, account, told)
        }
        Ok(Err(Setback::Stopped(stopped))) if Instant::now() < deadline => {
            Err(reject(account, setbacks::stopped(stopped)))
        }
        // An attempt gets no more time than is left, so it may be the first to run out of it.
        Ok(Err(_)) | Err(_) => {
            let waited = account.elapsed(Instant::now()).as_millis();
            Err(reject(account, ApiError::timeout(format!("no model answered within {waited} ms"))))
        }
    }
}

/// A request that is being worked on.
struct Work<'a> {
    app: &'a App,
    snapshot: &'a Snapshot,
    request: &'a ChatRequest,
    /// The client's headers that go along.
    headers: HeaderMap,
    question: Question<'a>,
}

/// What a request comes to.
enum Reply {
    /// A model's answer.
    Won(Box<Won>),
    /// A text that was put together.
    Text(String),
}

/// Why it came to nothing.
enum Setback {
    NotChosen(NoChoice),
    Exhausted(Exhausted),
    Stopped(Stopped),
}

impl<'a> Work<'a> {
    /// Chooses and does what was chosen. A policy that fails on the way is
    /// followed by whoever its route says.
    async fn reply(&self, account: &mut Account, told: &mut Told) -> Result<Reply, Setback> {
        let mut chooser = Chooser::new(self.question.clone());
        loop {
            let choice = chooser.choose().await;
            let asked = chooser.take_asked();
            self.tell_failures(&asked);
            account.asked(asked);
            if let Some(reason) = chooser.failure() {
                told.policy_failure(reason);
            }
            let choice = choice.map_err(Setback::NotChosen)?;
            if chooser.failure().is_none()
                && let Some(question) = chooser.for_shadow(&choice)
                && !self.app.shadows.ask(question)
            {
                self.app.recorder.telemetry.metrics.dropped(Queue::Shadow, 1);
            }
            let Choice { course, input, last_resort, records } = choice;
            tell_choice(&course, told);
            let feedback = course.policy().and_then(|policy| self.app.feedback.for_policy(policy));
            account.decided(course.label(), feedback, records);
            let mut candidates = Arc::clone(&input.candidates);
            let limits = self.question.route.limits.plan;
            let (decision, limits) = match course {
                Course::Decision { mut decision, policy } => {
                    if !last_resort.is_empty() {
                        let chosen_among = candidates.len();
                        candidates = candidates.iter().cloned().chain(last_resort).collect();
                        decision = decision.followed_by(chosen_among..candidates.len());
                    }
                    // A policy that may plan spends no more if it does not.
                    let orchestrates = policy.is_some_and(|policy| policy.orchestrates());
                    (decision, Some(limits).filter(|limits| orchestrates && limits.cost.is_some()))
                }
                Course::Plan { step, policy } => {
                    match self.conductor(account).run(step, &policy, input).await {
                        Ok(done) => {
                            told.route(&done.label);
                            account.relabelled(&done.label);
                            match done.end {
                                End::Answer(won) => return Ok(Reply::Won(won)),
                                End::Text(text) => return Ok(Reply::Text(text)),
                                End::Route(decision) => (decision, Some(limits)),
                            }
                        }
                        Err(Stopped::Policy(failure)) => {
                            let message = failure.to_string();
                            self.tell_failure(policy.version(), failure.reason(), &message);
                            chooser.failed(&policy, &failure);
                            continue;
                        }
                        Err(stopped) => return Err(Setback::Stopped(stopped)),
                    }
                }
            };
            let mut outgoing = Outgoing::whole(self.request, self.headers.clone(), account.usage());
            outgoing.budget = limits.map(|limits| CallBudget { limits, task: None });
            let limits = self.question.route.limits.attempts(self.question.deadline);
            let won = race(self.calls(), &candidates, &decision, limits, &outgoing, account).await;
            return won.map(|won| Reply::Won(Box::new(won))).map_err(Setback::Exhausted);
        }
    }

    fn tell_failures(&self, asked: &[DecisionEntry]) {
        for asked in asked {
            if let (Some(version), DecisionAnswer::Failure { reason, message }) = (&asked.policy, &asked.said)
            {
                self.tell_failure(&version.to_string(), reason, message);
            }
        }
    }

    fn tell_failure(&self, policy: &str, reason: &'static str, message: &str) {
        let (asked, decision) = (pointsman_telemetry::Asked::Decide, self.question.request.id.as_str());
        let failed = PolicyFailed { asked, decision, policy, reason, message };
        self.app.recorder.telemetry.policy_failed(&failed);
    }

    fn conductor<'s>(&'s self, account: &'s Account) -> Conductor<'s> {
        Conductor {
            calls: self.calls(),
            request: self.request,
            headers: &self.headers,
            limits: &self.question.route.limits,
            arrived: self.question.arrived,
            deadline: self.question.deadline,
            account,
            outputs: Mutex::default(),
            assembler: &self.app.assembler,
        }
    }

    fn calls(&self) -> CallContext<'a> {
        CallContext {
            backends: &self.snapshot.backends,
            memory: &self.app.memory,
            memory_limits: self.snapshot.config.memory,
        }
    }
}

/// Closes the account of a request that gets no answer.
fn reject(account: Account, error: ApiError) -> ApiError {
    account.failed(error.fault(), error.message().to_owned());
    error
}

fn tell_choice(course: &Course, told: &mut Told) {
    told.route(course.label());
    match course.policy() {
        Some(policy) => told.policy(policy.version()),
        None => told.no_policy(),
    }
}

/// What the client gets when no model answered: the backend's own words if the
/// request is at fault, else what was tried.
fn exhausted_answer(exhausted: Exhausted, account: Account, told: &mut Told) -> Result<Response, ApiError> {
    if let Some(error) = exhausted.answer {
        account.failed(Fault::Client, format!("the backend answered with status {}", error.status));
        return Ok(answer::pass_on(*error, std::mem::take(told)));
    }
    Err(reject(account, setbacks::all_failed(&exhausted)))
}
