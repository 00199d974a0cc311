//! `POST /v1/chat/completions`

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::Request;
use pointsman_dialects::protocol::Protocol;
use pointsman_serving::app::App;
use pointsman_serving::handler::serve;

use super::{reading, response};

const PROTOCOL: Protocol = Protocol::ChatCompletions;

/// Answers a chat request, or reports why not. Headers report the decision in both cases.
pub(super) async fn completions(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let snapshot = app.snapshot();
    match reading::read(&app, &snapshot, PROTOCOL, request).await {
        Ok(accepted) => response::render(PROTOCOL, serve(&app, &snapshot, accepted).await),
        Err(error) => super::rejected(&app, error).into_response(),
    }
}
