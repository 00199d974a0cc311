//! `GET /admin/decisions` and `GET /admin/decisions/ID`: why requests went where
//! they went.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use pointsman_domain::history::History;
use pointsman_telemetry::Record;
use pointsman_telemetry::record::{ms, unix_ms};
use serde::{Deserialize, Serialize};

use super::Admin;
use super::query::Asking;
use crate::client::error::ApiError;

/// Decisions that are listed where nothing else is asked for.
const LISTED: usize = 50;

/// Which decisions are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    route: Option<String>,
    /// The model that answered, or else worked on it last.
    model: Option<String>,
    policy: Option<String>,
    /// `answered`, `failed` or `cancelled`.
    ending: Option<String>,
    /// Arrived at this time or later, in milliseconds since 1970.
    since: Option<u64>,
    /// Most that are listed.
    #[serde(default = "listed")]
    limit: usize,
}

/// A decision, as far as a list tells.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    id: String,
    at_ms: u64,
    route: String,
    /// With its version.
    policy: Option<String>,
    label: String,
    reason: Option<String>,
    ending: &'static str,
    model: Option<String>,
    attempts: u32,
    tasks: Option<usize>,
    latency_ms: f64,
    first_token_ms: Option<f64>,
    cost_usd: f64,
    error: Option<String>,
}

fn listed() -> usize {
    LISTED
}

/// The newest first.
pub(super) async fn list(
    State(admin): State<Arc<Admin>>,
    Asking(wanted): Asking<Wanted>,
) -> Json<Vec<Summary>> {
    let recent = &admin.app.recorder.telemetry.recent;
    let histories = recent.newest(wanted.limit, |history| wanted.has(history));
    Json(histories.iter().map(|history| Summary::of(history)).collect())
}

/// One of them, with everything that is known of it.
pub(super) async fn one(State(admin): State<Arc<Admin>>, Path(id): Path<String>) -> Response {
    match admin.app.recorder.telemetry.recent.get(&id) {
        Some(history) => Json(Record::of(&history)).into_response(),
        None => ApiError::not_found(
            "unknown_decision",
            format!(
                "there is no decision `{id}`: the last 1,000 are kept, by the id in x-pointsman-decision-id, \
                 once their answer has ended, and only 100 of each second where more end; [decision_log] \
                 keeps all"
            ),
        )
        .into_response(),
    }
}

impl Wanted {
    fn has(&self, history: &History) -> bool {
        let is = |wanted: &Option<String>, value: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| value == Some(wanted))
        };
        let policy = history.decided_by().map(|version| version.policy.as_str());
        let since = self.since.map(|since| UNIX_EPOCH + Duration::from_millis(since));
        is(&self.route, Some(&history.route))
            && is(&self.model, history.last_model().map(|model| model.as_str()))
            && is(&self.policy, policy)
            && is(&self.ending, Some(history.outcome.ending.as_str()))
            && since.is_none_or(|since| history.arrived >= since)
    }
}

impl Summary {
    pub(super) fn of(history: &History) -> Self {
        let outcome = &history.outcome;
        Self {
            id: outcome.id.clone(),
            at_ms: unix_ms(history.arrived),
            route: history.route.to_string(),
            policy: history.decided_by().map(ToString::to_string),
            label: outcome.label.clone(),
            reason: history.reason().map(str::to_owned),
            ending: outcome.ending.as_str(),
            model: history.last_model().map(ToString::to_string),
            attempts: outcome.attempts,
            tasks: history.plan.as_ref().map(|plan| plan.tasks.len()),
            latency_ms: ms(outcome.latency),
            first_token_ms: outcome.first_token.map(ms),
            cost_usd: outcome.cost.usd(),
            error: outcome.error.clone(),
        }
    }
}
