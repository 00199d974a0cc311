//! Causes of error responses, from status, code and well-known phrases together.
//!
//! Servers share the statuses of HTTP, but not their meaning: a request that is too long for one
//! model is a 400 from one server and a 500 from another, and a refused key may be a 400 too.

use memchr::memmem;
use pointsman_domain::failure::ErrorCause;
use serde_json::Value;

/// Bytes of an error that are searched for phrases. The rest may quote the request.
const READ: usize = 2 << 10;

/// Phrases of servers that reject a request which exceeds the context window.
const CONTEXT_LENGTH: [&str; 14] = [
    "context_length",
    "context length",
    "context window",
    "context size",
    "maximum context",
    "prompt is too long",
    "input is too long",
    "too many tokens",
    "input token count",
    "maximum number of tokens",
    "reduce the length",
    "longer than the model",
    "tokens exceed",
    "exceeds the maximum allowed token",
];

/// Phrases of servers that reject a member or a kind of content which another model may take.
const UNSUPPORTED: [&str; 18] = [
    "unsupported_parameter",
    "unsupported_value",
    "unsupported parameter",
    "unsupported value",
    "not supported",
    "not support ",
    "n't support",
    "unknown_parameter",
    "unknown parameter",
    "unrecognized request argument",
    "extra_forbidden",
    "extra inputs are not permitted",
    "unexpected keyword argument",
    "this model supports",
    "supports at most",
    "not a multimodal model",
    "at most 0 ",
    "does not allow",
];

/// Phrases of servers that reject the operator's key, account or model name.
const ACCESS: [&str; 14] = [
    "invalid_api_key",
    "api_key_invalid",
    "incorrect api key",
    "api key not valid",
    "invalid api key",
    "authentication_error",
    "credit balance",
    "insufficient_quota",
    "insufficient balance",
    "model_not_found",
    "model not found",
    "no such model",
    "invalid model",
    "unknown model",
];

/// Phrases of overloaded servers.
const LOAD: [&str; 7] = [
    "rate_limit",
    "rate limit",
    "too many requests",
    "throttl",
    "overloaded",
    "resource_exhausted",
    "resource has been exhausted",
];

/// Returns the cause of an error response. The beginning of its body is enough.
pub fn classify_error(status: u16, body: &[u8]) -> ErrorCause {
    let text = ErrorText::of(body);
    match status {
        429 if text.code.contains("insufficient_quota") => ErrorCause::Access,
        429 | 529 => ErrorCause::Load,
        // A page of a proxy on the way: no model has seen the request.
        400 | 411 | 413 | 414 | 422 | 431 if text.is_page => ErrorCause::Mismatch,
        400..500 if text.is_page => ErrorCause::Access,
        408 | 425 => ErrorCause::Server,
        400 | 403 | 404 | 409 | 413 | 422 => by_phrase(&text).unwrap_or(match status {
            403 | 404 => ErrorCause::Access,
            _ => ErrorCause::Request,
        }),
        500.. => by_phrase(&text).filter(|cause| *cause != ErrorCause::Access).unwrap_or(ErrorCause::Server),
        _ => ErrorCause::Access,
    }
}

/// Returns whether an error rejects a request that exceeds the context window.
pub fn exceeds_context(body: &[u8]) -> bool {
    let text = ErrorText::of(body);
    CONTEXT_LENGTH.iter().any(|phrase| text.has(phrase))
}

/// Returns whether an error rejects the member that requests the usage of a stream.
pub fn refuses_stream_usage(status: u16, body: &[u8]) -> bool {
    let names = |member: &str| memmem::find(body, member.as_bytes()).is_some();
    matches!(status, 400 | 422) && (names("stream_options") || names("include_usage"))
}

/// Returns the cause that the phrases of an error name. Load comes first: it is temporary, and
/// phrases of the other causes may be in the same message.
fn by_phrase(text: &ErrorText) -> Option<ErrorCause> {
    let has_one_of = |phrases: &[&str]| phrases.iter().any(|phrase| text.has(phrase));
    let names_no_model = || text.has("model") && text.has("does not exist");
    if has_one_of(&LOAD) {
        Some(ErrorCause::Load)
    } else if has_one_of(&ACCESS) || names_no_model() {
        Some(ErrorCause::Access)
    } else if has_one_of(&CONTEXT_LENGTH) || has_one_of(&UNSUPPORTED) {
        Some(ErrorCause::Mismatch)
    } else {
        None
    }
}

/// Beginning of an error, in lower case.
struct ErrorText {
    /// Codes and types; the whole text if it is not JSON.
    code: String,
    /// Message for people.
    message: String,
    is_page: bool,
}

impl ErrorText {
    fn of(body: &[u8]) -> Self {
        let beginning = |text: &str| text[..text.floor_char_boundary(READ)].to_lowercase();
        let Ok(error) = serde_json::from_slice::<Value>(body) else {
            let code = beginning(&String::from_utf8_lossy(body.get(..READ).unwrap_or(body)));
            let is_page = code.trim_start().starts_with('<');
            return Self { code, message: String::new(), is_page };
        };
        let inner = Some(&error["error"]).filter(|inner| inner.is_object()).unwrap_or(&error);
        let code: Vec<_> = ["code", "type", "status"].iter().filter_map(|key| inner[key].as_str()).collect();
        let message = match (&inner["message"], &error["error"]) {
            (Value::String(message), _) | (_, Value::String(message)) => beginning(message),
            _ => beginning(&inner.to_string()),
        };
        Self { code: beginning(&code.join(" ")), message, is_page: false }
    }

    fn has(&self, phrase: &str) -> bool {
        self.code.contains(phrase) || self.message.contains(phrase)
    }
}

#[cfg(test)]
mod tests;
