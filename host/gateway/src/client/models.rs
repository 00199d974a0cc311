//! `GET /v1/models`: routes first, then the models that can be addressed directly.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use pointsman_config::Key;
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_serving::app::App;
use pointsman_serving::snapshot::{Route, Snapshot, Strategy};
use pointsman_wire::openai::client::{ModelEntry, render_model, render_model_list};

use super::error::ErrorResponse;

/// Lists the routes and models that the key may use.
pub(super) async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, ErrorResponse> {
    let snapshot = app.snapshot();
    let key = snapshot.keys.authenticate(&headers)?;
    let entries: Vec<ModelEntry<'_>> = visible(&snapshot, key).map(|route| entry(&snapshot, route)).collect();
    Ok(json(render_model_list(&entries)))
}

/// Returns one of them.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ErrorResponse> {
    let snapshot = app.snapshot();
    let key = snapshot.keys.authenticate(&headers)?;
    let found = visible(&snapshot, key).find(|route| *route.name == *id);
    let route = found.ok_or_else(|| {
        let message = format!("there is no route or model `{id}` for this key");
        ServingError::new(ErrorKind::ModelNotFound, message).with_parameter("model")
    })?;
    Ok(json(render_model(&entry(&snapshot, route))))
}

fn visible<'a>(snapshot: &'a Snapshot, key: Option<&'a Key>) -> impl Iterator<Item = &'a Route> {
    snapshot.in_order().filter(move |route| key.is_none_or(|key| key.may_ask_for(&route.name)))
}

fn entry<'a>(snapshot: &Snapshot, route: &'a Route) -> ModelEntry<'a> {
    match &route.strategy {
        Strategy::Policy(decider) => {
            ModelEntry::route(&route.name, decider.policy.as_str(), snapshot.created)
        }
        Strategy::Direct => ModelEntry::model(&route.name, snapshot.created),
    }
}

fn json(body: bytes::Bytes) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}
