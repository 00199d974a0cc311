//! Requests that models answer, in each of the protocols that clients use.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::Request;
use pointsman_dialects::protocol::{ForwardedApi, Protocol};
use pointsman_serving::app::App;
use pointsman_serving::handler::serve;
use pointsman_serving::token_count;

use super::reading::{self, RequestPurpose};
use super::{rejected, response};

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

/// Handles `POST /v1/messages/count_tokens`.
pub(super) async fn count_tokens(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let snapshot = app.snapshot();
    let counted = match reading::read(&app, &snapshot, RequestPurpose::TokenCount, request).await {
        Ok(accepted) => token_count::count(&app, &snapshot, accepted).await,
        Err(error) => Err(error),
    };
    match counted {
        Ok(count) => response::render_token_count(&count),
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
    match reading::read(&app, &snapshot, RequestPurpose::Answer(protocol), request).await {
        Ok(accepted) => response::render(protocol, serve(&app, &snapshot, accepted).await),
        Err(error) => rejected(&app, protocol, error).into_response(),
    }
}
