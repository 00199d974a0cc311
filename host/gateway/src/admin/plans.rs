//! `GET /admin/plans`, `GET /admin/plans/ID` and `GET /admin/plans/ID.svg`

mod gantt;

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header;
use pointsman_domain::history::History;
use pointsman_telemetry::record::{Plan, ms};
use serde::{Deserialize, Serialize};

use super::Admin;
use super::query::Asking;
use crate::client::error::ApiError;

/// Plans that are listed where nothing else is asked for.
const LISTED: usize = 20;

/// What is asked of the list.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// Most plans to list.
    limit: Option<usize>,
}

/// A plan, as far as a list tells.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    id: &'a str,
    /// When the request ended, in seconds since 1970.
    at: u64,
    route: &'a str,
    /// The policy that made it, with its version.
    policy: String,
    label: &'a str,
    ending: &'static str,
    tasks: usize,
    latency_ms: f64,
    critical_path_ms: f64,
    cost_usd: f64,
}

/// How a plan went.
#[derive(Debug, Serialize)]
struct PlanTrace<'a> {
    id: &'a str,
    at: u64,
    route: &'a str,
    policy: String,
    label: &'a str,
    /// Why, in the policy's words.
    reason: Option<&'a str>,
    ending: &'static str,
    error: Option<&'a str>,
    latency_ms: f64,
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: f64,
    #[serde(flatten)]
    plan: Plan<'a>,
}

/// The newest plans first.
pub(super) async fn list(State(admin): State<Arc<Admin>>, Asking(wanted): Asking<Wanted>) -> Response {
    let histories = admin.app.recorder.telemetry.recent.newest_plans(wanted.limit.unwrap_or(LISTED));
    let traces = histories.iter().filter_map(|history| PlanTrace::of(history));
    Json(traces.map(Summary::from).collect::<Vec<_>>()).into_response()
}

/// One plan, as JSON or as a picture.
pub(super) async fn one(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Response {
    let (id, picture) = match name.strip_suffix(".svg") {
        Some(id) => (id, true),
        None => (name.as_str(), false),
    };
    let history = admin.app.recorder.telemetry.recent.get(id);
    match history.as_deref().and_then(PlanTrace::of) {
        None => no_such_plan(id).into_response(),
        Some(trace) if picture => {
            ([(header::CONTENT_TYPE, "image/svg+xml")], gantt::picture(&trace)).into_response()
        }
        Some(trace) => Json(&trace).into_response(),
    }
}

fn no_such_plan(id: &str) -> ApiError {
    ApiError::not_found(
        "unknown_plan",
        format!(
            "there is no plan `{id}`: the last 1,000 are kept, by the id in x-pointsman-decision-id, once \
             their answer has ended, and only 100 of each second where more end; [decision_log] keeps all"
        ),
    )
}

impl<'a> PlanTrace<'a> {
    /// Of a request that was cut into tasks.
    fn of(history: &'a History) -> Option<Self> {
        let (plan, outcome) = (history.plan.as_ref()?, &history.outcome);
        let ended = (history.arrived + outcome.latency).duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(Self {
            id: &outcome.id,
            at: ended.as_secs(),
            route: &history.route,
            policy: history.decided_by().map(ToString::to_string).unwrap_or_default(),
            label: &outcome.label,
            reason: history.reason(),
            ending: outcome.ending.as_str(),
            error: outcome.error.as_deref(),
            latency_ms: ms(outcome.latency),
            input_tokens: outcome.usage.input_tokens,
            output_tokens: outcome.usage.output_tokens,
            cost_usd: outcome.cost.usd(),
            plan: Plan::of(plan, &history.calls, Some(outcome)),
        })
    }
}

impl<'a> From<PlanTrace<'a>> for Summary<'a> {
    fn from(trace: PlanTrace<'a>) -> Self {
        Self {
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
}
