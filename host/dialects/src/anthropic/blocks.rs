//! Content blocks of messages and answers.

pub(super) mod parse;
pub(super) mod render;
mod source;
