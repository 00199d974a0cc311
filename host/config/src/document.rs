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
        if let Some(line) = yaml_line(text) {
            problems
                .add(line, "this is YAML, and a configuration is TOML")
                .hint("`pointsman import litellm FILE` converts a configuration of LiteLLM; docs/configuration.md has the keys");
            let empty = Spanned::new(0..0, DeValue::Table(DeTable::new()));
            return Self { root: empty };
        }
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

/// Returns the first line with content if it can only be YAML: `---`, a key with a colon, or an element of a list.
fn yaml_line(text: &str) -> Option<Span> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            start += line.len();
            continue;
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let is_entry = content.split_once(':').is_some_and(|(key, value)| {
            !key.is_empty() && key.bytes().all(is_name) && (value.is_empty() || value.starts_with(' '))
        });
        let is_yaml = content == "---" || content.starts_with("- ") || is_entry;
        let from = start + (line.len() - line.trim_start().len());
        return is_yaml.then(|| (from..from + content.len()).into());
    }
    None
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
