//! Keywords of a schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::ValuePath;
use super::{Count, Limit, MAX_DEPTH, Node, Parser, Reference, ValueType, prose};

/// Keywords that say nothing about what fits.
const ANNOTATIONS: [&str; 15] = [
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "format",
    "$anchor",
];
/// Keywords beside which `additionalProperties` is about other members than those that `properties` leaves.
const OTHER_MEMBERS: &str = "patternProperties";
/// Keyword beside which `items` is about other elements.
const FIRST_ELEMENTS: &str = "prefixItems";
/// Places of definitions.
const DEFINITIONS: [&str; 2] = ["#/$defs/", "#/definitions/"];

impl Parser {
    /// Parses one schema.
    pub(super) fn node(&mut self, value: &Value, path: &ValuePath, depth: usize) -> Node {
        if depth > MAX_DEPTH {
            self.report(path.clone(), format!("schemas are nested more than {MAX_DEPTH} deep"));
            return Node::default();
        }
        let members = match value {
            Value::Bool(allows) => return Node { allows_nothing: !allows, ..Node::default() },
            Value::Object(members) => members,
            _ => {
                self.report(path.clone(), "a schema is an object, `true` or `false`");
                return Node::default();
            }
        };
        let mut node = Node::default();
        for (keyword, argument) in members {
            let place = path.key(keyword);
            let is_known = self.values(&mut node, keyword, argument, &place)
                || self.counts(&mut node, keyword, argument, &place)
                || self.schemas(&mut node, keyword, argument, &place, depth + 1);
            if !is_known && !ANNOTATIONS.contains(&keyword.as_str()) {
                self.unchecked.push(place);
            }
        }
        self.drop_dependent(&mut node, members, path);
        node.title = text(members, "title");
        node.description = text(members, "description");
        node.default = members.get("default").cloned();
        node
    }

    /// Reads keywords about the value itself. Returns whether the keyword is one.
    fn values(&mut self, node: &mut Node, keyword: &str, argument: &Value, path: &ValuePath) -> bool {
        match keyword {
            "type" => node.types = self.types(argument, path),
            "enum" => match argument {
                Value::Array(values) if !values.is_empty() => node.choices = Some(values.clone()),
                _ => self.report(path.clone(), "a list of values is expected"),
            },
            "const" => node.choices = Some(vec![argument.clone()]),
            "$ref" => node.reference = self.reference(argument, path),
            "required" => node.required = self.names(argument, path),
            _ => return false,
        }
        true
    }

    /// Reads keywords with a number. Returns whether the keyword is one.
    fn counts(&mut self, node: &mut Node, keyword: &str, argument: &Value, path: &ValuePath) -> bool {
        let (count, is_least): (&mut Count, bool) = match keyword {
            "minimum" | "exclusiveMinimum" => {
                let limit = self.limit(argument, path, keyword != "minimum");
                node.minimum = stricter(node.minimum, limit, |new, old| new > old);
                return true;
            }
            "maximum" | "exclusiveMaximum" => {
                let limit = self.limit(argument, path, keyword != "maximum");
                node.maximum = stricter(node.maximum, limit, |new, old| new < old);
                return true;
            }
            "minLength" => (&mut node.characters, true),
            "maxLength" => (&mut node.characters, false),
            "minItems" => (&mut node.elements, true),
            "maxItems" => (&mut node.elements, false),
            "minProperties" => (&mut node.members, true),
            "maxProperties" => (&mut node.members, false),
            _ => return false,
        };
        match argument.as_u64() {
            Some(number) if is_least => count.least = Some(number),
            Some(number) => count.most = Some(number),
            None => self.report(path.clone(), "a whole number is expected"),
        }
        true
    }

    /// Reads keywords with schemas. Returns whether the keyword is one.
    fn schemas(
        &mut self,
        node: &mut Node,
        keyword: &str,
        argument: &Value,
        path: &ValuePath,
        depth: usize,
    ) -> bool {
        match keyword {
            "properties" => node.properties = self.properties(argument, path, depth),
            "additionalProperties" => node.additional = Some(Box::new(self.node(argument, path, depth))),
            "items" if !argument.is_array() => node.items = Some(Box::new(self.node(argument, path, depth))),
            "anyOf" | "oneOf" => {
                let alternatives = self.list(argument, path, depth);
                node.alternatives.push(alternatives);
            }
            "allOf" => node.all_of = self.list(argument, path, depth),
            _ => return false,
        }
        true
    }

