//! `GET /v1/models`: routes with their aliases first, then the models that can be addressed directly.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use pointsman_dialects::anthropic;
use pointsman_dialects::protocol::Protocol;
use pointsman_domain::serving_error::ServingError;
use pointsman_serving::app::App;
use pointsman_serving::proxy::request::unknown_model;
use pointsman_serving::snapshot::{RequestableName, Snapshot, Strategy};
use pointsman_wire::openai::client::{ModelEntry, render_model, render_model_list};

use super::error::ErrorResponse;

/// Header that each request of a client of Anthropic has.
const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");

/// Lists the routes and models that the key may use, in the format of the client's API.
pub(super) async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, ErrorResponse> {
    let protocol = protocol(&headers);
    let snapshot = app.snapshot();
    let key = app
        .authenticate(&snapshot, &headers)
        .map_err(|failure| ErrorResponse { protocol, error: failure.into() })?;
    let requestable = snapshot.requestable(key.as_deref());
    Ok(json(match protocol {
        Protocol::Messages => {
            let entries: Vec<_> = requestable.map(|it| anthropic_entry(&snapshot, it.name)).collect();
            anthropic::render_model_list(&entries, false)
        }
        _ => {
            let entries: Vec<_> = requestable.map(|requestable| entry(&snapshot, requestable)).collect();
            render_model_list(&entries)
        }
    }))
}

/// Returns one of them, or a name that a pattern of a route matches.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ErrorResponse> {
    let protocol = protocol(&headers);
    let error = |error: ServingError| ErrorResponse { protocol, error };
    let snapshot = app.snapshot();
    let key = app.authenticate(&snapshot, &headers).map_err(|failure| error(failure.into()))?;
    let key = key.as_deref();
    let found = snapshot.requested(&id).filter(|route| route.is_allowed(&id, key));
    let route = found.ok_or_else(|| error(unknown_model(&snapshot, &id, key)))?;
    Ok(json(match protocol {
        Protocol::Messages => anthropic::render_model(&anthropic_entry(&snapshot, &id)),
        _ => render_model(&entry(&snapshot, RequestableName { name: &id, route })),
    }))
}

/// Returns the protocol of a client, in which it expects the list.
fn protocol(headers: &HeaderMap) -> Protocol {
    match headers.contains_key(ANTHROPIC_VERSION) {
        true => Protocol::Messages,
        false => Protocol::ChatCompletions,
    }
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

fn anthropic_entry<'a>(snapshot: &Snapshot, name: &'a str) -> anthropic::ModelEntry<'a> {
    anthropic::ModelEntry { id: name, display_name: name, created: snapshot.created }
}

fn json(body: Bytes) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}
