//! `GET /admin/overview`: everything at a glance.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use axum::Json;
use axum::extract::State;
use pointsman_domain::ids::ModelId;
use pointsman_telemetry::decision_log::{Counts, DecisionLog};
use pointsman_telemetry::record::unix_ms;
use pointsman_telemetry::traces::{self, Traces};
use pointsman_telemetry::{Point, Steps, Window};
use serde::{Deserialize, Serialize};

use super::policies::Policy;
use super::query::Asking;
use super::routes::Route;
use super::status::ModelStatus;
use super::{Admin, policies, routes, status};
use crate::client::error::ApiError;
use crate::config;
use crate::ledger::{Sums, Totals};
use crate::reload::Report;
use crate::rollout::{self, Event};
use crate::snapshot::Snapshot;

/// Changes that are told with the rest.
const CHANGES: usize = 100;
/// Points of the finest timeline that go with each tick: the last whole second and
/// the one that grows, and one more for whoever missed a tick.
const POINTS: usize = 3;

/// How far back the timeline is to reach.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// In seconds.
    window: Option<u64>,
}

/// Everything at a glance.
#[derive(Debug, Serialize)]
pub(super) struct Overview {
    #[serde(flatten)]
    now: Now,
    timeline: Steps,
    /// What changed about policies, the newest first.
    changes: Vec<Event>,
}

/// What is told every second.
#[derive(Debug, Serialize)]
pub(super) struct Tick {
    #[serde(flatten)]
    now: Now,
    /// The newest seconds of the timeline.
    points: Vec<Point>,
}

/// How things stand.
#[derive(Debug, Serialize)]
struct Now {
    version: &'static str,
    now_ms: u64,
    started_ms: u64,
    totals: Row,
    models: Vec<ModelRow>,
    routes: Vec<RouteRow>,
    policies: Vec<Policy>,
    last_reload: Option<Report>,
    /// What became of the decision log's records, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision_log: Option<Counts>,
    /// What became of spans, if they are sent anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    traces: Option<traces::Counts>,
}

/// What some requests came to.
#[derive(Debug, Serialize)]
struct Row {
    requests: u64,
    #[serde(flatten)]
    totals: Totals,
}

#[derive(Debug, Serialize)]
struct ModelRow {
    #[serde(flatten)]
    status: ModelStatus,
    /// Answers since the start.
    requests: u64,
    cost_usd: f64,
}

#[derive(Debug, Serialize)]
struct RouteRow {
    #[serde(flatten)]
    route: Route,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    models: Vec<ModelId>,
    /// What its costs are compared with.
    baseline: Option<ModelId>,
    #[serde(flatten)]
    row: Row,
}

/// How things stand, and how they came to.
pub(super) async fn overview(
    State(admin): State<Arc<Admin>>,
    Asking(wanted): Asking<Wanted>,
) -> Result<Json<Overview>, ApiError> {
    let window = match wanted.window {
        None => Window::default(),
        Some(seconds) => Window::of_seconds(seconds).ok_or_else(|| {
            let message = "`window` has to be 300, 3600 or 86400 seconds";
            ApiError::bad_request("invalid_query", Some("window".to_owned()), message)
        })?,
    };
    let (timeline, audit) = (&admin.app.recorder.telemetry.timeline, &admin.reloader.rollouts.audit);
    Ok(Json(Overview {
        now: Now::of(&admin),
        timeline: timeline.steps(window, SystemTime::now()),
        changes: audit.newest(CHANGES),
    }))
}

impl Tick {
    pub(super) fn of(admin: &Admin) -> Self {
        let timeline = &admin.app.recorder.telemetry.timeline;
        let mut points = timeline.steps(Window::Minutes, SystemTime::now()).points;
        points.drain(..points.len().saturating_sub(POINTS));
        Self { now: Now::of(admin), points }
    }
}

impl Now {
    fn of(admin: &Admin) -> Self {
        let (snapshot, state) = (admin.app.snapshot(), admin.reloader.rollouts.state());
        let sums = admin.app.recorder.ledger.sums();
        let config = &snapshot.config;
        let policies = config.policies.iter();
        let route = |route| RouteRow::of(route, &snapshot, &state, &sums.by_route);
        Self {
            version: env!("CARGO_PKG_VERSION"),
            now_ms: unix_ms(SystemTime::now()),
            started_ms: unix_ms(admin.app.started),
            totals: sums.all.into(),
            models: models(&snapshot, &sums),
            routes: config.routes.iter().filter_map(route).collect(),
            policies: policies.filter_map(|policy| policies::of(&snapshot, &state, policy)).collect(),
            last_reload: admin.reloader.last(),
            decision_log: admin.app.recorder.telemetry.decision_log.as_ref().map(DecisionLog::counts),
            traces: admin.app.recorder.traces().map(Traces::counts),
        }
    }
}

impl RouteRow {
    fn of(
        configured: &config::Route,
        snapshot: &Snapshot,
        state: &rollout::State,
        sums: &HashMap<String, Totals>,
    ) -> Option<Self> {
        let served = snapshot.served.get(configured.name.as_str())?;
        Some(Self {
            route: routes::of(snapshot, state, configured)?,
            description: configured.description.clone(),
            models: configured.models.clone(),
            baseline: served.baseline.as_ref().map(|model| model.id.clone()),
            row: sums.get(configured.name.as_str()).copied().unwrap_or_default().into(),
        })
    }
}

impl From<Totals> for Row {
    fn from(totals: Totals) -> Self {
        Self { requests: totals.requests(), totals }
    }
}

fn models(snapshot: &Snapshot, sums: &Sums) -> Vec<ModelRow> {
    let now = Instant::now();
    let row = |status: ModelStatus| {
        let totals = sums.by_model.get(&status.id).copied().unwrap_or_default();
        ModelRow { requests: totals.answers(), cost_usd: totals.cost_usd(), status }
    };
    snapshot.config.models.iter().map(|model| row(status::status(model, now))).collect()
}