    /// Drops keywords whose meaning depends on one that is not checked.
    fn drop_dependent(&mut self, node: &mut Node, members: &Map<String, Value>, path: &ValuePath) {
        if members.contains_key(OTHER_MEMBERS) && node.additional.take().is_some() {
            self.unchecked.push(path.key("additionalProperties"));
        }
        if members.contains_key(FIRST_ELEMENTS) && node.items.take().is_some() {
            self.unchecked.push(path.key("items"));
        }
    }

    fn types(&mut self, argument: &Value, path: &ValuePath) -> Option<Vec<ValueType>> {
        let names: Vec<&Value> = match argument {
            Value::Array(names) => names.iter().collect(),
            name => vec![name],
        };
        let types: Option<Vec<ValueType>> =
            names.iter().map(|name| ValueType::of_name(name.as_str()?)).collect();
        match types {
            Some(types) if !types.is_empty() => return Some(types),
            _ => self.report(
                path.clone(),
                "expected is one or a list of: object, array, string, number, integer, boolean, null",
            ),
        }
        None
    }

    fn reference(&mut self, argument: &Value, path: &ValuePath) -> Option<Reference> {
        let target = argument.as_str().unwrap_or_default();
        if target == "#" {
            return Some(Reference::Root);
        }
        let name = DEFINITIONS.iter().find_map(|place| target.strip_prefix(place));
        match name.filter(|name| !name.is_empty() && !name.contains(['/', '~', '%'])) {
            Some(name) => {
                self.references.push((path.clone(), name.to_owned()));
                Some(Reference::Definition(name.to_owned()))
            }
            None => {
                self.report(path.clone(), "only `#` and `#/$defs/NAME` can be referred to");
                None
            }
        }
    }

    fn names(&mut self, argument: &Value, path: &ValuePath) -> Vec<String> {
        let names = argument.as_array().and_then(|names| {
            names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
        });
        names.unwrap_or_else(|| {
            self.report(path.clone(), "a list of names is expected");
            Vec::new()
        })
    }

    fn limit(&mut self, argument: &Value, path: &ValuePath, is_exclusive: bool) -> Option<Limit> {
        match argument.as_f64() {
            Some(value) => Some(Limit { value, is_exclusive }),
            None => {
                self.report(path.clone(), "a number is expected");
                None
            }
        }
    }

    fn properties(&mut self, argument: &Value, path: &ValuePath, depth: usize) -> BTreeMap<String, Node> {
        let Value::Object(members) = argument else {
            self.report(path.clone(), "an object with a schema for each setting is expected");
            return BTreeMap::new();
        };
        members
            .iter()
            .map(|(name, schema)| (name.clone(), self.node(schema, &path.key(name), depth)))
            .collect()
    }

    fn list(&mut self, argument: &Value, path: &ValuePath, depth: usize) -> Vec<Node> {
        match argument {
            Value::Array(schemas) if !schemas.is_empty() => schemas
                .iter()
                .enumerate()
                .map(|(index, schema)| self.node(schema, &path.index(index), depth))
                .collect(),
            _ => {
                self.report(path.clone(), "a list of schemas is expected");
                Vec::new()
            }
        }
    }
}

impl ValueType {
    fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => return None,
        })
    }
}

/// Returns the stricter of two bounds.
fn stricter(old: Option<Limit>, new: Option<Limit>, is_stricter: fn(f64, f64) -> bool) -> Option<Limit> {
    match (old, new) {
        (Some(old), Some(new)) => {
            let takes_new = is_stricter(new.value, old.value) || (new.value == old.value && new.is_exclusive);
            Some(if takes_new { new } else { old })
        }
        (old, new) => old.or(new),
    }
}

fn text(members: &Map<String, Value>, keyword: &str) -> Option<String> {
    members.get(keyword)?.as_str().map(prose).filter(|text| !text.is_empty())
}
