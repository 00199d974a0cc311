//! The schema of settings: a bounded subset of JSON Schema.
//!
//! [`Node`] has the keywords that are checked. Other keywords are allowed and listed as not checked, so that a schema
//! for editors may say more; none of them makes valid settings invalid. References stay within the schema.

use std::collections::BTreeMap;

use pointsman_domain::text::{is_printable, printable};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{DescriptionProblem, ValuePath, expectation};

mod keyword;

/// Deepest nesting of schemas.
const MAX_DEPTH: usize = 16;
/// Most faults of a schema that are reported.
const MAX_PROBLEMS: usize = 10;
/// Bytes of a text for people that are kept.
const MAX_PROSE: usize = 1_000;
/// Most rows of the list of settings.
const MAX_ROWS: usize = 300;
/// Keywords whose texts are only shown.
const PROSE: [&str; 3] = ["title", "description", "$comment"];

/// A checked schema of settings. Serialises as the schema, with printable texts.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingsSchema {
    json: Value,
    pub(super) root: Node,
    pub(super) definitions: BTreeMap<String, Node>,
    unchecked: Vec<ValuePath>,
}

/// A setting in the list of settings, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingRow {
    /// Path of the setting: `*` stands for any key, and `[]` for the elements of a list.
    pub name: String,
    /// Value that is expected, such as `a number from 0 to 1`.
    pub expected: String,
    /// True if it has to be set.
    pub required: bool,
    /// Default as JSON, if stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Meaning, if stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// One schema. A keyword that is absent allows everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Node {
    /// True for the schema `false`, which nothing fits.
    pub(super) allows_nothing: bool,
    pub(super) types: Option<Vec<ValueType>>,
    /// Values of `enum` or `const`.
    pub(super) choices: Option<Vec<Value>>,
    pub(super) reference: Option<Reference>,
    /// Alternatives of `anyOf` and `oneOf`. Of `oneOf` several may fit, because alternatives may differ in
    /// keywords that are not checked.
    pub(super) alternatives: Vec<Vec<Node>>,
    pub(super) all_of: Vec<Node>,
    pub(super) properties: BTreeMap<String, Node>,
    pub(super) required: Vec<String>,
    /// Schema of members that are not in `properties`.
    pub(super) additional: Option<Box<Node>>,
    pub(super) items: Option<Box<Node>>,
    pub(super) minimum: Option<Limit>,
    pub(super) maximum: Option<Limit>,
    /// Characters of a string, elements of a list, members of a table.
    pub(super) characters: Count,
    pub(super) elements: Count,
    pub(super) members: Count,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) default: Option<Value>,
}

/// Type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueType {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// Reference to a schema in the same document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    Root,
    Definition(String),
}

/// Bound on a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limit {
    pub(super) value: f64,
    pub(super) is_exclusive: bool,
}

/// Bounds on a count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) least: Option<u64>,
    pub(super) most: Option<u64>,
}

impl SettingsSchema {
    /// Parses a schema that stands at a path of a description.
    pub(super) fn parse(value: &Value, at: &ValuePath) -> Result<Self, Vec<DescriptionProblem>> {
        let mut parser = Parser::default();
        let json = parser.printable(value, at, 0);
        let root = parser.node(value, at, 0);
        let mut definitions = BTreeMap::new();
        for keyword in ["$defs", "definitions"] {
            let Some(Value::Object(members)) = value.get(keyword) else { continue };
            for (name, definition) in members {
                let node = parser.node(definition, &at.key(keyword).key(name), 1);
                definitions.insert(name.clone(), node);
            }
        }
        for (path, name) in std::mem::take(&mut parser.references) {
            if !definitions.contains_key(&name) {
                parser.report(path, format!("there is no definition `{}`", printable(&name, MAX_PROSE)));
            }
        }
        if parser.problems.is_empty() {
            Ok(Self { json, root, definitions, unchecked: parser.unchecked })
        } else {
            Err(parser.problems)
        }
    }

    /// Returns the keywords that are not checked, by their paths in the description.
    pub fn unchecked_keywords(&self) -> &[ValuePath] {
        &self.unchecked
    }

    /// Returns the schema as JSON.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Lists the settings with what is expected of each.
    pub fn rows(&self) -> Vec<SettingRow> {
        let mut rows = Vec::new();
        self.add_rows(&self.root, "", 0, &mut rows);
        rows
    }

