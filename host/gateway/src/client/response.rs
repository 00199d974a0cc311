//! Responses in the format of the client's API.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::{IntoResponse, Response as HttpResponse};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use pointsman_dialects::answer::stream_media_type;
use pointsman_dialects::protocol::Protocol;
use pointsman_dialects::request::{self, ComposedAnswer};
use pointsman_serving::proxy::ErrorAnswer;
use pointsman_serving::proxy::answer::{AnswerBody, Response, ResponseContent};
use pointsman_serving::token_count::TokenCount;
use pointsman_wire::sse;

use super::decision_headers;
use super::error::ErrorResponse;
use crate::deadline::ResponseDeadline;

/// Header that turns off the buffering of a response in nginx and proxies like it.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Renders a response.
pub(super) fn render(protocol: Protocol, Response { report, content }: Response) -> HttpResponse {
    let mut response = match content {
        ResponseContent::Answer { headers, body, deadline } => {
            ResponseDeadline(deadline).limit(answer(protocol, headers, body))
        }
        ResponseContent::Error(error) => ErrorResponse { protocol, error }.into_response(),
        ResponseContent::BackendError(error) => backend_error(protocol, *error),
    };
    decision_headers::write(report, protocol, response.headers_mut());
    response
}

/// Renders the number of the tokens of a request.
pub(super) fn render_token_count(count: &TokenCount) -> HttpResponse {
    let body = Body::from(request::render_token_count(count.input_tokens));
    let mut response = typed(HeaderMap::new(), "application/json", body);
    decision_headers::write_token_count(count, response.headers_mut());
    response
}

fn answer(protocol: Protocol, headers: HeaderMap, body: AnswerBody) -> HttpResponse {
    let stated = headers.get(header::CONTENT_TYPE).and_then(|stated| stated.to_str().ok());
    match body {
        AnswerBody::Whole(bytes) => {
            let media_type = protocol.whole_media_type(stated, &bytes);
            typed(headers, media_type, Body::from(bytes))
        }
        AnswerBody::Composed(ComposedAnswer::Whole(bytes)) => {
            typed(headers, "application/json", Body::from(bytes))
        }
        AnswerBody::Composed(ComposedAnswer::Pieces(pieces)) => {
            typed(headers, "application/json", body_of(pieces))
        }
        AnswerBody::Composed(ComposedAnswer::Events(events)) => {
            typed(headers, sse::MEDIA_TYPE, body_of(events))
        }
        AnswerBody::Stream(stream) => {
            let media_type = stream_media_type(stream.framing(), stated);
            typed(headers, media_type, Body::from_stream(stream.into_pieces()))
        }
        AnswerBody::Text(text) => typed(HeaderMap::new(), "text/plain", Body::from(text)),
    }
}

/// A body whose pieces are made as the client reads them.
fn body_of(pieces: impl Iterator<Item = Bytes> + Send + 'static) -> Body {
    Body::from_stream(stream::iter(pieces.map(Ok::<Bytes, Infallible>)))
}

/// Passes a backend's error on, in the client's protocol.
fn backend_error(protocol: Protocol, error: ErrorAnswer) -> HttpResponse {
    let (status, body) = protocol.render_backend_error(error.dialect, error.status, error.body, error.is_cut);
    let mut response = typed(error.headers, "application/json", Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    response
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
