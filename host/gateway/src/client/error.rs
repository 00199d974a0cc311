//! Errors of the gateway in OpenAI's format, so that client libraries raise the exceptions that
//! their users already handle.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use pointsman_domain::serving_error::{ErrorClass, ServingError};
use pointsman_wire::content_coding;
use pointsman_wire::openai::client::ErrorBody;

use crate::auth::AuthError;

/// Response with an error of the gateway.
#[derive(Debug)]
pub(crate) struct ErrorResponse(pub(crate) ServingError);

impl From<ServingError> for ErrorResponse {
    fn from(error: ServingError) -> Self {
        Self(error)
    }
}

impl From<AuthError> for ErrorResponse {
    fn from(error: AuthError) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let Self(ServingError { kind, message, parameter, retry_after }) = self;
        let class = kind.class();
        let body = ErrorBody {
            message: &message,
            kind: error_type(class),
            code: Some(kind.code()),
            param: parameter.as_deref(),
        };
        let mut response = (status(class), body.to_bytes()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match class {
            ErrorClass::Unauthenticated => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            ErrorClass::UnsupportedMediaType => {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(content_coding::SUPPORTED));
            }
            _ => {}
        }
        if let Some(wait) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs_f64().ceil() as u64));
        }
        response
    }
}

/// Renders an error for a listener, which has none of its own format.
pub(crate) fn render(error: ServingError) -> Response {
    ErrorResponse(error).into_response()
}

fn status(class: ErrorClass) -> StatusCode {
    match class {
        ErrorClass::InvalidRequest => StatusCode::BAD_REQUEST,
        ErrorClass::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorClass::Forbidden => StatusCode::FORBIDDEN,
        ErrorClass::NotFound => StatusCode::NOT_FOUND,
        ErrorClass::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorClass::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        ErrorClass::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorClass::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorClass::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorClass::BadGateway => StatusCode::BAD_GATEWAY,
        ErrorClass::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorClass::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// The member `type` of OpenAI's errors.
fn error_type(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::InvalidRequest
        | ErrorClass::Unauthenticated
        | ErrorClass::NotFound
        | ErrorClass::MethodNotAllowed
        | ErrorClass::RequestTimeout
        | ErrorClass::TooLarge
        | ErrorClass::UnsupportedMediaType => "invalid_request_error",
        ErrorClass::Forbidden => "permission_error",
        ErrorClass::RateLimited => "rate_limit_error",
        ErrorClass::BadGateway | ErrorClass::Unavailable | ErrorClass::DeadlineExceeded => "server_error",
    }
}
