//! Requests that are rejected, in the words of OpenAI's API.

use pointsman_domain::serving_error::{ErrorKind, ServingError};

use crate::json::JsonError;

/// Request that no backend would accept, in OpenAI's terms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadRequest {
    /// Kind of the fault.
    pub kind: ErrorKind,
    /// Message for the client.
    pub message: String,
    /// Member of the body that is at fault, such as `messages[2].role`.
    pub param: Option<String>,
    /// Offset of the fault in the body, in bytes.
    pub offset: Option<usize>,
}

impl From<BadRequest> for ServingError {
    fn from(BadRequest { kind, message, param, .. }: BadRequest) -> Self {
        Self { parameter: param, ..Self::new(kind, message) }
    }
}

impl BadRequest {
    pub(super) fn too_large(limit: usize) -> Self {
        Self {
            kind: ErrorKind::RequestTooLarge,
            message: format!("The request body is larger than {limit} bytes."),
            param: None,
            offset: Some(limit),
        }
    }

    pub(super) fn not_json(error: JsonError) -> Self {
        let message = format!("The request body is not valid JSON: {error}.");
        Self { kind: ErrorKind::InvalidJson, message, param: None, offset: Some(error.offset) }
    }

    pub(super) fn not_an_object(offset: usize) -> Self {
        let message = "The request body must be a JSON object.".to_owned();
        Self { kind: ErrorKind::InvalidType, message, param: None, offset: Some(offset) }
    }

    pub(super) fn missing(param: String) -> Self {
        let message = format!("Missing required parameter: '{param}'.");
        Self::about(param, ErrorKind::MissingParameter, message, None)
    }

    pub(super) fn wrong_type(param: String, expected: &str, got: &str, offset: usize) -> Self {
        let message = format!("Invalid type for '{param}': expected {expected}, but got {got} instead.");
        Self::about(param, ErrorKind::InvalidType, message, Some(offset))
    }

    pub(super) fn below_minimum(param: String, minimum: i64, got: i64, offset: usize) -> Self {
        let message = format!(
            "Invalid '{param}': integer below minimum value. Expected a value >= {minimum}, but got {got} instead."
        );
        Self::about(param, ErrorKind::BelowMinimum, message, Some(offset))
    }

    pub(super) fn bad_length(param: String, expected: &str, offset: usize) -> Self {
        let message = format!("Invalid '{param}': expected a string of {expected}.");
        Self::about(param, ErrorKind::InvalidValue, message, Some(offset))
    }

    pub(super) fn empty_array(param: String, offset: usize) -> Self {
        let message = format!(
            "Invalid '{param}': empty array. Expected an array with minimum length 1, but got an empty array instead."
        );
        Self::about(param, ErrorKind::EmptyArray, message, Some(offset))
    }

    /// Returns the error of a member that is given twice: two readers of one body must not see
    /// different requests.
    pub(super) fn duplicate(param: String, offset: usize) -> Self {
        let message = format!("Duplicate parameter: '{param}' must be given once.");
        Self::about(param, ErrorKind::DuplicateParameter, message, Some(offset))
    }

    fn about(param: String, kind: ErrorKind, message: String, offset: Option<usize>) -> Self {
        Self { kind, message, param: Some(param), offset }
    }
}
