//! `GET /v1/models`: routes with their aliases first, then the models that can be addressed directly.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use pointsman_serving::app::App;
use pointsman_serving::proxy::request::unknown_model;
use pointsman_serving::snapshot::{RequestableName, Snapshot, Strategy};
use pointsman_wire::openai::client::{ModelEntry, render_model, render_model_list};

use super::error::ErrorResponse;

/// Lists the routes and models that the key may use.
pub(super) async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, ErrorResponse> {
    let snapshot = app.snapshot();
    let key = snapshot.keys.authenticate(&headers)?;
    let entries: Vec<ModelEntry<'_>> =
        snapshot.requestable(key).map(|requestable| entry(&snapshot, requestable)).collect();
    Ok(json(render_model_list(&entries)))
}

/// Returns one of them, or a name that a pattern of a route matches.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ErrorResponse> {
    let snapshot = app.snapshot();
    let key = snapshot.keys.authenticate(&headers)?;
    let found = snapshot.requested(&id).filter(|route| route.is_allowed(&id, key));
    let route = found.ok_or_else(|| unknown_model(&snapshot, &id, key))?;
    Ok(json(render_model(&entry(&snapshot, RequestableName { name: &id, route }))))
}

fn entry<'a>(snapshot: &Snapshot, requestable: RequestableName<'a>) -> ModelEntry<'a> {
    let RequestableName { name, route } = requestable;
    if *name != *route.name {
        return ModelEntry::alias(name, &route.name, snapshot.created);
    }
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
