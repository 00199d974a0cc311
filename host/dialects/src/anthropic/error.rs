//! Errors in both directions.

use std::borrow::Cow;

use bytes::Bytes;
use pointsman_domain::serving_error::{ErrorClass, ErrorKind, ServingError};
use serde::Serialize;
use serde_json::value::RawValue;

use super::serialize;
use crate::form::{ProviderError, ProviderErrorKind};
use crate::json::ObjectMembers;

/// Beginning of the message by which clients of this API recognize that a request exceeds the
/// context window.
const PROMPT_TOO_LONG: &str = "prompt is too long";

/// Member that lets the provider keep a conversation.
const THREAD: &str = "thread";

/// Code by which clients learn that they have to send the whole conversation instead of a thread.
const THREAD_UNSUPPORTED: &str = "thread_unsupported_request";

/// Error as this API shows it.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "error")]
pub(super) struct ErrorBody<'a> {
    error: ErrorObject<'a>,
}

#[derive(Debug, Serialize)]
struct ErrorObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<ErrorDetails<'a>>,
}

/// Details for programs: the stable code of the cause.
#[derive(Debug, Serialize)]
struct ErrorDetails<'a> {
    error_code: &'a str,
}

impl<'a> ErrorBody<'a> {
    /// Returns the status and the body for an error of the gateway.
    pub fn of(error: &'a ServingError) -> (u16, Self) {
        let (status, kind) = status_and_type(error.kind);
        let message = match error.kind {
            ErrorKind::ContextLengthExceeded => prompt_too_long(&error.message),
            _ => Cow::from(&error.message),
        };
        let details = Some(ErrorDetails { error_code: error_code(error) });
        (status, Self { error: ErrorObject { kind, message, details } })
    }
}

/// Renders an error of the gateway with its status.
pub fn render_error(error: &ServingError) -> (u16, Bytes) {
    let (status, body) = ErrorBody::of(error);
    (status, serialize(&body))
}

/// Returns the code of the cause. Where this API has one of its own on which clients act, it is used.
fn error_code(error: &ServingError) -> &'static str {
    match (error.kind, error.parameter.as_deref()) {
        (ErrorKind::UnsupportedRequest, Some(THREAD)) => THREAD_UNSUPPORTED,
        _ => error.kind.code(),
    }
}

fn status_and_type(kind: ErrorKind) -> (u16, &'static str) {
    match kind.class() {
        ErrorClass::InvalidRequest => (400, "invalid_request_error"),
        ErrorClass::Unauthenticated => (401, "authentication_error"),
        ErrorClass::Forbidden => (403, "permission_error"),
        ErrorClass::NotFound => (404, "not_found_error"),
        ErrorClass::MethodNotAllowed => (405, "invalid_request_error"),
        ErrorClass::Conflict => (409, "invalid_request_error"),
        ErrorClass::RequestTimeout => (408, "timeout_error"),
        ErrorClass::TooLarge => (413, "request_too_large"),
        ErrorClass::UnsupportedMediaType => (415, "invalid_request_error"),
        ErrorClass::RateLimited => (429, "rate_limit_error"),
        ErrorClass::BadGateway => (502, "api_error"),
        ErrorClass::Unavailable => match kind {
            ErrorKind::Overloaded | ErrorKind::TooManyConnections => (529, "overloaded_error"),
            _ => (503, "api_error"),
        },
        ErrorClass::DeadlineExceeded => (504, "timeout_error"),
    }
}

/// Renders an error of a provider of any dialect with its status. Errors of the gateway's own
/// access to the provider are those of a server.
pub fn render_provider_error(error: &ProviderError) -> (u16, Bytes) {
    let (status, kind) = match error.kind {
        ProviderErrorKind::InvalidRequest
        | ProviderErrorKind::ContextLength
        | ProviderErrorKind::ContentPolicy => (400, "invalid_request_error"),
        ProviderErrorKind::TooLarge => (413, "request_too_large"),
        ProviderErrorKind::RateLimit => (429, "rate_limit_error"),
        ProviderErrorKind::Overloaded => (529, "overloaded_error"),
        ProviderErrorKind::Timeout => (504, "timeout_error"),
        ProviderErrorKind::Authentication | ProviderErrorKind::Permission | ProviderErrorKind::NotFound => {
            (502, "api_error")
        }
        ProviderErrorKind::Server => (500, "api_error"),
    };
    let message = match error.kind {
        ProviderErrorKind::ContextLength => prompt_too_long(&error.message),
        _ => Cow::from(&error.message),
    };
    let details = error.code.as_deref().map(|error_code| ErrorDetails { error_code });
    (status, serialize(&ErrorBody { error: ErrorObject { kind, message, details } }))
}

