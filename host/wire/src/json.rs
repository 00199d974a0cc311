//! Streaming JSON scanner that builds no tree.
//!
//! A request may have 300 bytes or 30 MB, arrives in chunks that are cut anywhere, and is
//! forwarded as it arrived; the gateway only needs a few facts. So a [`Scanner`] validates the
//! grammar once, chunk by chunk, and reports the positions of keys and values to a [`Visitor`].
//! Nothing is copied but keys and short values that are split between two chunks.
//!
//! The accepted grammar is RFC 8259 in UTF-8, nested at most [`MAX_DEPTH`] deep. Escaped lone
//! surrogates are accepted, because JavaScript clients send them.

mod error;
mod escape;
mod escape_index;
mod keys;
mod number;
mod path;
mod plain;
mod scanner;

pub(crate) use error::{JsonError, JsonProblem};
pub(crate) use escape::{quote, quoted_interior, unescape};
pub(crate) use escape_index::EscapeIndex;
pub(crate) use keys::keys;
pub use number::whole_number;
pub(crate) use path::Path;
pub(crate) use scanner::{Scanner, scan, text_at};

use std::borrow::Cow;
use std::ops::Range;

/// Range of bytes of a document, counted from its start.
pub(crate) type Span = Range<usize>;

/// Limit of objects and arrays around one value.
pub(crate) const MAX_DEPTH: u32 = u128::BITS;

/// Length above which keys and values are reported without their content: no name or number that
/// the gateway reads is longer.
pub(crate) const MAX_SHORT: usize = 512;

/// Value that holds other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Object,
    Array,
}

/// Key or string value.
#[derive(Debug)]
pub(crate) struct JsonText<'a> {
    /// Span without the quotes.
    pub span: Span,
    /// Bytes of UTF-8 after unescaping.
    pub decoded_len: usize,
    /// Bytes as written; `None` if longer than [`MAX_SHORT`], however the document was cut.
    pub raw: Option<&'a [u8]>,
}

impl<'a> JsonText<'a> {
    /// Returns the unescaped text, if it is short.
    pub fn short(&self) -> Option<Cow<'a, str>> {
        let raw = self.raw?;
        if self.decoded_len == raw.len() {
            return std::str::from_utf8(raw).ok().map(Cow::Borrowed);
        }
        Some(Cow::Owned(unescape(raw)))
    }
}

/// Value that holds no others.
#[derive(Debug)]
pub(crate) enum Scalar<'a> {
    String(JsonText<'a>),
    /// Bytes as written; empty if longer than [`MAX_SHORT`], or not finite.
    Number(&'a [u8]),
    Bool(bool),
    Null,
}

/// Receiver of the events of a [`Scanner`], in the document's order. Offsets and spans count from
/// the document's start.
pub(crate) trait Visitor {
    /// Called for an object or array that begins at this offset.
    fn begin(&mut self, container: Container, at: usize);
    /// Called for a key; its value follows.
    fn key(&mut self, key: &JsonText<'_>);
    /// Called for a scalar at this span, quotes included.
    fn scalar(&mut self, value: &Scalar<'_>, span: Span);
    /// Called when the innermost object or array ends before this offset.
    fn end(&mut self, at: usize);
}

#[cfg(test)]
mod tests;
