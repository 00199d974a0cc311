//! Errors: `google.rpc.Status` in a member `error`.

use std::time::Duration;

use serde::Deserialize;

use crate::form::{ProviderError, ProviderErrorKind};

/// Phrases of messages about prompts that exceed the context window.
const CONTEXT_LENGTH: [&str; 4] =
    ["input token count", "maximum number of tokens allowed", "context length", "input context is too long"];

/// Longest text of a body that is no error of this API and becomes the message.
const MAX_TEXT: usize = 1 << 10;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    code: Option<u16>,
    message: Option<String>,
    status: Option<String>,
    details: Vec<Detail>,
}

/// Detail of an error: `ErrorInfo`, `RetryInfo` or `BadRequest`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Detail {
    reason: Option<String>,
    retry_delay: Option<String>,
    field_violations: Vec<FieldViolation>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FieldViolation {
    field: Option<String>,
}

/// Parses the body of a response with an error status: `{"error": …}`, or an array of one.
pub fn parse_error(status: u16, body: &[u8]) -> ProviderError {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        error: &'a serde_json::value::RawValue,
    }

    // A struct would take an array for its members in order.
    let error = if body.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice(body).map(|[body]: [Body<'_>; 1]| body)
    } else {
        serde_json::from_slice(body)
    };
    match error {
        Ok(Body { error }) => reported_error(Some(status), error.get().as_bytes()),
        Err(_) => {
            let text = String::from_utf8_lossy(body);
            let text = text.trim();
            let message = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default();
            of_status(status, Status { message: Some(message.to_owned()), ..Status::default() })
        }
    }
}

/// Returns the error in a member `error`. `status` is that of the response; within a stream it is
/// the error's own.
pub(super) fn reported_error(status: Option<u16>, error: &[u8]) -> ProviderError {
    let stated: Status = serde_json::from_slice(error).unwrap_or_else(|_| Status {
        message: Some(
            serde_json::from_slice(error).unwrap_or_else(|_| String::from_utf8_lossy(error).into()),
        ),
        ..Status::default()
    });
    let code = stated.code.filter(|code| (400..600).contains(code));
    of_status(status.or(code).unwrap_or(500), stated)
}

fn of_status(status: u16, stated: Status) -> ProviderError {
    let Status { message, status: name, details, .. } = stated;
    let message = message.unwrap_or_default();
    let reason = details.iter().find_map(|detail| detail.reason.clone());
    let kind =
        kind(status, name.as_deref().unwrap_or_default(), reason.as_deref().unwrap_or_default(), &message);
    let delay = details.iter().find_map(|detail| detail.retry_delay.as_deref());
    let field = details
        .iter()
        .flat_map(|detail| &detail.field_violations)
        .find_map(|violation| violation.field.clone());
    ProviderError {
        kind,
        status,
        code: reason.or(name),
        parameter: field.filter(|field| !field.is_empty()),
        retry_after: delay.and_then(duration),
        message,
    }
}

/// Returns the kind of an error from its status, the names of its code and reason, and its message.
fn kind(status: u16, name: &str, reason: &str, message: &str) -> ProviderErrorKind {
    let lower = message.to_ascii_lowercase();
    let has_one_of = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    if reason.starts_with("API_KEY_")
        || reason == "ACCESS_TOKEN_EXPIRED"
        || has_one_of(&["api key not valid", "api key expired"])
    {
        return ProviderErrorKind::Authentication;
    }
    match (name, status) {
        ("UNAUTHENTICATED", _) | (_, 401) => ProviderErrorKind::Authentication,
        ("PERMISSION_DENIED", _) | (_, 402 | 403) => ProviderErrorKind::Permission,
        ("RESOURCE_EXHAUSTED", _) | (_, 429) => ProviderErrorKind::RateLimit,
        ("NOT_FOUND", _) | (_, 404) => ProviderErrorKind::NotFound,
        ("UNAVAILABLE", _) | (_, 503 | 529) => ProviderErrorKind::Overloaded,
        ("DEADLINE_EXCEEDED", _) | (_, 408 | 504) => ProviderErrorKind::Timeout,
        // Of the account: a region without the API, or no billing.
        ("FAILED_PRECONDITION", _) => ProviderErrorKind::Permission,
        _ if has_one_of(&CONTEXT_LENGTH) => ProviderErrorKind::ContextLength,
        (_, 413) => ProviderErrorKind::TooLarge,
        (_, 400) if has_one_of(&["payload size exceeds", "request is too large"]) => {
            ProviderErrorKind::TooLarge
        }
        (_, 400) if has_one_of(&["safety", "prohibited"]) && has_one_of(&["block", "violat"]) => {
            ProviderErrorKind::ContentPolicy
        }
        (_, 400..500) => ProviderErrorKind::InvalidRequest,
        _ => ProviderErrorKind::Server,
    }
}

/// Parses a duration such as `34.074s`.
fn duration(text: &str) -> Option<Duration> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests;
