use super::MAX_DEPTH;

/// Why a document is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {offset}")]
pub(crate) struct JsonError {
    /// Bytes before the one at fault; the length when the document ends too early.
    pub offset: usize,
    /// What is wrong there.
    pub problem: JsonProblem,
}

/// What is wrong with a byte, or with there being no more.
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
