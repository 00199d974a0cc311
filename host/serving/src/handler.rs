//! Serves one request: decides, calls models or runs a plan, and accounts for it.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use http::HeaderMap;
use pointsman_dialects::request::{ClientConversation, ClientRequest};
use pointsman_domain::history::{DecisionAnswer, DecisionEntry};
use pointsman_domain::outcome::{FailureCause, Fault};
use pointsman_domain::plan::InvalidPlan;
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_policy::PolicyFailure;
use pointsman_telemetry::PolicyCallFailure;
use pointsman_telemetry::metrics::QueueLabel;

use crate::accounting::{RequestAccounting, RequestStart};
use crate::app::App;
use crate::captured_content::CapturedContent;
use crate::proxy::answer::{Response, ResponseContent, respond, respond_composed};
use crate::proxy::call::{CallBudget, OutgoingCall};
use crate::proxy::forwarded_headers::forwarded_headers;
use crate::proxy::plan::{PlanEnd, PlanError, PlanRunner};
use crate::proxy::race::{CallContext, NoAnswer, WinningAttempt, race};
use crate::proxy::request::AcceptedRequest;
use crate::proxy::routing::{DecisionMaker, NotRouted, RoutingAction, RoutingInput, Selection};
use crate::snapshot::Snapshot;
use crate::trace_headers;

/// Serves a request by a snapshot.
pub async fn serve(app: &App, snapshot: &Snapshot, accepted: AcceptedRequest<'_>) -> Response {
    let AcceptedRequest { headers, body, routing, body_memory: _body_memory } = accepted;
    let mut forwarded = forwarded_headers(&headers);
    let traces = app.recorder.traces();
    let trace = traces.map(|traces| trace_headers::start(&headers, &mut forwarded, traces.sample()));
    let start = RequestStart {
        route: Arc::clone(&routing.route.name),
        baseline: routing.route.baseline.clone(),
        request: Arc::clone(&routing.request),
        trace,
        arrived: routing.arrived,
        deadline_cause: routing.deadline_cause,
    };
    let mut accounting = RequestAccounting::open(Arc::clone(&app.recorder), start);
    let (telemetry, id) = (&app.recorder.telemetry, &routing.request.id);
    let content = telemetry
        .wants_content(id, trace)
        .then(|| CapturedContent::new(Arc::clone(&routing.prompt), &body, telemetry.wants_outputs(id)));
    accounting.record_content(content);
    let deadline = routing.deadline;
    let handler = RequestHandler { app, snapshot, body: &body, headers: forwarded, routing };
    // Pinned, because the future is large and would be copied into the timeout otherwise.
    let handled = tokio::time::timeout_at(deadline.into(), pin!(handler.handle(&mut accounting))).await;
    match handled {
        Ok(Ok(Handled::Answer(won))) => respond(*won, accounting, &app.responses, deadline),
        Ok(Ok(Handled::Text(text, conversation))) => {
            respond_composed(text, conversation, accounting, deadline)
        }
        Ok(Err(Unanswered::NotRouted(not_routed))) => {
            fail(accounting, not_routed.into_error(body.protocol()))
        }
        Ok(Err(Unanswered::NoAnswer(no_answer)))
            if no_answer.answer.is_some() || Instant::now() < deadline =>
        {
            fail_without_answer(accounting, no_answer)
        }
        Ok(Err(Unanswered::Plan(error))) if Instant::now() < deadline => fail(accounting, error.into()),
        // An attempt gets no more time than is left, so it may be the first to run out of it.
        Ok(Err(_)) | Err(_) => {
            let waited = accounting.elapsed(Instant::now()).as_millis();
            let message = format!("no model answered within {waited} ms");
            fail(accounting, ServingError::new(ErrorKind::DeadlineExceeded, message))
        }
    }
}

/// A request that is being served.
struct RequestHandler<'a> {
    app: &'a App,
    snapshot: &'a Snapshot,
    body: &'a ClientRequest,
    /// Headers of the client to forward.
    headers: HeaderMap,
    routing: RoutingInput<'a>,
}

/// A request with an answer.
enum Handled<'a> {
    /// A model's answer.
    Answer(Box<WinningAttempt>),
    /// A text that a plan composed for a conversation.
    Text(String, &'a ClientConversation),
}

/// Reason for which a request has no answer.
enum Unanswered {
    /// No decision.
    NotRouted(NotRouted),
    /// No model answered.
    NoAnswer(NoAnswer),
    /// A plan failed.
    Plan(PlanError),
}

