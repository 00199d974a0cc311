//! Requests that are rejected, in the words of OpenAI's API.

use bytes::Bytes;

use super::error::ErrorBody;
use crate::json::JsonError;

/// Request that no backend would accept, in OpenAI's terms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadRequest {
    /// 400, or 413 for a body that is too large.
    pub status: u16,
    /// Message for the client.
    pub message: String,
    /// Member of the body that is at fault, such as `messages[2].role`.
    pub param: Option<String>,
    /// Code for programs: `invalid_type`, `missing_required_parameter` …
    pub code: Option<&'static str>,
    /// Offset of the fault in the body, in bytes.
    pub offset: Option<usize>,
}

impl BadRequest {
    /// Renders the response to the client.
    pub fn body(&self) -> Bytes {
        ErrorBody {
            message: &self.message,
            kind: "invalid_request_error",
            param: self.param.as_deref(),
            code: self.code,
        }
        .to_bytes()
    }

    pub(super) fn too_large(limit: usize) -> Self {
        Self {
            status: 413,
            message: format!("The request body is larger than {limit} bytes."),
            param: None,
            code: Some("request_too_large"),
            offset: Some(limit),
        }
    }

    pub(super) fn not_json(error: JsonError) -> Self {
        let message = format!("The request body is not valid JSON: {error}.");
        Self { status: 400, message, param: None, code: Some("invalid_json"), offset: Some(error.offset) }
    }

    pub(super) fn not_an_object(offset: usize) -> Self {
        let message = "The request body must be a JSON object.".to_owned();
        Self { status: 400, message, param: None, code: Some("invalid_type"), offset: Some(offset) }
    }

    pub(super) fn missing(param: String) -> Self {
        let message = format!("Missing required parameter: '{param}'.");
        Self::about(param, "missing_required_parameter", message, None)
    }

    pub(super) fn wrong_type(param: String, expected: &str, got: &str, offset: usize) -> Self {
        let message = format!("Invalid type for '{param}': expected {expected}, but got {got} instead.");
        Self::about(param, "invalid_type", message, Some(offset))
    }

    pub(super) fn below_minimum(param: String, minimum: i64, got: i64, offset: usize) -> Self {
        let message = format!(
            "Invalid '{param}': integer below minimum value. Expected a value >= {minimum}, but got {got} instead."
        );
        Self::about(param, "integer_below_min_value", message, Some(offset))
    }

    pub(super) fn bad_length(param: String, expected: &str, offset: usize) -> Self {
        let message = format!("Invalid '{param}': expected a string of {expected}.");
        Self::about(param, "invalid_value", message, Some(offset))
    }

    pub(super) fn empty_array(param: String, offset: usize) -> Self {
        let message = format!(
            "Invalid '{param}': empty array. Expected an array with minimum length 1, but got an empty array instead."
        );
        Self::about(param, "empty_array", message, Some(offset))
    }

    /// Returns the error of a member that is given twice: two readers of one body must not see
    /// different requests.
    pub(super) fn duplicate(param: String, offset: usize) -> Self {
        let message = format!("Duplicate parameter: '{param}' must be given once.");
        Self::about(param, "duplicate_parameter", message, Some(offset))
    }

    fn about(param: String, code: &'static str, message: String, offset: Option<usize>) -> Self {
        Self { status: 400, message, param: Some(param), code: Some(code), offset }
    }
}
