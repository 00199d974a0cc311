//! Errors.

use serde::{Deserialize, Serialize};

/// The body of a response with an error status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ErrorResponse {
    /// The error.
    pub error: ErrorDetail,
}

/// An error, for a person and for a program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ErrorDetail {
    /// A text for people: what happened and what to do.
    pub message: String,
    /// The class of the error, such as `invalid_request_error`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Member, header or parameter of the request that is at fault.
    pub param: Option<String>,
    /// A code for programs, such as `conflict`.
    pub code: Option<String>,
}
