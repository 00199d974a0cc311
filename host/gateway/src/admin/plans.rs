//! `GET /admin/plans`, `GET /admin/plans/ID` and `GET /admin/plans/ID.svg`

mod gantt;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::header;
use serde::{Deserialize, Serialize};

use super::Admin;
use crate::client::error::ApiError;
use crate::ledger::PlanTrace;

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
struct Summary {
    id: String,
    at: u64,
    route: String,
    policy: String,
    label: String,
    ending: &'static str,
    tasks: usize,
    latency_ms: f64,
    critical_path_ms: f64,
    cost_usd: f64,
}

/// The newest plans first.
pub(super) async fn list(State(admin): State<Arc<Admin>>, Query(wanted): Query<Wanted>) -> Response {
    let traces = admin.app.ledger.plans.newest(wanted.limit.unwrap_or(LISTED));
    let summaries: Vec<Summary> = traces.iter().map(|trace| Summary::of(trace)).collect();
    Json(summaries).into_response()
}

/// One plan, as JSON or as a picture.
pub(super) async fn one(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Response {
    let (id, picture) = match name.strip_suffix(".svg") {
        Some(id) => (id, true),
        None => (name.as_str(), false),
    };
    match admin.app.ledger.plans.get(id) {
        None => no_such_plan(id).into_response(),
        Some(trace) if picture => {
            ([(header::CONTENT_TYPE, "image/svg+xml")], gantt::picture(&trace)).into_response()
        }
        Some(trace) => Json(&*trace).into_response(),
    }
}

fn no_such_plan(id: &str) -> ApiError {
    ApiError::not_found(
        "unknown_plan",
        format!(
            "there is no plan `{id}`: the last 1,000 are kept, by the id in x-pointsman-decision-id, once \
             their answer has ended"
        ),
    )
}

impl Summary {
    fn of(trace: &PlanTrace) -> Self {
        Self {
            id: trace.id.clone(),
            at: trace.at,
            route: trace.route.clone(),
            policy: trace.policy.clone(),
            label: trace.label.clone(),
            ending: trace.ending,
            tasks: trace.tasks.len(),
            latency_ms: trace.latency_ms,
            critical_path_ms: trace.critical_path_ms,
            cost_usd: trace.cost_usd,
        }
    }
}
