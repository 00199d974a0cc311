//! Errors, in the shape that all of OpenAI's APIs share.

use bytes::Bytes;
use pointsman_wire::openai::client::ErrorBody;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::form::{ProviderError, ProviderErrorKind};
use crate::json::ObjectMembers;

/// Renders an error of a provider, with its status. Errors in the gateway's own access to the
/// provider are not those of the client, and their messages are withheld: they may show a key.
pub fn render_provider_error(error: &ProviderError) -> (u16, Bytes) {
    use ProviderErrorKind as Kind;
    let (status, kind, code) = match error.kind {
        Kind::InvalidRequest => (400, "invalid_request_error", error.code.as_deref()),
        Kind::ContextLength => (400, "invalid_request_error", Some("context_length_exceeded")),
        Kind::TooLarge => (413, "invalid_request_error", Some("request_too_large")),
        Kind::ContentPolicy => (400, "invalid_request_error", Some("content_policy_violation")),
        Kind::Authentication | Kind::Permission | Kind::NotFound => {
            (502, "server_error", Some("provider_access"))
        }
        Kind::RateLimit => (429, "rate_limit_error", Some("rate_limit_exceeded")),
        Kind::Overloaded => (503, "server_error", Some("overloaded")),
        Kind::Timeout => (504, "server_error", Some("provider_timeout")),
        Kind::Server => (502, "server_error", Some("provider_error")),
    };
    let is_of_client = status < 500 && error.kind != Kind::RateLimit;
    let message = if code == Some("provider_access") {
        "The provider rejected the gateway's access to the model."
    } else {
        &error.message
    };
    let param = error.parameter.as_deref().filter(|_| is_of_client);
    (status, ErrorBody { message, kind, param, code }.to_bytes())
}

/// Parses the body of a response with an error status.
pub fn parse_error(status: u16, body: &[u8]) -> ProviderError {
    let mut members = ObjectMembers::parse_answer(body).unwrap_or_default();
    let error = members.take("error").or_else(|| serde_json::from_slice(body).ok());
    let parsed = error.and_then(|error| parse_object(error, Some(status)));
    parsed.unwrap_or_else(|| {
        let text = String::from_utf8_lossy(body.get(..MAX_TEXT).unwrap_or(body));
        let members = ErrorMembers { message: Some(text.into_owned()), ..ErrorMembers::default() };
        members.into_error(Some(status))
    })
}

/// Longest text of an error that is no JSON.
const MAX_TEXT: usize = 500;

/// Members of an error. Some providers write codes as numbers.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorMembers {
    message: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(deserialize_with = "code")]
    code: Option<String>,
    param: Option<String>,
}

fn code<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = Option::<&RawValue>::deserialize(deserializer)?;
    Ok(value.map(|value| value.get().trim_matches('"').to_owned()).filter(|code| code != "null"))
}

/// Parses the value of `error`, an object or a text; `None` for any other.
pub(super) fn parse_object(error: &RawValue, status: Option<u16>) -> Option<ProviderError> {
    if let Ok(message) = serde_json::from_str::<String>(error.get()) {
        let members = ErrorMembers { message: Some(message), ..ErrorMembers::default() };
        return Some(members.into_error(status));
    }
    let members: ErrorMembers = serde_json::from_str(error.get()).ok()?;
    Some(members.into_error(status))
}

/// Returns the error with a code and a message.
pub(super) fn of_members(code: Option<String>, message: Option<String>) -> ProviderError {
    ErrorMembers { code, message, ..ErrorMembers::default() }.into_error(None)
}

impl ErrorMembers {
    fn into_error(self, status: Option<u16>) -> ProviderError {
        let code = self.code.or(self.kind);
        let message = self.message.unwrap_or_else(|| "The provider reported an error.".to_owned());
        let kind = kind(status, code.as_deref().unwrap_or_default(), &message);
        let status = status.unwrap_or(kind.status());
        ProviderError { kind, status, message, code, parameter: self.param, retry_after: None }
    }
}

