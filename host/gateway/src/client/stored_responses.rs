//! Requests for responses that a provider keeps: `/v1/responses/{id}`, its input items, and its end.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use pointsman_dialects::protocol::Protocol;
use pointsman_domain::serving_error::ServingError;
use pointsman_serving::app::App;
use pointsman_serving::proxy::forwarded_headers::forwarded_headers;
use pointsman_serving::proxy::stored_response::{StoredResponse, StoredResponseRequest, forward};
use pointsman_wire::sse;

use super::rejected;

/// Handles `GET` and `DELETE /v1/responses/{id}`.
pub(super) async fn one(app: State<Arc<App>>, Path(id): Path<String>, parts: Parts) -> Response {
    answer(&app, &id, None, &parts).await
}

/// Handles `GET /v1/responses/{id}/input_items`.
pub(super) async fn input_items(app: State<Arc<App>>, Path(id): Path<String>, parts: Parts) -> Response {
    answer(&app, &id, Some("input_items"), &parts).await
}

/// Handles `POST /v1/responses/{id}/cancel`.
pub(super) async fn cancel(app: State<Arc<App>>, Path(id): Path<String>, parts: Parts) -> Response {
    answer(&app, &id, Some("cancel"), &parts).await
}

async fn answer(app: &App, id: &str, action: Option<&'static str>, parts: &Parts) -> Response {
    match forwarded(app, id, action, parts).await {
        Ok(response) => response,
        Err(error) => rejected(app, Protocol::Responses, error).into_response(),
    }
}

async fn forwarded(
    app: &App,
    id: &str,
    action: Option<&'static str>,
    parts: &Parts,
) -> Result<Response, ServingError> {
    let snapshot = app.snapshot();
    let key = app.authenticate(&snapshot, &parts.headers)?;
    let (method, query) = (parts.method.clone(), parts.uri.query());
    // The body of a response to HEAD is not sent.
    let method = if method == Method::HEAD { Method::GET } else { method };
    let headers = forwarded_headers(&parts.headers);
    let stored = StoredResponseRequest { method, id, action, query, headers };
    let StoredResponse { status, mut headers, body } =
        forward(&app.responses, &snapshot, key.as_deref(), stored).await?;
    let media_type = media_type(&headers);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    let mut response = Response::new(Body::from_stream(body.into_pieces()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    *response.headers_mut() = headers;
    Ok(response)
}

/// Returns the media type that the client sees: a response is JSON, or replayed as events.
fn media_type(headers: &HeaderMap) -> &'static str {
    let stated = headers.get(header::CONTENT_TYPE).and_then(|stated| stated.to_str().ok());
    match stated {
        Some(stated) if stated.starts_with(sse::MEDIA_TYPE) => sse::MEDIA_TYPE,
        _ => "application/json",
    }
}
