//! Errors of the admin API.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use pointsman_admin_api::{ErrorDetail, ErrorResponse};

use pointsman_serving::reload::OperationError;

/// An error response. Its shape is that of the client API, so that one client reads both.
#[derive(Debug)]
pub(super) struct AdminError {
    kind: AdminErrorKind,
    /// A finer code than the kind's own.
    code: Option<&'static str>,
    param: Option<String>,
    message: String,
}

/// The class of an error, which determines the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AdminErrorKind {
    /// The URL, query, header or body is malformed.
    BadRequest,
    /// The token is missing or wrong.
    Unauthorized,
    /// The origin of the request is not allowed.
    Forbidden,
    /// There is no such resource.
    NotFound,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The operation contradicts the current state.
    Conflict,
    /// The body is larger than its limit.
    TooLarge,
    /// The request is well-formed, and its content was rejected.
    Rejected,
    /// The state could not be stored.
    Unavailable,
}

impl AdminErrorKind {
    fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Rejected => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the `type` member.
    fn class(self) -> &'static str {
        match self {
            Self::Forbidden => "permission_error",
            Self::Unavailable => "server_error",
            _ => "invalid_request_error",
        }
    }

    /// Returns the `code` member of errors without a finer one.
    fn code(self) -> &'static str {
        match self {
            Self::BadRequest => "invalid_request",
            Self::Unauthorized => "invalid_api_key",
            Self::Forbidden => "cross_origin",
            Self::NotFound => "not_found",
            Self::RequestTimeout => "request_timeout",
            Self::Conflict => "conflict",
            Self::TooLarge => "request_too_large",
            Self::Rejected => "rejected",
            Self::Unavailable => "cannot_remember",
        }
    }
}

impl AdminError {
    pub(super) fn new(kind: AdminErrorKind, message: impl Into<String>) -> Self {
        Self { kind, code: None, param: None, message: message.into() }
    }

    /// Replaces the code.
    pub(super) fn code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    /// Names the member, header or parameter at fault.
    pub(super) fn param(self, param: &str) -> Self {
        Self { param: Some(param.to_owned()), ..self }
    }
}

impl From<OperationError> for AdminError {
    fn from(error: OperationError) -> Self {
        let kind = match error {
            OperationError::NotFound(_) => AdminErrorKind::NotFound,
            OperationError::Conflict(_) => AdminErrorKind::Conflict,
            OperationError::Invalid(_) => AdminErrorKind::Rejected,
            OperationError::StateStore(_) => AdminErrorKind::Unavailable,
        };
        Self::new(kind, error.to_string())
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let Self { kind, code, param, message } = self;
        let code = code.unwrap_or(kind.code());
        let error =
            ErrorDetail { message, kind: kind.class().to_owned(), param, code: Some(code.to_owned()) };
        let mut response = (kind.status(), Json(ErrorResponse { error })).into_response();
        if kind == AdminErrorKind::Unauthorized {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
