//! Errors of the gateway in the format of the client's API, so that client libraries raise the
//! exceptions that their users already handle.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use pointsman_dialects::protocol::Protocol;
use pointsman_domain::serving_error::{ErrorClass, ErrorKind, ServingError};
use pointsman_wire::content_coding;

use pointsman_serving::auth::AuthError;

/// Response with an error of the gateway.
#[derive(Debug)]
pub(crate) struct ErrorResponse {
    /// Protocol of the client.
    pub(crate) protocol: Protocol,
    /// Error.
    pub(crate) error: ServingError,
}

impl From<ServingError> for ErrorResponse {
    /// Returns the response in OpenAI's format, for requests that are of no other API.
    fn from(error: ServingError) -> Self {
        Self { protocol: Protocol::ChatCompletions, error }
    }
}

impl From<AuthError> for ErrorResponse {
    fn from(error: AuthError) -> Self {
        ServingError::from(error).into()
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let Self { protocol, error } = self;
        let class = error.kind.class();
        let (status, body) = protocol.render_error(&error);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match class {
            ErrorClass::Unauthenticated => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            ErrorClass::UnsupportedMediaType if error.kind == ErrorKind::UnsupportedContentCoding => {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(content_coding::SUPPORTED));
            }
            _ => {}
        }
        if let Some(wait) = error.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs_f64().ceil() as u64));
        }
        response
    }
}

/// Renders an error for a listener, which has none of its own format.
pub(crate) fn render(error: ServingError) -> Response {
    ErrorResponse::from(error).into_response()
}
