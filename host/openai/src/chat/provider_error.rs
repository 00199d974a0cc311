//! Errors that providers report, in the shapes of OpenAI's API and its relatives.

use std::time::Duration;

use pointsman_domain::failure::ErrorCause;
use pointsman_wire::openai::provider::{classify_error, exceeds_context};
use serde_json::Value;

use crate::form::{ProviderError, ProviderErrorKind};

/// Characters of a message that are passed on.
const MAX_MESSAGE: usize = 2_000;

/// Phrases of providers that reject the content of a request.
const CONTENT_POLICY: [&str; 9] = [
    "content_filter",
    "content_policy",
    "content management policy",
    "responsibleaipolicyviolation",
    "content policy",
    "usage policies",
    "invalid_prompt",
    "requires moderation",
    "data_inspection_failed",
];

/// Phrases of providers that reject the gateway's credentials.
const CREDENTIALS: [&str; 7] =
    ["api key", "api_key", "authentication", "unauthorized", "invalid token", "credentials", "access token"];

/// Phrases of providers whose account has no money left.
const BILLING: [&str; 6] = [
    "insufficient_quota",
    "insufficient balance",
    "credit balance",
    "current quota",
    "billing_hard_limit",
    "billing_not_active",
];

/// Phrases of providers that do not know a model.
const UNKNOWN_MODEL: [&str; 7] = [
    "model_not_found",
    "model not found",
    "no such model",
    "invalid model",
    "unknown model",
    "does not exist",
    "deploymentnotfound",
];

/// Parses a response with an error status.
pub fn parse_error(status: u16, body: &[u8]) -> ProviderError {
    let text = String::from_utf8_lossy(body);
    let fields = serde_json::from_slice::<Value>(body).ok().map(|value| Fields::of(&value));
    let fields = fields.unwrap_or_else(|| Fields { message: page_text(&text), ..Fields::default() });
    fields.into_error(status, body)
}

/// Parses an error in a whole answer or in an event of a stream; `None` if there is none. The status
/// is the one that the error states, or follows from its kind.
pub(super) fn reported_error(body: &[u8]) -> Option<ProviderError> {
    // Most answers are spared a second parsing.
    memchr::memmem::find(body, b"\"error\"")?;
    let value: Value = serde_json::from_slice(body).ok()?;
    let in_choice = value.pointer("/choices/0/error");
    let error = [value.get("error"), in_choice].into_iter().flatten().find(|error| match error {
        Value::String(text) => !text.is_empty(),
        Value::Object(_) => true,
        _ => false,
    })?;
    let fields = Fields::of(&serde_json::json!({ "error": error }));
    let status = fields.status.or_else(|| fields.status_of_type()).unwrap_or(500);
    Some(fields.into_error(status, serde_json::json!({ "error": error }).to_string().as_bytes()))
}

/// Members of an error.
#[derive(Debug, Default)]
struct Fields {
    message: String,
    kind: Option<String>,
    code: Option<String>,
    parameter: Option<String>,
    /// HTTP status that the body states.
    status: Option<u16>,
    retry_after: Option<Duration>,
}

impl Fields {
    fn of(value: &Value) -> Self {
        // Google wraps the object in an array.
        let value = value.get(0).unwrap_or(value);
        let error = value.get("error").filter(|error| !error.is_null()).unwrap_or(value);
        let text = |name: &str| {
            let places = [error.get(name), value.get(name)].into_iter().flatten();
            places.filter_map(Value::as_str).find(|text| !text.is_empty())
        };
        let status = |name: &str| {
            let value = error.get(name)?;
            let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
            u16::try_from(number).ok().filter(|status| (400..600).contains(status))
        };
        let code = text("code")
            .map(str::to_owned)
            .or_else(|| error.get("code")?.as_u64().map(|code| code.to_string()));
        let retry_after = error.get("retry_after").or_else(|| error.pointer("/metadata/retry_after_seconds"));
        Self {
            message: message(value, error),
            kind: text("type").map(str::to_owned),
            code,
            parameter: text("param").map(str::to_owned),
            status: status("code").or_else(|| status("status")),
            retry_after: retry_after
                .and_then(Value::as_f64)
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        }
    }

