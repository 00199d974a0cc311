//! Assertions of a schema, collected from the schema itself, its references and combinations.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use serde_json::{Map, Value};

/// Most schemas that contribute to one value: references may form a cycle.
const MAX_STEPS: usize = 64;

/// Most values of an enum that are looked at.
const MAX_OPTIONS: usize = 1_000;

/// Type of a value in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// Assertions on a value.
#[derive(Debug, Default)]
pub(super) struct Shape<'a> {
    pub(super) constant: Option<&'a Value>,
    /// Values of the enum; empty without one.
    pub(super) options: Vec<&'a Value>,
    /// Allowed types; empty for any.
    types: Vec<Type>,
    pub(super) properties: BTreeMap<&'a str, &'a Value>,
    pub(super) required: BTreeSet<&'a str>,
    /// Schema of properties that are not listed.
    pub(super) further_properties: Option<&'a Value>,
    pub(super) min_properties: usize,
    pub(super) max_properties: Option<usize>,
    /// Schemas of the first items, by position.
    pub(super) first_items: Vec<&'a Value>,
    pub(super) items: Option<&'a Value>,
    pub(super) min_items: usize,
    pub(super) max_items: Option<usize>,
    pub(super) unique_items: bool,
    pub(super) minimum: Option<f64>,
    /// Exclusive minimum.
    pub(super) above: Option<f64>,
    pub(super) maximum: Option<f64>,
    /// Exclusive maximum.
    pub(super) below: Option<f64>,
    pub(super) multiple_of: Option<f64>,
    pub(super) min_length: usize,
    pub(super) max_length: Option<usize>,
    pub(super) format: Option<&'a str>,
    pub(super) pattern: Option<&'a str>,
    steps: usize,
}

impl<'a> Shape<'a> {
    /// Collects the assertions of a schema. Of alternatives, one is chosen; a `brief` shape
    /// prefers one that ends here.
    pub(super) fn of(schema: &'a Value, root: &'a Value, brief: bool, choices: &mut Rng) -> Self {
        let mut shape = Self::default();
        shape.absorb(schema, root, brief, choices);
        shape
    }

    /// Returns the type of the value: the first that is stated and not null, else one that the
    /// assertions are about, else a string.
    pub(super) fn value_type(&self, brief: bool) -> Type {
        if brief && self.types.contains(&Type::Null) {
            return Type::Null;
        }
        if let Some(stated) = self.types.iter().find(|it| **it != Type::Null).or(self.types.first()) {
            return *stated;
        }
        let is_object = !self.properties.is_empty() || !self.required.is_empty() || self.min_properties > 0;
        let is_array = self.items.is_some() || !self.first_items.is_empty() || self.min_items > 0;
        let bounds = [self.minimum, self.above, self.maximum, self.below, self.multiple_of];
        match (is_object, is_array, bounds.iter().any(Option::is_some)) {
            (true, _, _) => Type::Object,
            (_, true, _) => Type::Array,
            (_, _, true) => Type::Number,
            _ => Type::String,
        }
    }

