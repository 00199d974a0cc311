//! The parsed text, with spans.
//!
//! The syntax tree is kept while a configuration compiles. The values that serde deserialises
//! have no spans, so the checks walk the tree alongside the values to find the span of an
//! error.

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

pub(super) use super::node::{Node, Span};
use super::problem::Problems;
use super::raw::File;

/// A parsed TOML document, not yet checked against the schema.
pub(super) struct Document<'t> {
    root: Spanned<DeValue<'t>>,
}

impl<'t> Document<'t> {
    /// Parses the text. Each syntax error is added as a problem.
    pub(super) fn parse(text: &'t str, problems: &mut Problems<'_>) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let message = error.message().trim_end().replace('\n', ", ");
            problems.add(error.span().map(Span::from), message);
        }
        let span = table.span();
        Self { root: Spanned::new(span, DeValue::Table(table.into_inner())) }
    }

    /// Deserialises the document. An entry that does not fit the schema is added as a problem
    /// and removed, and the rest is deserialised again, so that all such entries are found.
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

    pub(super) fn root(&self) -> Node<'_> {
        Node::root(&self.root)
    }
}

/// Removes the innermost entry at this span.
fn remove(value: &mut DeValue<'_>, place: Span) -> bool {
    let holds = |span: std::ops::Range<usize>| span.start <= place.start && place.end <= span.end;
    match value {
        DeValue::Array(elements) => elements.iter_mut().any(|element| remove(element.get_mut(), place)),
        DeValue::Table(table) => {
            // A header such as `[a.b]` is the span of the table `b` and contains the key `a`,
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
