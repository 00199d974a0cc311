//! The API that operators call: what is loaded, how it is doing, and what to change.

mod decisions;
pub(crate) mod events;
mod guard;
mod metrics;
mod operate;
mod overview;
mod page;
mod plans;
mod policies;
mod query;
mod routes;
mod status;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use http::{StatusCode, Uri};
use pointsman_domain::secret::Secret;
use pointsman_telemetry::Supervisor;
use tokio::sync::watch;

use crate::app::App;
use crate::client::error::ApiError;
use crate::logging::Logging;
use crate::reload::Reloader;
use events::Events;

/// What the admin handlers share.
pub(crate) struct Admin {
    pub(crate) app: Arc<App>,
    pub(crate) reloader: Arc<Reloader>,
    /// The token of the configuration that the gateway started with.
    pub(crate) first_token: Option<Secret>,
    /// What is told as it happens.
    pub(crate) events: Events,
    /// The log, for what it dropped.
    pub(crate) logging: Logging,
    /// Restarts of background work.
    pub(crate) supervisor: Supervisor,
    /// Whether the gateway is to stop.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Admin {
    /// Secret that callers have to send, if any. A reload renews a token. It never takes the
    /// only one away: the listener stays where it was bound at the start, which may be
    /// where other machines reach it.
    fn token(&self) -> Option<Secret> {
        self.app.snapshot().config.admin.token.clone().or_else(|| self.first_token.clone())
    }
}

/// The routes of the admin listener.
pub(crate) fn router(admin: Arc<Admin>) -> Router {
    Router::new()
        .route("/admin/policies", get(policies::list))
        .route("/admin/policies/{policy}", get(policies::one))
        .route("/admin/policies/{policy}/code", put(operate::upload))
        .route("/admin/policies/{policy}/pin", put(operate::pin).delete(operate::unpin))
        .route("/admin/policies/{policy}/rollback", post(operate::roll_back))
        .route("/admin/policies/{policy}/release", post(operate::release))
        .route("/admin/routes", get(routes::list))
        .route("/admin/routes/{route}", get(routes::one))
        .route("/admin/routes/{route}/trial", put(operate::set_trial).delete(operate::end_trial))
        .route("/admin/routes/{route}/promote", post(operate::promote))
        .route("/admin/routes/{route}/rollback", post(operate::demote))
        .route("/admin/audit", get(operate::audit))
        .route("/admin/overview", get(overview::overview))
        .route("/admin/events", get(events::events))
        .route("/admin/decisions", get(decisions::list))
        .route("/admin/decisions/{id}", get(decisions::one))
        .route("/admin/models", get(status::models))
        .route("/admin/usage", get(status::usage))
        .route("/admin/plans", get(plans::list))
        .route("/admin/plans/{id}", get(plans::one))
        .route("/admin/reload", post(reload))
        .route("/metrics", get(metrics::page))
        .fallback(no_such_page)
        .layer(middleware::from_fn_with_state(Arc::clone(&admin), guard::guard))
        .with_state(admin)
        // After the guard, which is not about it.
        .merge(page::router())
}

/// Does what a changed file does, and tells how it went: status 200 when all on
/// disk is in force, 422 when something was rejected.
async fn reload(State(admin): State<Arc<Admin>>) -> Response {
    let report = admin.reloader.reload("admin").await;
    let status = if report.is_clean() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    (status, axum::Json(report)).into_response()
}

async fn no_such_page(uri: Uri) -> ApiError {
    ApiError::not_found(
        "unknown_url",
        format!(
            "nothing at {}: there are GET /admin/overview, /admin/events, /admin/decisions, /admin/policies, \
             /admin/routes, /admin/models, /admin/usage, /admin/plans, /admin/audit, /metrics and POST /admin/reload; \
             docs/rollouts.md lists what changes policies",
            uri.path()
        ),
    )
}
