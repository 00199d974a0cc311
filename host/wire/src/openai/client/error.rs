//! Errors as clients of this protocol expect them.

use bytes::Bytes;
use pointsman_domain::serving_error::{ErrorClass, ServingError};
use serde::Serialize;

/// Value of `{"error": …}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorBody<'a> {
    /// Message for people: the problem and its solution.
    pub message: &'a str,
    /// Party at fault: `invalid_request_error`, `server_error`, `rate_limit_error` …
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Member of the request that is at fault.
    pub param: Option<&'a str>,
    /// Code for programs: `model_not_found` …
    pub code: Option<&'a str>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: &'a ErrorBody<'a>,
}

impl<'a> From<&'a ServingError> for ErrorBody<'a> {
    fn from(error: &'a ServingError) -> Self {
        Self {
            message: &error.message,
            kind: error_type(error.kind.class()),
            param: error.parameter.as_deref(),
            code: Some(error.kind.code()),
        }
    }
}

/// Returns the HTTP status of a class of errors.
pub const fn error_status(class: ErrorClass) -> u16 {
    match class {
        ErrorClass::InvalidRequest => 400,
        ErrorClass::Unauthenticated => 401,
        ErrorClass::Forbidden => 403,
        ErrorClass::NotFound => 404,
        ErrorClass::MethodNotAllowed => 405,
        ErrorClass::Conflict => 409,
        ErrorClass::RequestTimeout => 408,
        ErrorClass::TooLarge => 413,
        ErrorClass::UnsupportedMediaType => 415,
        ErrorClass::RateLimited => 429,
        ErrorClass::BadGateway => 502,
        ErrorClass::Unavailable => 503,
        ErrorClass::DeadlineExceeded => 504,
    }
}

const fn error_type(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::InvalidRequest
        | ErrorClass::Unauthenticated
        | ErrorClass::NotFound
        | ErrorClass::MethodNotAllowed
        | ErrorClass::Conflict
        | ErrorClass::RequestTimeout
        | ErrorClass::TooLarge
        | ErrorClass::UnsupportedMediaType => "invalid_request_error",
        ErrorClass::Forbidden => "permission_error",
        ErrorClass::RateLimited => "rate_limit_error",
        ErrorClass::BadGateway | ErrorClass::Unavailable | ErrorClass::DeadlineExceeded => "server_error",
    }
}

impl ErrorBody<'_> {
    /// Renders the body of a response with an error status.
    pub fn to_bytes(&self) -> Bytes {
        self.serialize("", "")
    }

    /// Renders an event that ends a stream which has begun.
    pub fn to_event(&self) -> Bytes {
        self.serialize("data: ", "\n\n")
    }

    fn serialize(&self, before: &str, after: &str) -> Bytes {
        let mut bytes = before.as_bytes().to_vec();
        // Strings into a vector: this cannot fail.
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
