//! Errors as clients of this protocol expect them.

use bytes::Bytes;
use serde::Serialize;

/// What goes into `{"error": …}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorBody<'a> {
    /// What happened and what to do, for a person.
    pub message: &'a str,
    /// Whose fault: `invalid_request_error`, `server_error`, `rate_limit_error` …
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Which member of the request is at fault.
    pub param: Option<&'a str>,
    /// What happened, for a program: `model_not_found` …
    pub code: Option<&'a str>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: &'a ErrorBody<'a>,
}

impl ErrorBody<'_> {
    /// The body of an answer with an error status.
    pub fn to_bytes(&self) -> Bytes {
        self.written("", "")
    }

    /// The event that ends a stream which has begun.
    pub fn to_event(&self) -> Bytes {
        self.written("data: ", "\n\n")
    }

    fn written(&self, before: &str, after: &str) -> Bytes {
        let mut bytes = before.as_bytes().to_vec();
        // Strings into a vector: there is nothing that could fail.
        let _ = serde_json::to_writer(&mut bytes, &Envelope { error: self });
        bytes.extend_from_slice(after.as_bytes());
        bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_FOUND: ErrorBody<'_> = ErrorBody {
        message: "The model `x\"` does not exist.",
        kind: "invalid_request_error",
        param: None,
        code: Some("model_not_found"),
    };

    #[test]
    fn an_error_has_all_four_members() {
        let expected = r#"{"error":{"message":"The model `x\"` does not exist.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#;
        assert_eq!(NOT_FOUND.to_bytes(), expected);
    }

    #[test]
    fn an_error_can_end_a_stream() {
        let event = NOT_FOUND.to_event();
        assert!(event.starts_with(b"data: {\"error\"") && event.ends_with(b"}}\n\n"));
    }
}
