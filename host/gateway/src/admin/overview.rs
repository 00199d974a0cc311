//! `GET /admin/overview`, and the status that the event stream sends each second

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use axum::Json;
use axum::extract::State;
use pointsman_admin_api::{
    DecisionLogCounts, GatewayStatus, ModelOverview, Overview, OverviewQuery, RequestTotals, RouteOverview,
    SpanCounts, Tick, Timeline, TimelinePoint,
};
use pointsman_config as config;
use pointsman_domain::usage_totals::UsageTotals;
use pointsman_record::unix_ms;
use pointsman_serving::ledger::LedgerSums;
use pointsman_serving::rollout;
use pointsman_serving::snapshot::Snapshot;
use pointsman_telemetry::{IntervalSeries, IntervalTotals, TimelineWindow};

use super::attention::{self, MinuteSums};
use super::error::AdminError;
use super::query::{ApiQuery, invalid_query};
use super::{Admin, audit, loss_watch, policies, reload, routes, status};

/// Changes that are part of the overview.
const CHANGES: usize = 100;
/// Points of the finest timeline that each tick has: the growing one, the last whole second, and
/// one more for clients that missed a tick.
const TICK_POINTS: usize = 3;

/// Returns the status, with its history over a window.
pub(super) async fn overview(
    State(admin): State<Arc<Admin>>,
    ApiQuery(query): ApiQuery<OverviewQuery>,
) -> Result<Json<Overview>, AdminError> {
    let window = match query.window {
        None => TimelineWindow::default(),
        Some(seconds) => TimelineWindow::of_seconds(seconds).ok_or_else(|| {
            invalid_query("`window` has to be 300, 3600 or 86400 seconds".to_owned()).param("window")
        })?,
    };
    let (now, sums) = (SystemTime::now(), &admin.app.recorder.telemetry.timeline);
    let seconds = sums.series(TimelineWindow::Minutes, now).points;
    Ok(Json(Overview {
        status: gateway_status(&admin, now, &seconds),
        timeline: timeline(sums.series(window, now)),
        changes: audit::newest_with_conditions(&admin, CHANGES),
    }))
}

pub(super) fn tick(admin: &Admin) -> Tick {
    let now = SystemTime::now();
    let mut points = admin.app.recorder.telemetry.timeline.series(TimelineWindow::Minutes, now).points;
    let status = gateway_status(admin, now, &points);
    points.drain(..points.len().saturating_sub(TICK_POINTS));
    Tick { status, points: points.into_iter().map(timeline_point).collect() }
}

/// Returns the status at a time, with the conditions that follow from the seconds before it.
fn gateway_status(admin: &Admin, now: SystemTime, seconds: &[IntervalTotals]) -> GatewayStatus {
    let (snapshot, state) = (admin.app.snapshot(), admin.reloader.rollouts.state());
    let recorder = &admin.app.recorder;
    let sums = recorder.ledger.sums();
    let config = &snapshot.config;
    let policies = config.policies.iter();
    let route = |route| route_overview(route, &snapshot, &state, &sums.by_route);
    let status = GatewayStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now_ms: unix_ms(now),
        attention: Vec::new(),
        started_ms: unix_ms(admin.app.started),
        totals: totals(&sums.all),
        models: models(&snapshot, &sums),
        routes: config.routes.iter().filter_map(route).collect(),
        policies: policies.filter_map(|policy| policies::status(&snapshot, &state, policy)).collect(),
        last_reload: admin.reloader.last().as_ref().map(reload::report),
        decision_log: recorder.telemetry.decision_log.as_ref().map(|log| {
            let counts = log.counts();
            DecisionLogCounts {
                written: counts.written,
                bytes: counts.bytes,
                dropped_queue: counts.dropped_queue,
                dropped_disk: counts.dropped_disk,
            }
        }),
        traces: recorder.traces().map(|traces| {
            let counts = traces.counts();
            SpanCounts { exported: counts.exported, dropped: counts.dropped }
        }),
    };
    loss_watch::read(admin);
    let minute = MinuteSums::of(seconds, status.now_ms);
    let attention = attention::entries(&status, &minute, &admin.loss_watch.recent(status.now_ms));
    GatewayStatus { attention, ..status }
}

fn route_overview(
    configured: &config::Route,
    snapshot: &Snapshot,
    state: &rollout::RolloutState,
    sums: &HashMap<String, UsageTotals>,
) -> Option<RouteOverview> {
    let name = configured.name.as_str();
    let served = snapshot.served.get(name)?;
    Some(RouteOverview {
        status: routes::status(snapshot, state, configured)?,
        description: configured.description.clone(),
        aliases: configured.aliases.iter().map(ToString::to_string).collect(),
        models: configured.models.iter().map(ToString::to_string).collect(),
        baseline: served.baseline.as_ref().map(|model| model.id.to_string()),
        totals: totals(&sums.get(name).copied().unwrap_or_default()),
    })
}

fn models(snapshot: &Snapshot, sums: &LedgerSums) -> Vec<ModelOverview> {
    let now = Instant::now();
    let models = snapshot.config.models.iter().map(|model| {
        let totals = sums.by_model.get(model.id.as_str()).copied().unwrap_or_default();
        ModelOverview {
            status: status::model_status(model, now),
            requests: totals.answered,
            cost_usd: totals.cost.usd(),
        }
    });
    models.collect()
}

fn totals(totals: &UsageTotals) -> RequestTotals {
    RequestTotals { requests: totals.requests(), sums: status::sums(totals) }
}

fn timeline(series: IntervalSeries) -> Timeline {
    Timeline { step_ms: series.step_ms, points: series.points.into_iter().map(timeline_point).collect() }
}

fn timeline_point(totals: IntervalTotals) -> TimelinePoint {
    TimelinePoint {
        at_ms: totals.at_ms,
        requests: totals.requests,
        answered: totals.answered,
        failed: totals.failed,
        failed_by: status::causes(totals.failed_by),
        rejected_by: status::causes(totals.rejected_by),
        cancelled: totals.cancelled,
        input_tokens: totals.input_tokens,
        output_tokens: totals.output_tokens,
        cost_usd: totals.cost_usd,
        compared_cost_usd: totals.compared_cost_usd,
        baseline_cost_usd: totals.baseline_cost_usd,
        latency_ms_p50: totals.latency_ms_p50,
        latency_ms_p95: totals.latency_ms_p95,
        added_ms_p50: totals.added_ms_p50,
        models: totals.models.into_iter().map(|(model, answers)| (model.to_string(), answers)).collect(),
    }
}