impl<'a> RequestHandler<'a> {
    /// Decides and acts on the decision. Where a plan's policy fails on the way, the route's next
    /// stage decides.
    async fn handle(&self, accounting: &mut RequestAccounting) -> Result<Handled<'a>, Unanswered> {
        let mut decision_maker = DecisionMaker::new(self.routing.clone());
        loop {
            let Selection { action, input, last_resort, .. } =
                self.decide(&mut decision_maker, accounting).await.map_err(Unanswered::NotRouted)?;
            let mut candidates = Arc::clone(&input.candidates);
            let limits = self.routing.route.limits.plan;
            let (decision, limits) = match action {
                RoutingAction::Decision { mut decision, policy } => {
                    if !last_resort.is_empty() {
                        let chosen_among = candidates.len();
                        candidates = candidates.iter().cloned().chain(last_resort).collect();
                        decision = decision.followed_by(chosen_among..candidates.len());
                    }
                    // A policy that may plan spends no more if it does not.
                    let orchestrates = policy.is_some_and(|policy| policy.orchestrates());
                    (decision, Some(limits).filter(|limits| orchestrates && limits.cost.is_some()))
                }
                RoutingAction::Plan { step, policy } => {
                    let Some(conversation) = self.body.as_conversation() else {
                        let operation = self.body.operation();
                        let failure = PolicyFailure::from(InvalidPlan::Operation(operation));
                        decision_maker.record_failure(&policy, &failure);
                        continue;
                    };
                    match self.plan_runner(conversation, accounting).run(step, &policy, input).await {
                        Ok(result) => {
                            accounting.decisions().relabel(&result.label);
                            match result.end {
                                PlanEnd::Answer(won) => return Ok(Handled::Answer(won)),
                                PlanEnd::Text(text) => return Ok(Handled::Text(text, conversation)),
                                PlanEnd::Route(decision) => (decision, Some(limits)),
                            }
                        }
                        Err(PlanError::Policy(failure)) => {
                            let message = failure.to_string();
                            self.log_failure(policy.version(), failure.reason(), &message);
                            decision_maker.record_failure(&policy, &failure);
                            continue;
                        }
                        Err(error) => return Err(Unanswered::Plan(error)),
                    }
                }
            };
            let mut outgoing =
                OutgoingCall::whole(self.body, self.headers.clone(), accounting.calls().usage());
            outgoing.drop_untranslatable = self.routing.route.limits.drop_untranslatable;
            outgoing.budget = limits.map(|limits| CallBudget { limits, task: None });
            let limits = self.routing.route.limits.attempts(self.routing.deadline);
            let won = race(self.calls(), &candidates, &decision, limits, &outgoing, accounting).await;
            return won.map(|won| Handled::Answer(Box::new(won))).map_err(Unanswered::NoAnswer);
        }
    }

    /// Decides, and records the decision.
    async fn decide(
        &self,
        decision_maker: &mut DecisionMaker<'_>,
        accounting: &mut RequestAccounting,
    ) -> Result<Selection, NotRouted> {
        let decided = decision_maker.decide().await;
        let entries = decision_maker.take_entries();
        self.log_failures(&entries);
        accounting.decisions().append(entries);
        if let Some(reason) = decision_maker.failure() {
            accounting.decisions().record_failure(reason);
        }
        let mut selection = decided.inspect_err(|not_routed| {
            if let Some(policy) = not_routed.policy() {
                accounting.decisions().record_rejection(policy);
            }
        })?;
        if decision_maker.failure().is_none()
            && let Some(request) = decision_maker.shadow_request(&selection)
            && !self.app.shadows.send(request)
        {
            self.app.recorder.telemetry.metrics.record_dropped(QueueLabel::Shadow, 1);
        }
        let policy = selection.action.policy();
        accounting.decisions().record(selection.action.label(), policy);
        let access = &selection.input.state.access;
        let observer = policy.and_then(|policy| self.app.policy_events.observer(policy, access));
        accounting.set_decider(policy.map(|policy| (Arc::clone(policy), access.clone())));
        accounting.set_observers(observer, std::mem::take(&mut selection.stats));
        Ok(selection)
    }

    fn log_failures(&self, entries: &[DecisionEntry]) {
        for entry in entries {
            if let (Some(version), DecisionAnswer::Failure { reason, message }) =
                (&entry.policy, &entry.answer)
            {
                self.log_failure(&version.to_string(), reason, message);
            }
        }
    }

    fn log_failure(&self, policy: &str, reason: &'static str, message: &str) {
        let (kind, decision) =
            (pointsman_telemetry::PolicyCallKind::Decide, self.routing.request.id.as_str());
        let failed = PolicyCallFailure { kind, decision, policy, reason, message };
        self.app.recorder.telemetry.log_policy_failure(&failed);
    }

    fn plan_runner<'s>(
        &'s self,
        request: &'s ClientConversation,
        accounting: &'s RequestAccounting,
    ) -> PlanRunner<'s> {
        PlanRunner {
            calls: self.calls(),
            request,
            headers: &self.headers,
            limits: &self.routing.route.limits,
            arrived: self.routing.arrived,
            deadline: self.routing.deadline,
            accounting,
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

/// Closes the accounting of a request with an error of the gateway.
fn fail(accounting: RequestAccounting, error: ServingError) -> Response {
    let report = accounting.report();
    let cause = match error.kind {
        ErrorKind::DeadlineExceeded => accounting.deadline_cause(),
        kind => kind.cause(),
    };
    accounting.failed(error.kind.fault(), cause, error.message.clone());
    Response { report, content: ResponseContent::Error(error) }
}

/// Closes the accounting of a request that no model answered. The error of a backend is passed on
/// where the request is at fault.
fn fail_without_answer(accounting: RequestAccounting, mut no_answer: NoAnswer) -> Response {
    let Some(error) = no_answer.answer.take() else { return fail(accounting, (&no_answer).into()) };
    let report = accounting.report();
    let message = format!("the backend answered with status {}", error.status);
    accounting.failed(Fault::Client, FailureCause::Client, message);
    Response { report, content: ResponseContent::BackendError(error) }
}
