//! The API for applications: OpenAI's, below `/v1`.

mod chat;
mod cors;
mod decision_headers;
mod decisions;
mod error;
mod guard;
mod models;
mod reading;
mod request_options;
mod response;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{Method, StatusCode, Uri, header};
use pointsman_domain::serving_error::{ErrorKind, ServingError};

use error::ErrorResponse;
use pointsman_config as config;
use pointsman_serving::app::App;

pub(crate) use error::render as render_error;

/// The routes of the client listener.
pub(crate) fn router(app: Arc<App>, server: &config::Server) -> Router {
    let guard = guard::Guard::new(Arc::clone(&app), server);
    Router::new()
        .route("/v1/chat/completions", post(chat::completions))
        .route("/v1/decisions", post(decisions::dry_run))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*id}", get(models::one))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .fallback(no_such_page)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(guard, guard::guard))
        .with_state(app)
}

/// Liveness: the process runs.
async fn health() -> &'static str {
    "ok\n"
}

/// Readiness: the gateway listens only once it is configured, and accepts no new requests once it is
/// stopping.
async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    match app.is_stopping() {
        false => (StatusCode::OK, "ready\n"),
        true => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
    }
}

async fn no_such_page(State(app): State<Arc<App>>, uri: Uri) -> ErrorResponse {
    let message = format!(
        "nothing at {}: this gateway serves POST /v1/chat/completions, POST /v1/decisions and GET /v1/models",
        uri.path()
    );
    rejected(&app, ServingError::new(ErrorKind::UnknownUrl, message))
}

async fn wrong_method(State(app): State<Arc<App>>, method: Method, uri: Uri) -> Response {
    let allowed = match uri.path() {
        "/v1/chat/completions" | "/v1/decisions" => "POST",
        _ => "GET",
    };
    let message = format!("{method} is not allowed at {}: use {allowed}", uri.path());
    let error = rejected(&app, ServingError::new(ErrorKind::MethodNotAllowed, message));
    ([(header::ALLOW, allowed)], error).into_response()
}

/// Counts a request that is rejected before a decision.
fn rejected(app: &App, error: ServingError) -> ErrorResponse {
    app.recorder.record_rejected(error.kind);
    error.into()
}