    /// Returns the schema that a reference leads to.
    pub(super) fn resolve(&self, reference: &Reference) -> Option<&Node> {
        match reference {
            Reference::Root => Some(&self.root),
            Reference::Definition(name) => self.definitions.get(name),
        }
    }

    /// Follows references of a schema that is nothing else.
    fn target<'s>(&'s self, node: &'s Node) -> &'s Node {
        let mut target = node;
        for _ in 0..MAX_DEPTH {
            match target.reference.as_ref().and_then(|reference| self.resolve(reference)) {
                Some(next) => target = next,
                None => break,
            }
        }
        target
    }

    fn add_rows(&self, node: &Node, prefix: &str, depth: usize, rows: &mut Vec<SettingRow>) {
        if depth > MAX_DEPTH || rows.len() >= MAX_ROWS {
            return;
        }
        let node = self.target(node);
        let name_of = |key: &str| {
            let key = ValuePath::default().key(key).to_string();
            if prefix.is_empty() { key } else { format!("{prefix}.{key}") }
        };
        let additional = node.additional.iter().filter(|schema| !schema.allows_nothing);
        let members = node.properties.iter().map(|(key, member)| (key.as_str(), member));
        for (key, member) in members.chain(additional.map(|member| ("*", &**member))) {
            let name = name_of(key);
            let is_required = node.required.iter().any(|required| required == key);
            self.add_row(member, name.clone(), is_required, rows);
            self.add_rows(member, &name, depth + 1, rows);
        }
        if let Some(items) = &node.items {
            let items = self.target(items);
            if !items.properties.is_empty() {
                self.add_rows(items, &format!("{prefix}[]"), depth + 1, rows);
            }
        }
    }

    fn add_row(&self, node: &Node, name: String, required: bool, rows: &mut Vec<SettingRow>) {
        if rows.len() >= MAX_ROWS {
            return;
        }
        let target = self.target(node);
        let description = [&node.description, &target.description, &node.title, &target.title];
        rows.push(SettingRow {
            name,
            expected: expectation::of(self, node),
            required,
            default: node.default.as_ref().or(target.default.as_ref()).map(expectation::shown),
            description: description.into_iter().flatten().next().cloned(),
        });
    }
}

impl Serialize for SettingsSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

/// Puts a text for people on one printable line.
pub(super) fn prose(text: &str) -> String {
    printable(&text.split_whitespace().collect::<Vec<_>>().join(" "), usize::MAX)
}

/// Collects what a schema has wrong.
#[derive(Default)]
struct Parser {
    problems: Vec<DescriptionProblem>,
    unchecked: Vec<ValuePath>,
    /// Names of definitions that are referred to, with the places.
    references: Vec<(ValuePath, String)>,
}

impl Parser {
    fn report(&mut self, path: ValuePath, message: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(DescriptionProblem { path, message: message.into() });
        }
    }

    /// Copies a schema with printable texts. Names and values that are not printable are faults, since a
    /// changed one would mean something else.
    fn printable(&mut self, value: &Value, path: &ValuePath, depth: usize) -> Value {
        // Each schema has at most three levels of JSON.
        if depth > 3 * MAX_DEPTH {
            self.report(path.clone(), "it is nested too deeply");
            return Value::Null;
        }
        match value {
            Value::Object(members) => {
                let mut copy = Map::new();
                for (key, member) in members {
                    let path = path.key(key);
                    self.check_printable(key, &path);
                    let copied = match member {
                        Value::String(text) if PROSE.contains(&key.as_str()) => {
                            self.prose(text, &path).into()
                        }
                        member => self.printable(member, &path, depth + 1),
                    };
                    copy.insert(key.clone(), copied);
                }
                Value::Object(copy)
            }
            Value::Array(elements) => {
                let copy = elements.iter().enumerate();
                copy.map(|(index, element)| self.printable(element, &path.index(index), depth + 1)).collect()
            }
            Value::String(text) => {
                self.check_printable(text, path);
                text.as_str().into()
            }
            other => other.clone(),
        }
    }

    fn prose(&mut self, text: &str, path: &ValuePath) -> String {
        if text.len() > MAX_PROSE {
            self.report(path.clone(), format!("it is {} bytes long, more than {MAX_PROSE}", text.len()));
        }
        prose(text)
    }

    fn check_printable(&mut self, text: &str, path: &ValuePath) {
        let allowed = |character: char| is_printable(character) || matches!(character, '\n' | '\t');
        if let Some(character) = text.chars().find(|character| !allowed(*character)) {
            self.report(path.clone(), format!("it has the character {}", character.escape_unicode()));
        }
    }
}