/// Returns the message with the phrase by which clients know the cause.
fn prompt_too_long(message: &str) -> Cow<'_, str> {
    if message.to_ascii_lowercase().contains(PROMPT_TOO_LONG) {
        message.into()
    } else {
        format!("{PROMPT_TOO_LONG}: {message}").into()
    }
}

/// Parses the body of a response with an error status. A body of another shape, such as the page of
/// a proxy, is an error of that status.
pub fn parse_error(status: u16, body: &[u8]) -> ProviderError {
    parse_reported(Some(status), body).unwrap_or_else(|| {
        let text = String::from_utf8_lossy(body.get(..1024).unwrap_or(body));
        let text = text.trim();
        let message = if text.is_empty() { format!("status {status} without a body") } else { text.into() };
        let kind = kind_of(None, Some(status), &message);
        ProviderError { kind, status, message, code: None, parameter: None, retry_after: None }
    })
}

/// Parses an error in the data of an event, or in a response whose status is known; `None` if it is
/// none.
pub(super) fn parse_reported(status: Option<u16>, body: &[u8]) -> Option<ProviderError> {
    let text = |value: &RawValue| serde_json::from_str::<String>(value.get()).ok();
    let mut members = ObjectMembers::parse_answer(body)?;
    let error = members.take("error")?;
    if let Some(message) = text(error) {
        let kind = kind_of(None, status, &message);
        let status = status.unwrap_or_else(|| status_of(kind));
        return Some(ProviderError { kind, status, message, code: None, parameter: None, retry_after: None });
    }
    let mut error = ObjectMembers::parse_answer(error.get().as_bytes())?;
    let message = error.take("message").and_then(text).unwrap_or_default();
    let error_type = error.take("type").and_then(text);
    let details =
        error.take("details").and_then(|details| ObjectMembers::parse_answer(details.get().as_bytes()));
    let code = details.and_then(|mut details| details.take("error_code")).and_then(text);
    let kind = kind_of(error_type.as_deref(), status, &message);
    let status = status.unwrap_or_else(|| status_of(kind));
    Some(ProviderError {
        kind,
        status,
        message,
        code: code.or(error_type),
        parameter: None,
        retry_after: None,
    })
}

/// Returns the kind by the type of the error, its status and the phrases of its message.
fn kind_of(error_type: Option<&str>, status: Option<u16>, message: &str) -> ProviderErrorKind {
    let message = message.to_ascii_lowercase();
    let says = |phrase: &str| message.contains(phrase);
    match (error_type, status) {
        (Some("authentication_error"), _) => ProviderErrorKind::Authentication,
        (Some("permission_error" | "billing_error"), _) => ProviderErrorKind::Permission,
        (Some("not_found_error"), _) => ProviderErrorKind::NotFound,
        (Some("request_too_large"), _) => ProviderErrorKind::TooLarge,
        (Some("rate_limit_error"), _) => ProviderErrorKind::RateLimit,
        (Some("overloaded_error"), _) => ProviderErrorKind::Overloaded,
        (Some("timeout_error"), _) => ProviderErrorKind::Timeout,
        (_, Some(401)) => ProviderErrorKind::Authentication,
        (_, Some(402 | 403)) => ProviderErrorKind::Permission,
        (_, Some(404)) => ProviderErrorKind::NotFound,
        (_, Some(408 | 504)) => ProviderErrorKind::Timeout,
        (_, Some(413)) => ProviderErrorKind::TooLarge,
        (_, Some(429)) => ProviderErrorKind::RateLimit,
        (_, Some(503 | 529)) => ProviderErrorKind::Overloaded,
        _ if says(PROMPT_TOO_LONG) || says("context limit") || says("context window") => {
            ProviderErrorKind::ContextLength
        }
        _ if says("credit balance") || says("usage limits") => ProviderErrorKind::Permission,
        _ if says("content filtering policy") || says("usage policy") => ProviderErrorKind::ContentPolicy,
        (Some("invalid_request_error"), _) | (None, Some(400..500)) => ProviderErrorKind::InvalidRequest,
        (Some("api_error"), _) | (_, None | Some(500..)) => ProviderErrorKind::Server,
        _ => ProviderErrorKind::InvalidRequest,
    }
}

/// Returns the status of this API for a kind, for errors in streams.
const fn status_of(kind: ProviderErrorKind) -> u16 {
    match kind {
        ProviderErrorKind::Overloaded => 529,
        kind => kind.status(),
    }
}

#[cfg(test)]
mod tests;
