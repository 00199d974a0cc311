//! Requests that models answer, in each of the protocols that clients use.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request};
use pointsman_dialects::protocol::{ForwardedApi, Protocol};
use pointsman_serving::app::App;
use pointsman_serving::handler::serve;

use super::{reading, rejected, response};

/// Handles `POST /v1/chat/completions`.
pub(super) async fn chat_completions(app: State<Arc<App>>, request: Request<Body>) -> Response {
    answer(Protocol::ChatCompletions, app, request).await
}

/// Handles `POST /v1/completions`.
pub(super) async fn completions(app: State<Arc<App>>, request: Request<Body>) -> Response {
    answer(Protocol::Completions, app, request).await
}

/// Handles `POST /v1/responses`.
pub(super) async fn responses(app: State<Arc<App>>, request: Request<Body>) -> Response {
    answer(Protocol::Responses, app, request).await
}

/// Handles `POST /v1/messages`.
pub(super) async fn messages(app: State<Arc<App>>, request: Request<Body>) -> Response {
    answer(Protocol::Messages, app, request).await
}

/// Handles `POST /v1/messages/count_tokens` with the gateway's estimate: which model answers a
/// request, and so how its tokens are counted, is decided only when it is served.
pub(super) async fn count_tokens(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let snapshot = app.snapshot();
    match reading::count_tokens(&app, &snapshot, request).await {
        Ok(body) => ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response(),
        Err(error) => rejected(&app, Protocol::Messages, error).into_response(),
    }
}

/// Handles a request of an API whose requests are forwarded as they arrived.
pub(super) async fn forwarded(api: ForwardedApi, app: State<Arc<App>>, request: Request<Body>) -> Response {
    answer(Protocol::Forwarded(api), app, request).await
}

/// Answers a request, or reports why not. Headers report the decision in both cases.
async fn answer(protocol: Protocol, State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let snapshot = app.snapshot();
    match reading::read(&app, &snapshot, protocol, request).await {
        Ok(accepted) => response::render(protocol, serve(&app, &snapshot, accepted).await),
        Err(error) => rejected(&app, protocol, error).into_response(),
    }
}
