//! `POST /v1/decisions`: what would be done with a request, without doing it.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::Request;
use pointsman_domain::history::PlanRun;
use pointsman_domain::plan::PlanStep;
use pointsman_telemetry::Record;
use pointsman_telemetry::record::DryRun;

use super::error::ApiError;
use super::intake::Intake;
use super::unservable::unservable;
use crate::app::App;
use crate::proxy::choose::{Choice, Chooser, Course, NoChoice};
use crate::proxy::plan;

/// Asks the route's policies about a chat request, and tells what they saw and
/// said. No model is called, and nothing is accounted; the decision counts as one
/// of the policy's.
pub(super) async fn dry_run(
    State(app): State<Arc<App>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let arrived = SystemTime::now();
    let snapshot = app.snapshot();
    let intake = Intake::take(&app, &snapshot, request).await;
    let Intake { question, body_memory: _body_memory, .. } =
        intake.inspect_err(|error| app.recorder.turned_away(error))?;
    let (route, deadline) = (question.route, question.deadline);
    let mut chooser = Chooser::new(question);
    let chosen = tokio::time::timeout_at(deadline.into(), chooser.choose())
        .await
        .map_err(|_| ApiError::timeout("no policy decided within the time for the request"))?;
    let plan = match chosen {
        Ok(choice) => planned(&choice),
        Err(NoChoice::NoCandidate(none)) => return Err(unservable(&none)),
        // What the policy said is in the answer.
        Err(NoChoice::Refused { .. } | NoChoice::Rejected { .. } | NoChoice::NotLoaded(_)) => None,
    };
    let (request, asked) = (chooser.request(), chooser.take_asked());
    let dry = DryRun { route: &route.name, arrived, request: &request, asked: &asked, plan: plan.as_ref() };
    Ok(Json(Record::dry_run(&dry)).into_response())
}

/// The tasks that would be run first, with the models that would be asked first.
fn planned(choice: &Choice) -> Option<PlanRun> {
    let Course::Plan { step: PlanStep::Run(plan), .. } = &choice.course else { return None };
    let mut tasks = plan::runs(plan, 1);
    for (task, run) in plan.tasks().iter().zip(&mut tasks) {
        let first = task.decision().targets().first();
        let candidate = first.and_then(|target| choice.input.candidates.get(target.candidate));
        run.model = candidate.map(|candidate| candidate.model.id.to_string());
    }
    Some(PlanRun { steps: 1, tasks })
}
