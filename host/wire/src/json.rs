//! Reading JSON as it arrives, without building a tree.
//!
//! A request may be 300 bytes or 30 MB, comes in chunks cut anywhere, and is
//! forwarded as it came; all the gateway wants is a few facts. So a [`Scanner`]
//! checks the grammar once, chunk by chunk, and tells a [`Visitor`] where keys
//! and values are. Nothing is copied but keys and short values that a chunk's
//! end cuts in two.
//!
//! What it accepts is RFC 8259 in UTF-8, nested at most [`MAX_DEPTH`] deep.
//! Escaped lone surrogates pass, because JavaScript clients send them.

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
pub(crate) use number::whole_number;
pub(crate) use path::Path;
pub(crate) use scanner::{Scanner, scan, text_at};

use std::borrow::Cow;
use std::ops::Range;

/// Bytes of a document, counted from its start.
pub(crate) type Span = Range<usize>;

/// Most objects and arrays around one value.
pub(crate) const MAX_DEPTH: u32 = u128::BITS;

/// Keys and values longer than this are reported without their content: no
/// name or number that the gateway reads is longer.
pub(crate) const MAX_SHORT: usize = 512;

/// What holds other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Object,
    Array,
}

/// A key or a string value.
#[derive(Debug)]
pub(crate) struct JsonText<'a> {
    /// Where it is, without the quotes.
    pub span: Span,
    /// Bytes of UTF-8 after unescaping.
    pub decoded_len: usize,
    /// The bytes as written; `None` when longer than [`MAX_SHORT`], however the
    /// document was cut.
    pub raw: Option<&'a [u8]>,
}

impl<'a> JsonText<'a> {
    /// The text itself, if it is short.
    pub fn short(&self) -> Option<Cow<'a, str>> {
        let raw = self.raw?;
        if self.decoded_len == raw.len() {
            return std::str::from_utf8(raw).ok().map(Cow::Borrowed);
        }
        Some(Cow::Owned(unescape(raw)))
    }
}

/// A value that holds no others.
#[derive(Debug)]
pub(crate) enum Scalar<'a> {
    String(JsonText<'a>),
    /// As written; empty when longer than [`MAX_SHORT`], or not finite.
    Number(&'a [u8]),
    Bool(bool),
    Null,
}

/// Is told what a [`Scanner`] finds, in the document's order. Offsets and spans
/// count from the document's start.
pub(crate) trait Visitor {
    /// An object or array begins at this offset.
    fn begin(&mut self, container: Container, at: usize);
    /// A key; its value follows.
    fn key(&mut self, key: &JsonText<'_>);
    /// A scalar, which takes these bytes, quotes included.
    fn scalar(&mut self, value: &Scalar<'_>, span: Span);
    /// The innermost object or array ends before this offset.
    fn end(&mut self, at: usize);
}

#[cfg(test)]
mod tests;
