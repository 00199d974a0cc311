//! `POST /v1/decisions`: a dry run, which decides on a request without serving it.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::Request;
use pointsman_dialects::protocol::Protocol;
use pointsman_domain::history::PlanRun;
use pointsman_domain::plan::PlanStep;
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_record::{DecisionRecord, DryRun};

use pointsman_serving::app::App;
use pointsman_serving::proxy::plan::task_runs;
use pointsman_serving::proxy::request::AcceptedRequest;
use pointsman_serving::proxy::routing::{DecisionMaker, NotRouted, RoutingAction, Selection};

use super::error::ErrorResponse;
use super::reading::{self, RequestPurpose};

const PROTOCOL: Protocol = Protocol::ChatCompletions;

/// Runs the route's policies on a chat request, and reports their input and their decision. No
/// model is called and nothing is accounted; the decision counts as one of the policy's.
pub(super) async fn dry_run(
    State(app): State<Arc<App>>,
    request: Request<Body>,
) -> Result<Response, ErrorResponse> {
    let arrived = SystemTime::now();
    let snapshot = app.snapshot();
    let accepted = reading::read(&app, &snapshot, RequestPurpose::Answer(PROTOCOL), request).await;
    let AcceptedRequest { routing, body_memory: _body_memory, .. } =
        accepted.inspect_err(|error| app.recorder.record_rejected(error.kind))?;
    let (route, deadline) = (routing.route, routing.deadline);
    let mut decision_maker = DecisionMaker::new(routing);
    let decided = tokio::time::timeout_at(deadline.into(), decision_maker.decide()).await.map_err(|_| {
        let message = "no policy decided within the time for the request";
        ServingError::new(ErrorKind::DeadlineExceeded, message)
    })?;
    let plan = match decided {
        Ok(selection) => planned(&selection),
        Err(NotRouted::NoCandidate(none)) => return Err(PROTOCOL.unservable(&none).into()),
        // The response has the policy's own words.
        Err(NotRouted::Refused { .. } | NotRouted::Rejected { .. } | NotRouted::NotLoaded(_)) => None,
    };
    let (request, asked) = (decision_maker.request(), decision_maker.take_entries());
    let dry =
        DryRun { route: &route.name, arrived, request: &request, decisions: &asked, plan: plan.as_ref() };
    Ok(Json(DecisionRecord::from_dry_run(&dry)).into_response())
}

/// The tasks of the first step, with the models that would be called first.
fn planned(selection: &Selection) -> Option<PlanRun> {
    let RoutingAction::Plan { step: PlanStep::Run(plan), .. } = &selection.action else { return None };
    let mut tasks = task_runs(plan, 1);
    for (task, run) in plan.tasks().iter().zip(&mut tasks) {
        let first = task.decision().targets().first();
        let candidate = first.and_then(|target| selection.input.candidates.get(target.candidate));
        run.model = candidate.map(|candidate| candidate.model.id.to_string());
    }
    Some(PlanRun { steps: 1, limits: selection.input.orchestration.limits, tasks })
}
