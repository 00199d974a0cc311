//! Entries of the parsed text, and their positions in it.

use toml::Spanned;
use toml::de::DeValue;

/// Bytes `start..end` of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// An entry of the document: a key and its value. The span of an absent entry is that of its
/// table.
#[derive(Clone, Copy)]
pub(super) struct Node<'d> {
    key: Span,
    value: Option<&'d Spanned<DeValue<'d>>>,
}

impl<'d> Node<'d> {
    pub(super) fn root(value: &'d Spanned<DeValue<'d>>) -> Self {
        Self { key: Span { start: 0, end: 0 }, value: Some(value) }
    }

    /// Returns the entry of this table under a key.
    pub(super) fn get(self, key: &str) -> Self {
        self.entries().find(|(name, _)| *name == key).map_or_else(|| self.absent(), |(_, node)| node)
    }

    /// Returns the element of this array at an index.
    pub(super) fn at(self, index: usize) -> Self {
        match self.value.map(Spanned::get_ref) {
            Some(DeValue::Array(elements)) => elements
                .get(index)
                .map_or_else(|| self.absent(), |value| Self { key: value.span().into(), value: Some(value) }),
            _ => self.absent(),
        }
    }

    /// Returns the entries of this table in the order of the text.
    pub(super) fn entries(self) -> impl Iterator<Item = (&'d str, Self)> {
        let mut entries = Vec::new();
        if let Some(DeValue::Table(table)) = self.value.map(Spanned::get_ref) {
            entries.extend(table.iter().map(|(key, value)| {
                (key.get_ref().as_ref(), Self { key: key.span().into(), value: Some(value) })
            }));
        }
        entries.sort_by_key(|(_, node)| node.key.start);
        entries.into_iter()
    }

    /// Returns whether the entry is in the text.
    pub(super) fn is_there(self) -> bool {
        self.value.is_some()
    }

    /// Returns the span for an error about the key.
    pub(super) fn key(self) -> Span {
        self.key
    }

    /// Returns the span for an error about the value. For a table, that is the span of its key.
    pub(super) fn place(self) -> Span {
        match self.value {
            Some(value) if !matches!(value.get_ref(), DeValue::Table(_)) => value.span().into(),
            _ => self.key,
        }
    }

    /// Returns whether this entry contains a span.
    pub(super) fn contains(self, place: Span) -> bool {
        let own = |span: Span| span.start <= place.start && place.end <= span.end;
        own(self.key)
            || self.value.is_some_and(|value| own(value.span().into()))
            || self.entries().any(|(_, entry)| entry.contains(place))
    }

    fn absent(self) -> Self {
        Self { key: self.place(), value: None }
    }
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}
