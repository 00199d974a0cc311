//! The parsed text, and the places in it.
//!
//! The tree that the parser made is kept while a configuration compiles: what
//! serde reads from it has no places, so an error finds its place by walking
//! the tree the way it walked the values.

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::problem::Problems;
use super::raw::File;

/// Bytes `start..end` of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A configuration that is TOML, whatever it says.
pub(super) struct Document<'t> {
    root: Spanned<DeValue<'t>>,
}

/// An entry of the document: a key and what stands behind it. Absent entries
/// stand for the place where they would be, that of their table.
#[derive(Clone, Copy)]
pub(super) struct Node<'d> {
    key: Span,
    value: Option<&'d Spanned<DeValue<'d>>>,
}

impl<'t> Document<'t> {
    /// Parses the text. Every syntax error becomes a problem.
    pub(super) fn parse(text: &'t str, problems: &mut Problems<'_>) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let message = error.message().trim_end().replace('\n', ", ");
            problems.add(error.span().map(Span::from), message);
        }
        let span = table.span();
        Self { root: Spanned::new(span, DeValue::Table(table.into_inner())) }
    }

    /// Reads the shape of the file. An entry that does not fit becomes a problem
    /// and is left out, so that one reading finds all of them.
    pub(super) fn shape(&self, problems: &mut Problems<'_>) -> File {
        let mut rest = self.root.clone();
        loop {
            let error = match File::deserialize(ValueDeserializer::from(rest.clone())) {
                Ok(file) => return file,
                Err(error) => error,
            };
            let place = error.span().map(Span::from);
            problems.misfit(place, error.message());
            if !place.is_some_and(|place| remove(rest.get_mut(), place)) {
                return File::default();
            }
        }
    }

    /// The whole document.
    pub(super) fn root(&self) -> Node<'_> {
        Node { key: Span { start: 0, end: 0 }, value: Some(&self.root) }
    }
}

impl<'d> Node<'d> {
    /// The entry of this table under a key.
    pub(super) fn get(self, key: &str) -> Self {
        self.entries().find(|(name, _)| *name == key).map_or_else(|| self.absent(), |(_, node)| node)
    }

    /// The element of this array at a position.
    pub(super) fn at(self, index: usize) -> Self {
        match self.value.map(Spanned::get_ref) {
            Some(DeValue::Array(elements)) => elements
                .get(index)
                .map_or_else(|| self.absent(), |value| Self { key: value.span().into(), value: Some(value) }),
            _ => self.absent(),
        }
    }

    /// The entries of this table in the order of the text.
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

    /// Whether the text has it.
    pub(super) fn is_there(self) -> bool {
        self.value.is_some()
    }

    /// Where an error about the key belongs.
    pub(super) fn key(self) -> Span {
        self.key
    }

    /// Where an error about the value belongs: a table is shown by its name.
    pub(super) fn place(self) -> Span {
        match self.value {
            Some(value) if !matches!(value.get_ref(), DeValue::Table(_)) => value.span().into(),
            _ => self.key,
        }
    }

    /// Whether a place lies in this entry.
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

/// Removes the innermost entry that has this place.
fn remove(value: &mut DeValue<'_>, place: Span) -> bool {
    let holds = |span: std::ops::Range<usize>| span.start <= place.start && place.end <= span.end;
    match value {
        DeValue::Array(elements) => elements.iter_mut().any(|element| remove(element.get_mut(), place)),
        DeValue::Table(table) => {
            // A header such as `[a.b]` is the place of the table `b` and has the key `a` in it,
            // so keys come first.
            let is_inside = !table.keys().any(|key| holds(key.span()))
                && table.iter_mut().any(|(_, value)| remove(value.get_mut(), place));
            let misfit = table.iter().find(|(key, value)| holds(key.span()) || holds(value.span()));
            let misfit = misfit.map(|(key, _)| key.clone());
            is_inside || misfit.is_some_and(|key| table.remove(&key).is_some())
        }
        _ => false,
    }
}
