//! `GET /admin/plans`, `GET /admin/plans/ID` and `GET /admin/plans/ID.svg`

mod gantt;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header;
use pointsman_admin_api::{PlanDetail, PlanSummary, PlanTrace, PlansQuery, TaskTrace};
use pointsman_domain::history::History;
use pointsman_record::{PlanRecord, TaskRecord, ms};

use super::Admin;
use super::decisions::unknown;
use super::query::ApiQuery;

/// Plans that are listed by default.
const DEFAULT_LIMIT: usize = 20;

/// Lists the newest plans first.
pub(super) async fn list(
    State(admin): State<Arc<Admin>>,
    ApiQuery(query): ApiQuery<PlansQuery>,
) -> Json<Vec<PlanSummary>> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let histories = admin.app.recorder.telemetry.recent.newest_plans(limit);
    Json(histories.iter().filter_map(|history| trace(history)).map(summary).collect())
}

/// Returns one plan, as JSON or as a Gantt chart.
pub(super) async fn one(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Response {
    let (id, is_chart) = match name.strip_suffix(".svg") {
        Some(id) => (id, true),
        None => (name.as_str(), false),
    };
    let history = admin.app.recorder.telemetry.recent.get(id);
    match history.as_deref().and_then(trace) {
        None => unknown("plan", "unknown_plan", id).into_response(),
        Some(trace) if is_chart => {
            ([(header::CONTENT_TYPE, "image/svg+xml")], gantt::render(&trace)).into_response()
        }
        Some(trace) => Json(&trace).into_response(),
    }
}

/// Returns the trace of a request that was split into tasks.
fn trace(history: &History) -> Option<PlanTrace> {
    let (run, outcome) = (history.plan.as_ref()?, &history.outcome);
    let ended = (history.arrived + outcome.latency).duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(PlanTrace {
        id: outcome.id.clone(),
        at: ended.as_secs(),
        route: history.route.to_string(),
        policy: history.decided_by().map(ToString::to_string).unwrap_or_default(),
        label: outcome.label.clone(),
        reason: history.reason().map(str::to_owned),
        ending: outcome.ending.as_str().to_owned(),
        error: outcome.error.clone(),
        latency_ms: ms(outcome.latency),
        input_tokens: outcome.usage.input_tokens,
        output_tokens: outcome.usage.output_tokens,
        cost_usd: outcome.cost.usd(),
        plan: detail(PlanRecord::new(run, &history.calls, Some(outcome))),
    })
}

fn detail(plan: PlanRecord<'_>) -> PlanDetail {
    PlanDetail {
        steps: plan.steps,
        critical_path: plan.critical_path,
        critical_path_ms: plan.critical_path_ms,
        tasks: plan.tasks.into_iter().map(task).collect(),
    }
}

fn task(task: TaskRecord<'_>) -> TaskTrace {
    TaskTrace {
        number: task.number,
        name: task.name.into_owned(),
        operation: task.operation.into_owned(),
        step: task.step,
        after: task.after.into_owned(),
        status: task.status.into_owned(),
        model: task.model.map(Cow::into_owned),
        attempts: task.attempts,
        begun_ms: task.begun_ms,
        ended_ms: task.ended_ms,
        input_tokens: task.input_tokens,
        output_tokens: task.output_tokens,
        cost_usd: task.cost_usd,
        output_bytes: task.output_bytes,
        error: task.error.map(Cow::into_owned),
    }
}

fn summary(trace: PlanTrace) -> PlanSummary {
    PlanSummary {
        id: trace.id,
        at: trace.at,
        route: trace.route,
        policy: trace.policy,
        label: trace.label,
        ending: trace.ending,
        tasks: trace.plan.tasks.len(),
        latency_ms: trace.latency_ms,
        critical_path_ms: trace.plan.critical_path_ms,
        cost_usd: trace.cost_usd,
    }
}
