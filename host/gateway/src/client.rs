//! The API that applications call: OpenAI's, below `/v1`.

pub(crate) mod error;
pub(crate) mod headers;
pub(crate) mod keys;

mod chat;
mod cors;
mod decisions;
mod facts;
mod guard;
mod intake;
mod models;
mod setbacks;
mod unservable;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{Method, StatusCode, Uri, header};

use crate::app::App;
use crate::config;
use error::ApiError;

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

/// The process lives.
async fn health() -> &'static str {
    "ok\n"
}

/// Reports whether balancers should send requests here: the gateway listens only once it is
/// configured, and no longer wants new requests once it was asked to stop.
async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    match app.is_stopping() {
        false => (StatusCode::OK, "ready\n"),
        true => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
    }
}

async fn no_such_page(State(app): State<Arc<App>>, uri: Uri) -> ApiError {
    let message = format!(
        "nothing at {}: this gateway serves POST /v1/chat/completions, POST /v1/decisions and GET /v1/models",
        uri.path()
    );
    let error = ApiError::not_found("unknown_url", message);
    app.recorder.turned_away(&error);
    error
}

async fn wrong_method(State(app): State<Arc<App>>, method: Method, uri: Uri) -> Response {
    let allowed = match uri.path() {
        "/v1/chat/completions" | "/v1/decisions" => "POST",
        _ => "GET",
    };
    let message = format!("{method} is not allowed at {}: use {allowed}", uri.path());
    let error = ApiError::method_not_allowed(message);
    app.recorder.turned_away(&error);
    ([(header::ALLOW, allowed)], error).into_response()
}
