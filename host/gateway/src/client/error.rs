//! What a client is told when a request cannot be answered.
//!
//! Every error leaves in OpenAI's shape, so that client libraries raise the
//! exception that their users already handle. The text for the client is made
//! here; what only the operator should see goes to the log.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use pointsman_domain::outcome::Fault;
use pointsman_wire::content_coding;
use pointsman_wire::openai::client::ErrorBody;

/// Wait that a client is asked for when the gateway is out of memory: most requests
/// end sooner.
const OVERLOAD_PAUSE: Duration = Duration::from_secs(1);

/// An error answer.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    kind: &'static str,
    code: &'static str,
    param: Option<String>,
    message: String,
    retry_after: Option<Duration>,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, code, param: None, message: message.into(), retry_after: None }
    }

    /// 400: the request is malformed.
    pub(crate) fn bad_request(code: &'static str, param: Option<String>, message: impl Into<String>) -> Self {
        Self { param, ..Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", code, message) }
    }

    /// 401: no key, or one that is not known.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_request_error", "invalid_api_key", message)
    }

    /// 403: understood, and not allowed.
    pub(crate) fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "permission_error", code, message)
    }

    /// 404: no such model, route or page.
    pub(crate) fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        let param = (code == "model_not_found").then(|| "model".to_owned());
        Self { param, ..Self::new(StatusCode::NOT_FOUND, "invalid_request_error", code, message) }
    }

    /// 405: the page exists, under another method.
    pub(crate) fn method_not_allowed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "invalid_request_error", "method_not_allowed", message)
    }

    /// 408: the client did not send its request in time.
    pub(crate) fn request_timeout(message: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "invalid_request_error", "request_timeout", message)
    }

    /// 415: a body in a form that the gateway cannot read.
    pub(crate) fn unsupported_media_type(message: impl Into<String>) -> Self {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Self::new(status, "invalid_request_error", "unsupported_content_coding", message)
    }

    /// 413: more bytes than the gateway takes.
    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request_error", "request_too_large", message)
    }

    /// 429: every model is rate-limited.
    pub(crate) fn rate_limited(message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "rate_limit_exceeded", message)
    }

    /// 502: the models answered, and not usably.
    pub(crate) fn bad_gateway(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "server_error", "all_models_failed", message)
    }

    /// 502: a task of a plan came to nothing.
    pub(crate) fn task_failed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "server_error", "task_failed", message)
    }

    /// 503: nothing to answer with now.
    pub(crate) fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "server_error", code, message)
    }

    /// 503: more is under way than the gateway has memory for.
    pub(crate) fn overloaded(message: impl Into<String>) -> Self {
        Self::unavailable("overloaded", message).retry_after(Some(OVERLOAD_PAUSE))
    }

    /// 504: the time for the request ran out.
    pub(crate) fn timeout(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "server_error", "deadline_exceeded", message)
    }

    /// Asks the client to come back after a time.
    pub(crate) fn retry_after(self, wait: Option<Duration>) -> Self {
        Self { retry_after: wait, ..self }
    }

    /// Who could have done better.
    pub(crate) fn fault(&self) -> Fault {
        match self.code {
            "policy_failed" | "policy_denied" | "no_suitable_model" | "plan_limit" => Fault::Policy,
            "deadline_exceeded" => Fault::Deadline,
            _ if self.status.is_server_error() => Fault::Backend,
            "rate_limit_exceeded" => Fault::Backend,
            _ => Fault::Client,
        }
    }

    /// What happened, as a word of a fixed list.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// The text for the client.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody {
            message: &self.message,
            kind: self.kind,
            code: Some(self.code),
            param: self.param.as_deref(),
        };
        let mut response = (self.status, body.to_bytes()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(content_coding::SUPPORTED));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs_f64().ceil() as u64));
        }
        response
    }
}