/// Returns the kind of an error, by its code first: several kinds share a status.
fn kind(status: Option<u16>, code: &str, message: &str) -> ProviderErrorKind {
    use ProviderErrorKind as Kind;
    match code {
        "context_length_exceeded" => return Kind::ContextLength,
        "insufficient_quota" | "billing_hard_limit_reached" => return Kind::Permission,
        "rate_limit_exceeded" | "tokens" | "requests" => return Kind::RateLimit,
        "invalid_api_key" => return Kind::Authentication,
        "model_not_found" => return Kind::NotFound,
        "server_is_overloaded" | "slow_down" | "overloaded" => return Kind::Overloaded,
        "content_policy_violation" | "content_filter" | "bio_policy" => return Kind::ContentPolicy,
        "invalid_prompt" => return Kind::InvalidRequest,
        _ => {}
    }
    match status {
        Some(400 | 422) if message.contains("context window") || message.contains("context length") => {
            Kind::ContextLength
        }
        Some(401) => Kind::Authentication,
        Some(402 | 403) => Kind::Permission,
        Some(404) => Kind::NotFound,
        Some(408 | 504) => Kind::Timeout,
        Some(413) => Kind::TooLarge,
        Some(429) => Kind::RateLimit,
        Some(503 | 529) => Kind::Overloaded,
        Some(400..500) => Kind::InvalidRequest,
        _ => Kind::Server,
    }
}

#[cfg(test)]
mod tests {
    use pointsman_domain::serving_error::{ErrorKind, ServingError};

    use super::*;
    use crate::responses::render_error;

    #[track_caller]
    fn check(status: u16, body: &str, kind: ProviderErrorKind, rendered_status: u16) {
        let error = parse_error(status, body.as_bytes());
        assert_eq!(error.kind, kind, "{body}");
        assert_eq!(render_provider_error(&error).0, rendered_status, "{body}");
    }

    #[test]
    fn errors_keep_their_meaning_and_access_is_never_the_clients_fault() {
        use ProviderErrorKind as Kind;
        check(
            400,
            r#"{"error":{"code":"context_length_exceeded","message":"x","type":"invalid_request_error"}}"#,
            Kind::ContextLength,
            400,
        );
        check(
            400,
            r#"{"error":{"message":"m","param":"temperature","code":null}}"#,
            Kind::InvalidRequest,
            400,
        );
        check(401, r#"{"error":{"code":"invalid_api_key","message":"sk-x"}}"#, Kind::Authentication, 502);
        check(400, r#"{"error":{"code":"insufficient_quota","message":"x"}}"#, Kind::Permission, 502);
        check(404, r#"{"error":{"message":"x"}}"#, Kind::NotFound, 502);
        check(429, r#"{"error":{"code":429,"message":"x"}}"#, Kind::RateLimit, 429);
        check(500, "<html>", Kind::Server, 502);
        check(503, r#"{"error":"overloaded"}"#, Kind::Overloaded, 503);
        check(400, r#"{"code":"invalid-argument","error":"Bad."}"#, Kind::InvalidRequest, 400);
    }

    #[test]
    fn a_message_about_the_gateways_key_is_withheld() {
        let error = parse_error(401, br#"{"error":{"message":"Incorrect API key provided: sk-secret"}}"#);
        let (_, body) = render_provider_error(&error);
        assert!(!String::from_utf8_lossy(&body).contains("secret"));
    }

    #[test]
    fn an_error_of_the_gateway_has_the_status_of_its_class() {
        let error = ServingError::new(ErrorKind::UnsupportedRequest, "No.").with_parameter("background");
        let (status, body) = render_error(&error);
        assert_eq!(status, 400);
        let expected = r#"{"error":{"message":"No.","type":"invalid_request_error","param":"background","code":"unsupported_request"}}"#;
        assert_eq!(body, expected);
    }
}
