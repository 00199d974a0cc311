//! YAML documents as trees with lines.
//!
//! The input is untrusted: its size, its depth and the number of nodes are bounded, and the copies
//! that aliases stand for count as nodes.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle};

/// Longest document in bytes.
const MAX_BYTES: usize = 1 << 20;
/// Most nodes of a document, those of aliases included.
const MAX_NODES: usize = 100_000;
/// Most collections within each other.
const MAX_DEPTH: usize = 64;
/// Key of a mapping whose value is merged into it.
const MERGE: &str = "<<";

/// A value and its line, counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// Content of a node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A plain or quoted scalar.
    Scalar(String),
    Sequence(Vec<Node>),
    /// Entries in the order of the document. A key that is given twice has its last value.
    Mapping(Vec<Entry>),
}

/// An entry of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Line of the key.
    pub(crate) line: usize,
    pub(crate) node: Node,
}

/// Error of reading YAML.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidYaml {
    /// The text is not YAML.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
        /// Message of the parser.
        message: String,
    },
    /// The text is YAML, but of a kind that no configuration has.
    #[error("line {line}: {message}")]
    Unsupported {
        /// Line, counted from 1.
        line: usize,
        /// Reason.
        message: &'static str,
    },
    /// The text is too long.
    #[error("the file is longer than 1 MiB")]
    TooLong,
}

impl Node {
    /// Parses the first document of a text.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidYaml> {
        if text.len() > MAX_BYTES {
            return Err(InvalidYaml::TooLong);
        }
        let mut builder = TreeBuilder::default();
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| InvalidYaml::Syntax {
                line: error.marker().line(),
                column: error.marker().col() + 1,
                message: error.info().to_owned(),
            })?;
            builder.line = span.start.line();
            if matches!(event, Event::DocumentStart(..)) && builder.root.is_some() {
                return Err(builder.unsupported("there is more than one document"));
            }
            builder.add(event)?;
        }
        Ok(builder.root.unwrap_or(Self { line: 1, value: Value::Null }))
    }

    /// Returns the entries of a mapping; `None` for any other value.
    pub(crate) fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the elements of a sequence; `None` for any other value.
    pub(crate) fn elements(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Sequence(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the truth value that a scalar is, in any notation of YAML 1.1.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    fn count(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Scalar(_) => 0,
            Value::Sequence(elements) => elements.iter().map(Self::count).sum(),
            Value::Mapping(entries) => entries.iter().map(|entry| 1 + entry.node.count()).sum(),
        }
    }

    fn depth(&self) -> usize {
        match &self.value {
            Value::Null | Value::Scalar(_) => 0,
            Value::Sequence(elements) => 1 + elements.iter().map(Self::depth).max().unwrap_or(0),
            Value::Mapping(entries) => 1 + entries.iter().map(|entry| entry.node.depth()).max().unwrap_or(0),
        }
    }
}

/// Builds a tree from events.
#[derive(Default)]
struct TreeBuilder {
    line: usize,
    /// Collections that are not complete yet, the innermost last.
    open: Vec<OpenCollection>,
    /// Nodes with an anchor.
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    root: Option<Node>,
}

struct OpenCollection {
    line: usize,
    anchor: usize,
    content: OpenContent,
}

enum OpenContent {
    Sequence(Vec<Node>),
    /// The entries, and the key whose value comes next.
    Mapping(Vec<Entry>, Option<(String, usize)>),
}

impl TreeBuilder {
    fn add(&mut self, event: Event<'_>) -> Result<(), InvalidYaml> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let is_null = style == ScalarStyle::Plain
                    && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL");
                let value = if is_null { Value::Null } else { Value::Scalar(text.into_owned()) };
                self.complete(Node { line: self.line, value }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(anchor, OpenContent::Sequence(Vec::new())),
            Event::MappingStart(_, anchor, _) => self.begin(anchor, OpenContent::Mapping(Vec::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(collection) => {
                    let value = match collection.content {
                        OpenContent::Sequence(elements) => Value::Sequence(elements),
                        OpenContent::Mapping(entries, _) => Value::Mapping(merged(entries)),
                    };
                    self.complete(Node { line: collection.line, value }, collection.anchor)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(self.unsupported("an alias stands for the collection that it is in"));
                };
                if self.open.len() + node.depth() > MAX_DEPTH {
                    return Err(self.unsupported("there are more than 64 collections within each other"));
                }
                self.nodes += node.count();
                self.complete(Node { line: self.line, ..node }, 0)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, content: OpenContent) -> Result<(), InvalidYaml> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.unsupported("there are more than 64 collections within each other"));
        }
        self.open.push(OpenCollection { line: self.line, anchor, content });
        Ok(())
    }

    /// Adds a complete node to the innermost open collection.
    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), InvalidYaml> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.unsupported("the document has more than 100,000 values, aliases included"));
        }
        if anchor > 0 {
            self.nodes += node.count();
            self.anchors.insert(anchor, node.clone());
        }
        let line = self.line;
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(OpenContent::Sequence(elements)) => elements.push(node),
            Some(OpenContent::Mapping(entries, key)) => match key.take() {
                Some((key, line)) => entries.push(Entry { key, line, node }),
                None => match node.value {
                    Value::Scalar(text) => *key = Some((text, node.line)),
                    Value::Null => *key = Some(("null".to_owned(), node.line)),
                    Value::Sequence(_) | Value::Mapping(_) => {
                        return Err(InvalidYaml::Unsupported { line, message: "a key is not text" });
                    }
                },
            },
        }
        Ok(())
    }

    fn unsupported(&self, message: &'static str) -> InvalidYaml {
        InvalidYaml::Unsupported { line: self.line, message }
    }
}

/// Replaces merge keys by the entries that they stand for, and keeps the last one of equal keys.
fn merged(entries: Vec<Entry>) -> Vec<Entry> {
    let mut merged: Vec<Entry> = Vec::with_capacity(entries.len());
    let mut defaults = Vec::new();
    let mut places = BTreeMap::new();
    for entry in entries {
        match entry.node.value {
            Value::Mapping(inner) if entry.key == MERGE => defaults.extend(inner),
            Value::Sequence(elements) if entry.key == MERGE => {
                for element in elements {
                    if let Value::Mapping(inner) = element.value {
                        defaults.extend(inner);
                    }
                }
            }
            value => {
                let entry = Entry { node: Node { line: entry.node.line, value }, ..entry };
                let place = *places.entry(entry.key.clone()).or_insert(merged.len());
                match merged.get_mut(place) {
                    Some(earlier) => *earlier = entry,
                    None => merged.push(entry),
                }
            }
        }
    }
    for entry in defaults {
        if !places.contains_key(&entry.key) {
            places.insert(entry.key.clone(), merged.len());
            merged.push(entry);
        }
    }
    merged
}

#[cfg(test)]
mod tests;
