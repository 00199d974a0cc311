//! `POST /v1/feedback`: a rating of an answer by the application that got it.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{Request, StatusCode};
use pointsman_dialects::protocol::Protocol;
use pointsman_domain::decision::is_label;
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_serving::app::App;
use pointsman_serving::ratings::{NewRating, UnratableDecision};
use serde::Deserialize;

use super::rejected;

/// Limit of bytes of a body.
const MAX_BODY: usize = 4 << 10;

/// Body of a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FeedbackBody {
    /// Id of the decision, from the response header `x-pointsman-decision-id`.
    decision_id: String,
    /// Score from 0 to 1.
    score: f64,
    /// Subject of the score.
    name: Option<String>,
}

/// Records a rating, and passes it to the policy that decided.
pub(super) async fn rate(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    match accept(&app, request).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => rejected(&app, Protocol::ChatCompletions, error).into_response(),
    }
}

async fn accept(app: &App, request: Request<Body>) -> Result<(), ServingError> {
    let (parts, body) = request.into_parts();
    let snapshot = app.snapshot();
    let key = app.authenticate(&snapshot, &parts.headers)?;
    let body = to_bytes(body, MAX_BODY).await.map_err(|_| {
        let message = format!("the body did not arrive, or is larger than {MAX_BODY} bytes");
        ServingError::new(ErrorKind::RequestTooLarge, message)
    })?;
    let body: FeedbackBody = serde_json::from_slice(&body).map_err(|error| {
        let expected = r#"expected {"decision_id": ID, "score": 0 to 1, "name": TEXT or absent}"#;
        ServingError::new(ErrorKind::InvalidJson, format!("{expected}: {error}"))
    })?;
    if !(0.0..=1.0).contains(&body.score) {
        let message = format!("`score` is {}: expected a number from 0 (worst) to 1 (best)", body.score);
        return Err(ServingError::new(ErrorKind::InvalidValue, message).with_parameter("score"));
    }
    if body.name.as_deref().is_some_and(|name| !is_label(name)) {
        let message = "`name` has to be 1 to 64 characters of a-z A-Z 0-9 . _ : / -";
        return Err(ServingError::new(ErrorKind::InvalidValue, message).with_parameter("name"));
    }
    let rating = NewRating { decision: body.decision_id, score: body.score, name: body.name };
    app.rate(&snapshot, key.as_ref().map(|key| &key.name), rating).map_err(error)
}

fn error(reason: UnratableDecision) -> ServingError {
    match reason {
        UnratableDecision::Unknown => ServingError::new(
            ErrorKind::DecisionNotFound,
            "there is no decision with this id that this key can rate: `decision_id` is the response header \
             x-pointsman-decision-id of a request that a model answered in the last 24 hours, since this gateway \
             started; it is remembered where the policy takes ratings or a decision log is configured",
        ),
        UnratableDecision::Rated => ServingError::new(
            ErrorKind::AlreadyRated,
            "the decision has a rating of this name: a further one needs another `name`",
        ),
        UnratableDecision::RatedTooOften => ServingError::new(
            ErrorKind::AlreadyRated,
            "the decision has as many ratings as it may have",
        ),
    }
    .with_parameter("decision_id")
}
