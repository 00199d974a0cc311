//! `GET /metrics`

use std::sync::Arc;
use std::time::{Instant, UNIX_EPOCH};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use pointsman_config::Config;
use pointsman_domain::model::Model;
use pointsman_policy::PolicySlot;
use pointsman_serving::app::App;
use pointsman_serving::memory::HeldFor;
use pointsman_serving::rollout::AuditLog;
use pointsman_state::StateSize;
use pointsman_telemetry::metrics::{
    HeldKind, MemoryMetrics, MetricsFormat, MetricsState, ModelMetrics, PolicyMetrics, PoolMetrics,
    RouteMetrics, StateMetrics,
};

use super::Admin;

/// Renders all metrics in the format that the client accepts.
pub(super) async fn page(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = MetricsFormat::accepted(accept.unwrap_or_default());
    let page = admin.app.recorder.telemetry.metrics.page(format, state(&admin));
    ([(header::CONTENT_TYPE, format.content_type())], page).into_response()
}

/// Collects the values that are read when metrics are rendered.
fn state(admin: &Admin) -> MetricsState {
    let (snapshot, now) = (admin.app.snapshot(), Instant::now());
    let rollouts = &admin.reloader.rollouts;
    let telemetry = &admin.app.recorder.telemetry;
    let (calls, places) = admin.reloader.runtime().running();
    MetricsState {
        version: env!("CARGO_PKG_VERSION"),
        started: admin.app.started.duration_since(UNIX_EPOCH).unwrap_or_default(),
        routes: (snapshot.config.routes.iter())
            .map(|route| RouteMetrics {
                name: route.name.to_string(),
                policy: snapshot.policy_of(route).to_string(),
            })
            .collect(),
        models: snapshot.config.models.iter().map(|model| model_state(model, now)).collect(),
        policies: snapshot.slots.values().map(|slot| policy_state(slot, &rollouts.audit)).collect(),
        state_failures: admin.reloader.runtime().states().storage().map_or(0, |storage| storage.failures),
        history_failures: admin.history.status().failures,
        policies_not_loaded: snapshot.unavailable.len() as u64,
        pool: PoolMetrics { calls, places },
        memory: memory_state(&admin.app, &snapshot.config),
        reloads: admin.reloader.counts(),
        records_dropped: telemetry.decision_log.as_ref().map_or(0, |log| log.counts().dropped()),
        log_lines_dropped: admin.logging.dropped(),
        panics: admin.logging.panics(),
        restarts: admin.supervisor.restarts(),
        handshake_failures: (admin.handshake_failures.iter())
            .map(|(listener, failures)| (*listener, failures.count()))
            .collect(),
        spans_dropped: admin.app.recorder.traces().map_or(0, |traces| traces.counts().dropped),
    }
}

fn model_state(model: &Model, now: Instant) -> ModelMetrics {
    let live = model.live.snapshot(&model.expected, now);
    ModelMetrics {
        backend: model.backend.to_string(),
        id: model.id.to_string(),
        healthy: live.healthy,
        resting: live.resting,
        in_flight: live.in_flight,
        retries_denied: model.live.retries_denied(),
    }
}

fn memory_state(app: &App, config: &Config) -> MemoryMetrics {
    let (held, limits) = (&app.memory, config.memory);
    let large = |kind, held_for, limit| HeldKind { kind, held: held.large(held_for), limit };
    MemoryMetrics {
        held: held.total(),
        limit: limits.total,
        large: [
            large("request-bodies", HeldFor::RequestBodies, limits.request_bodies),
            large("answers", HeldFor::Answers, limits.answers),
        ],
        stored_uploads: app.uploads.bytes(),
        stored_uploads_limit: config.uploads.limit,
    }
}

fn policy_state(slot: &PolicySlot, audit: &AuditLog) -> PolicyMetrics {
    let measures = slot.metrics();
    let limits = slot.active().spec().limits;
    PolicyMetrics {
        name: slot.name().to_string(),
        digest: measures.active.short(),
        loaded_at: measures.loaded_at,
        swaps: measures.swaps,
        rejected: measures.rejected,
        rollbacks: audit.rollbacks(slot.name()),
        failures: measures.failures.to_vec(),
        log_lines_dropped: measures.usage.log_lines_dropped,
        decision_times: measures.decision_times,
        decision_time: measures.decision_time,
        calls: measures.usage.calls,
        calls_limit: limits.concurrency as usize,
        idle_instances: measures.usage.idle_instances,
        peak_memory: measures.usage.peak_memory,
        memory_limit: limits.memory_bytes,
        state: slot.active().state().map(|state| {
            let StateSize { keys, bytes, unstored, rejected_writes } = state.size();
            StateMetrics { keys, bytes, unstored, rejected_writes }
        }),
    }
}
