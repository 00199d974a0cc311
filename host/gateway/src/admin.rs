//! The admin API: status, history, metrics, and operations on routes and policies.

mod access;
mod attention;
mod audit;
pub(crate) mod condition_log;
mod decisions;
mod error;
pub(crate) mod events;
mod history;
mod kept_state;
mod keys;
pub(crate) mod loss_watch;
mod metrics;
mod operations;
mod operator_request;
mod overview;
mod page;
mod plans;
mod playground;
mod policies;
mod query;
mod reload;
mod routes;
mod status;
mod trade_off;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{get, patch, post, put};
use http::Uri;
use pointsman_admin_api::{
    ACCESS, AUDIT, DECISIONS, EVENTS, HISTORY, KEYS, MODELS, OVERVIEW, PLANS, PLAYGROUND, POLICIES, RELOAD,
    ROUTES, TRADE_OFF, USAGE,
};
use pointsman_config::AdminTokens;
use pointsman_serving::app::App;
use pointsman_serving::reload::Reloader;
use pointsman_telemetry::Supervisor;
use tokio::sync::watch;

use crate::logging::Logging;
use crate::server::HandshakeFailures;
use condition_log::ConditionLog;
use error::{AdminError, AdminErrorKind};
use events::Events;
pub(crate) use history::HistoryReader;
use loss_watch::LossWatch;
pub(crate) use playground::Playground;

/// State shared by the handlers.
pub(crate) struct Admin {
    pub(crate) app: Arc<App>,
    pub(crate) reloader: Arc<Reloader>,
    /// The tokens of the configuration that the gateway started with.
    pub(crate) first_tokens: AdminTokens,
    /// The channel of events.
    pub(crate) events: Events,
    /// The process log, for its counts of dropped lines and panics.
    pub(crate) logging: Logging,
    /// The supervisor of background tasks, for its counts of restarts.
    pub(crate) supervisor: Supervisor,
    /// Failed TLS handshakes by listener.
    pub(crate) handshake_failures: [(&'static str, HandshakeFailures); 2],
    /// Recent changes of models and of the configuration.
    pub(crate) condition_log: ConditionLog,
    /// Times of recent losses.
    pub(crate) loss_watch: LossWatch,
    /// Runs of single requests.
    pub(crate) playground: Playground,
    /// The history of usage.
    pub(crate) history: HistoryReader,
    /// True when the gateway stops.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Admin {
    /// Returns the tokens that callers have to send, if there are any. A reload may replace them
    /// and never removes all: the listener stays where it was bound at the start, which other
    /// machines may be able to reach.
    fn tokens(&self) -> AdminTokens {
        let configured = self.app.snapshot().config.admin.tokens.clone();
        if configured.is_empty() { self.first_tokens.clone() } else { configured }
    }
}

/// The routes of the admin listener.
pub(crate) fn router(admin: Arc<Admin>) -> Router {
    let below = |path: &str, rest: &str| format!("{path}/{rest}");
    Router::new()
        .route(POLICIES, get(policies::list))
        .route(&below(POLICIES, "{policy}"), get(policies::one))
        .route(ROUTES, get(routes::list))
        .route(&below(ROUTES, "{route}"), get(routes::one))
        .route(ACCESS, get(access::status))
        .route(AUDIT, get(audit::list))
        .route(OVERVIEW, get(overview::overview))
        .route(EVENTS, get(events::events))
        .route(DECISIONS, get(decisions::list))
        .route(&below(DECISIONS, "{id}"), get(decisions::one))
        .route(MODELS, get(status::models))
        .route(KEYS, get(keys::list))
        .route(USAGE, get(status::usage))
        .route(HISTORY, get(history::history))
        .route(TRADE_OFF, get(trade_off::trade_off))
        .route(PLANS, get(plans::list))
        .route(&below(PLANS, "{id}"), get(plans::one))
        .route("/metrics", get(metrics::page))
        .merge(for_operators())
        .fallback(unknown_url)
        .layer(middleware::from_fn_with_state(Arc::clone(&admin), access::authorize))
        .with_state(admin)
        // Merged after the layer: the page's files need no token.
        .merge(page::router())
}

/// The routes that need the role of an operator: changes, keys that are shown once, runs of policies, and what
/// policies keep, which may be parts of prompts.
fn for_operators() -> Router<Arc<Admin>> {
    let below = |path: &str, rest: &str| format!("{path}/{rest}");
    Router::new()
        .route(&below(POLICIES, "{policy}/state"), get(kept_state::list))
        .route(&below(POLICIES, "{policy}/code"), put(operations::upload))
        .route(&below(POLICIES, "{policy}/pin"), put(operations::pin).delete(operations::unpin))
        .route(&below(POLICIES, "{policy}/rollback"), post(operations::roll_back))
        .route(&below(POLICIES, "{policy}/release"), post(operations::release))
        .route(&below(ROUTES, "{route}/trial"), put(operations::set_trial).delete(operations::end_trial))
        .route(&below(ROUTES, "{route}/promote"), post(operations::promote))
        .route(&below(ROUTES, "{route}/rollback"), post(operations::demote))
        .route(KEYS, post(keys::create))
        .route(&below(KEYS, "{key}"), patch(keys::change).delete(keys::delete))
        .route(&below(KEYS, "{key}/rotate"), post(keys::rotate))
        .route(RELOAD, post(reload::reload))
        .route(PLAYGROUND, post(playground::run))
        .route_layer(middleware::from_fn(access::require_operator))
}

/// Returns the resource, or the error that it does not exist.
fn found<T>(resource: Option<T>, message: impl FnOnce() -> String) -> Result<T, AdminError> {
    resource.ok_or_else(|| AdminError::new(AdminErrorKind::NotFound, message()))
}

async fn unknown_url(uri: Uri) -> AdminError {
    let message = format!(
        "nothing at {}: there are GET {OVERVIEW}, {EVENTS}, {DECISIONS}, {POLICIES}, {ROUTES}, {MODELS}, {KEYS}, {USAGE}, \
         {HISTORY}, {PLANS}, {TRADE_OFF}, {AUDIT}, {ACCESS}, /metrics and POST {RELOAD}, {PLAYGROUND}; docs/rollouts.md lists what \
         changes policies, docs/keys.md what changes keys",
        uri.path()
    );
    AdminError::new(AdminErrorKind::NotFound, message).code("unknown_url")
}
