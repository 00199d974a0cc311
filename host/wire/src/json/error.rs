//! Syntax errors with their offsets.

use super::MAX_DEPTH;

/// Syntax error of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {offset}")]
pub(crate) struct JsonError {
    /// Offset of the byte at fault; the length if the document ends too early.
    pub offset: usize,
    /// Problem at that offset.
    pub problem: JsonProblem,
}

/// Problem with a byte, or with the end of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonProblem {
    #[error("expected {0}")]
    Expected(&'static str),
    #[error("control character in a string: write it as an escape")]
    Control,
    #[error("invalid escape in a string")]
    Escape,
    #[error("invalid UTF-8 in a string")]
    Utf8,
    #[error("invalid number")]
    Number,
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("unexpected end: the document is not complete")]
    Incomplete,
}