    fn absorb(&mut self, schema: &'a Value, root: &'a Value, brief: bool, choices: &mut Rng) {
        let Value::Object(schema) = schema else { return };
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return;
        }
        self.absorb_values(schema);
        self.absorb_members(schema);
        self.absorb_items(schema);
        self.absorb_bounds(schema);
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|it| target(root, it)) {
            self.absorb(target, root, brief, choices);
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.absorb(part, root, brief, choices);
        }
        for key in ["anyOf", "oneOf"] {
            let Some(branches) = schema.get(key).and_then(Value::as_array) else { continue };
            if let Some(branch) = branch(branches, root, brief, choices) {
                self.absorb(branch, root, brief, choices);
            }
        }
    }

    fn absorb_values(&mut self, schema: &'a Map<String, Value>) {
        self.constant = self.constant.or_else(|| schema.get("const"));
        if let Some(options) = schema.get("enum").and_then(Value::as_array) {
            let options = options.get(..options.len().min(MAX_OPTIONS)).unwrap_or(options);
            let both: Vec<&Value> = options.iter().filter(|option| self.options.contains(option)).collect();
            self.options = if both.is_empty() { options.iter().collect() } else { both };
        }
        let types = types(schema.get("type"));
        if self.types.is_empty() {
            self.types = types;
        } else if !types.is_empty() {
            // An integer is a number too.
            let narrows = |known: &Type| {
                types.contains(known) || *known == Type::Integer && types.contains(&Type::Number)
            };
            let whole = self.types.contains(&Type::Number) && types.contains(&Type::Integer);
            self.types.retain(narrows);
            if whole {
                self.types = vec![Type::Integer];
            }
        }
        self.format = self.format.or_else(|| schema.get("format")?.as_str());
        self.pattern = self.pattern.or_else(|| schema.get("pattern")?.as_str());
        if !self.options.is_empty() && !self.types.is_empty() {
            let of_type: Vec<&Value> = self
                .options
                .iter()
                .copied()
                .filter(|option| self.types.iter().any(|it| it.includes(option)))
                .collect();
            if !of_type.is_empty() {
                self.options = of_type;
            }
        }
    }

    fn absorb_members(&mut self, schema: &'a Map<String, Value>) {
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            // A schema that states more than a permission replaces it.
            let known = self.properties.entry(name).or_insert(property);
            if known.is_boolean() {
                *known = property;
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        self.required.extend(required.filter_map(Value::as_str));
        self.further_properties = self.further_properties.or_else(|| schema.get("additionalProperties"));
        self.min_properties = self.min_properties.max(count(schema, "minProperties").unwrap_or(0));
        self.max_properties = least(self.max_properties, count(schema, "maxProperties"));
    }

    fn absorb_items(&mut self, schema: &'a Map<String, Value>) {
        // In older drafts, `items` may be the list of the first items.
        let listed = schema.get("items").and_then(Value::as_array);
        if let Some(first) = schema.get("prefixItems").and_then(Value::as_array).or(listed) {
            self.first_items = first.iter().collect();
        }
        let further = if listed.is_some() { "additionalItems" } else { "items" };
        self.items = self.items.or_else(|| schema.get(further));
        self.min_items = self.min_items.max(count(schema, "minItems").unwrap_or(0));
        self.max_items = least(self.max_items, count(schema, "maxItems"));
        self.unique_items |= schema.get("uniqueItems").and_then(Value::as_bool).unwrap_or(false);
        self.min_length = self.min_length.max(count(schema, "minLength").unwrap_or(0));
        self.max_length = least(self.max_length, count(schema, "maxLength"));
    }

    fn absorb_bounds(&mut self, schema: &'a Map<String, Value>) {
        let number = |key: &str| schema.get(key).and_then(Value::as_f64);
        let at_least = |one: Option<f64>, other: Option<f64>| one.into_iter().chain(other).reduce(f64::max);
        let at_most = |one: Option<f64>, other: Option<f64>| one.into_iter().chain(other).reduce(f64::min);
        self.minimum = at_least(self.minimum, number("minimum"));
        self.above = at_least(self.above, number("exclusiveMinimum"));
        self.maximum = at_most(self.maximum, number("maximum"));
        self.below = at_most(self.below, number("exclusiveMaximum"));
        self.multiple_of = self.multiple_of.or_else(|| number("multipleOf").filter(|step| *step > 0.0));
    }
}

impl Type {
    fn named(name: &str) -> Option<Self> {
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

    fn includes(self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            Self::Number => value.is_number(),
            Self::String => value.is_string(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
        }
    }
}

fn types(stated: Option<&Value>) -> Vec<Type> {
    match stated {
        Some(Value::String(name)) => Type::named(name).into_iter().collect(),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).filter_map(Type::named).collect(),
        _ => Vec::new(),
    }
}

/// Returns the schema that a reference within the same document names.
fn target<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(reference.strip_prefix('#')?)
}

/// Chooses one of several alternatives: any that is not null, or for a brief value null or a
/// value without members.
fn branch<'a>(branches: &'a [Value], root: &'a Value, brief: bool, choices: &mut Rng) -> Option<&'a Value> {
    let types_of = |branch: &'a Value| {
        let target = branch.get("$ref").and_then(Value::as_str).and_then(|it| target(root, it));
        types(target.unwrap_or(branch).get("type"))
    };
    let is_null = |branch: &&'a Value| types_of(branch) == [Type::Null];
    let is_plain = |branch: &&'a Value| {
        let types = types_of(branch);
        !types.is_empty() && !types.contains(&Type::Object) && !types.contains(&Type::Array)
    };
    if brief {
        let ends = branches.iter().find(is_null).or_else(|| branches.iter().find(is_plain));
        return ends.or_else(|| branches.first());
    }
    let rest: Vec<&Value> = branches.iter().filter(|branch| !is_null(branch)).collect();
    choices.choice(&rest).copied().or_else(|| branches.first())
}

fn count(schema: &Map<String, Value>, key: &str) -> Option<usize> {
    schema.get(key).and_then(Value::as_u64).map(|count| usize::try_from(count).unwrap_or(usize::MAX))
}

fn least(one: Option<usize>, other: Option<usize>) -> Option<usize> {
    one.into_iter().chain(other).min()
}
