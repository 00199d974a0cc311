//! Responses in the format of OpenAI's API.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::{IntoResponse, Response as HttpResponse};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use pointsman_serving::proxy::ErrorAnswer;
use pointsman_serving::proxy::answer::{AnswerBody, Response, ResponseContent};
use pointsman_wire::openai::client::ErrorBody;
use pointsman_wire::sse;
use serde::de::IgnoredAny;

use super::decision_headers;
use super::error::ErrorResponse;
use crate::deadline::ResponseDeadline;

/// Header that turns off the buffering of a response in nginx and proxies like it.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// Longest part of an error answer in another format that a client sees, in bytes.
const MAX_QUOTED: usize = 1 << 10;

/// Renders a response.
pub(super) fn render(Response { report, content }: Response) -> HttpResponse {
    let mut response = match content {
        ResponseContent::Answer { headers, body, deadline } => {
            ResponseDeadline(deadline).limit(answer(headers, body))
        }
        ResponseContent::Error(error) => ErrorResponse(error).into_response(),
        ResponseContent::BackendError(error) => backend_error(*error),
    };
    decision_headers::write(report, response.headers_mut());
    response
}

fn answer(headers: HeaderMap, body: AnswerBody) -> HttpResponse {
    match body {
        AnswerBody::Whole(bytes) => typed(headers, "application/json", Body::from(bytes)),
        AnswerBody::Pieces(pieces) => typed(headers, "application/json", body_of(pieces)),
        AnswerBody::Events(events) => typed(headers, sse::MEDIA_TYPE, body_of(events)),
        AnswerBody::Stream(stream) => {
            let pieces = stream.into_pieces().map(Ok::<Bytes, Infallible>);
            typed(headers, sse::MEDIA_TYPE, Body::from_stream(pieces))
        }
        AnswerBody::Text(text) => typed(HeaderMap::new(), "text/plain", Body::from(text)),
    }
}

/// A body whose pieces are made as the client reads them.
fn body_of(pieces: impl Iterator<Item = Bytes> + Send + 'static) -> Body {
    Body::from_stream(stream::iter(pieces.map(Ok::<Bytes, Infallible>)))
}

/// Passes a backend's error on. An error that is not JSON is wrapped in the format of the API: a
/// browser would take it for a page of the gateway.
fn backend_error(error: ErrorAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let body = match serde_json::from_slice::<IgnoredAny>(&error.body) {
        Ok(_) if !error.is_cut => error.body,
        _ => wrapped(&error),
    };
    let mut response = typed(error.headers, "application/json", Body::from(body));
    *response.status_mut() = status;
    response
}

fn wrapped(error: &ErrorAnswer) -> Bytes {
    let text = String::from_utf8_lossy(error.body.get(..MAX_QUOTED).unwrap_or(&error.body));
    let message = match text.trim() {
        "" => format!("the model's server answered with status {}", error.status),
        text => format!("the model's server answered with status {}: {text}", error.status),
    };
    let kind = if error.status < 500 { "invalid_request_error" } else { "server_error" };
    ErrorBody { message: &message, kind, code: Some("backend_error"), param: None }.to_bytes()
}

/// A response whose media type the gateway states: the body has been read as being of it,
/// whatever the backend states.
fn typed(mut headers: HeaderMap, media_type: &'static str, body: Body) -> HttpResponse {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    if media_type == sse::MEDIA_TYPE {
        // Caches and buffering proxies would hold events back.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    }
    let mut response = HttpResponse::new(body);
    *response.headers_mut() = headers;
    response
}