    /// Returns the status that corresponds to the type or the code.
    fn status_of_type(&self) -> Option<u16> {
        let named = |name: &str| self.kind.as_deref() == Some(name) || self.code.as_deref() == Some(name);
        let statuses = [
            ("rate_limit_exceeded", 429),
            ("rate_limit_error", 429),
            ("insufficient_quota", 429),
            ("overloaded_error", 503),
            ("model_not_found", 404),
            ("not_found_error", 404),
            ("authentication_error", 401),
            ("permission_error", 403),
            ("timeout", 504),
            ("invalid_request_error", 400),
            ("BadRequestError", 400),
        ];
        statuses.into_iter().find(|(name, _)| named(name)).map(|(_, status)| status)
    }

    fn into_error(self, status: u16, body: &[u8]) -> ProviderError {
        let kind = self.error_kind(status, body);
        let message = if self.message.is_empty() {
            format!("The provider answered with status {status}.")
        } else {
            self.message
        };
        // A number says no more than the status.
        let code = self.code.filter(|code| code.parse::<u16>().is_err());
        ProviderError {
            kind,
            status,
            message,
            code,
            parameter: self.parameter,
            retry_after: self.retry_after,
        }
    }

    fn error_kind(&self, status: u16, body: &[u8]) -> ProviderErrorKind {
        use ProviderErrorKind as Kind;

        let own = [Some(&*self.message), self.kind.as_deref(), self.code.as_deref()];
        let text = own.into_iter().flatten().collect::<Vec<_>>().join(" ").to_lowercase();
        let has = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
        let is_request = matches!(status, 400 | 403 | 404 | 409 | 413 | 422 | 500..);
        let cause = classify_error(status, body);
        match status {
            401 | 407 => Kind::Authentication,
            402 => Kind::Permission,
            408 | 504 => Kind::Timeout,
            429 if cause == ErrorCause::Access || has(&BILLING) => Kind::Permission,
            429 => Kind::RateLimit,
            _ if is_request && has(&CONTENT_POLICY) => Kind::ContentPolicy,
            _ if is_request
                && (exceeds_context(body) || has(&["context length", "messages is too long"])) =>
            {
                Kind::ContextLength
            }
            413 => Kind::TooLarge,
            503 | 529 => Kind::Overloaded,
            _ => match cause {
                ErrorCause::Load if has(&["rate", "too many requests"]) => Kind::RateLimit,
                ErrorCause::Load => Kind::Overloaded,
                ErrorCause::Access if has(&BILLING) => Kind::Permission,
                ErrorCause::Access if status == 404 || has(&UNKNOWN_MODEL) => Kind::NotFound,
                ErrorCause::Access if status != 403 && has(&CREDENTIALS) => Kind::Authentication,
                ErrorCause::Access => Kind::Permission,
                ErrorCause::Mismatch | ErrorCause::Request => Kind::InvalidRequest,
                ErrorCause::Server => Kind::Server,
            },
        }
    }
}

/// Returns the message of an error, wherever a server writes it.
fn message(value: &Value, error: &Value) -> String {
    let texts = [
        error.as_str(),
        error.get("message").and_then(Value::as_str),
        error.get("detail").and_then(Value::as_str),
        value.get("message").and_then(Value::as_str),
        value.get("detail").and_then(Value::as_str),
    ];
    let text = texts.into_iter().flatten().find(|text| !text.is_empty());
    let whole =
        || [value.get("detail"), error.get("message")].into_iter().flatten().next().map(Value::to_string);
    let text = text.map(str::to_owned).or_else(whole).unwrap_or_default();
    // OpenRouter repeats the provider's own message.
    let raw = error.pointer("/metadata/raw").and_then(Value::as_str);
    truncated(&raw.map_or(text.clone(), |raw| format!("{text}: {raw}")))
}

/// Returns the text of a body that is not JSON; nothing for a page of a proxy.
fn page_text(text: &str) -> String {
    let text = text.trim();
    if text.starts_with('<') { String::new() } else { truncated(text) }
}

fn truncated(text: &str) -> String {
    text.get(..text.floor_char_boundary(MAX_MESSAGE)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
