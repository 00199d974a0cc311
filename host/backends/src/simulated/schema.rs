//! JSON values that fit a JSON Schema: arguments of tools and structured answers.
//!
//! A value is built from the assertions that schemas for models use: types, constants, enums,
//! properties, items, bounds of numbers, lengths and counts, formats, simple patterns, references
//! and combinations. Conditions (`if`, `not`, `dependentRequired`) are ignored. Recursive schemas
//! end at a depth, and the number of values is bounded, so a value that has to be larger does not
//! fit its schema.

mod hints;
mod number;
mod pattern;
mod shape;
mod text;

use fastrand::Rng;
use serde_json::{Map, Value};

pub(super) use hints::Hints;
use shape::{Shape, Type};

/// Depth below which a value has only what its schema requires.
const OPTIONAL_DEPTH: usize = 6;
/// Depth at which a value ends, whatever its schema requires.
const MAX_DEPTH: usize = 24;
/// Most values in one value.
const MAX_VALUES: usize = 2_000;
/// Most items of an array.
const MAX_ITEMS: usize = 200;
/// Items of an array whose schema does not require a number.
const TYPICAL_ITEMS: usize = 2;

/// Returns a value that fits a schema. Equal schemas, hints and states of `choices` give equal
/// values.
pub(super) fn value(schema: &Value, hints: &mut Hints, choices: &mut Rng) -> Value {
    Generator { root: schema, hints, choices, values_left: MAX_VALUES }.value(schema, 0)
}

/// Returns an object that fits a schema. Tools take objects, whatever their schema states.
pub(super) fn object(schema: &Value, hints: &mut Hints, choices: &mut Rng) -> Value {
    match value(schema, hints, choices) {
        object @ Value::Object(_) => object,
        _ => Value::Object(Map::new()),
    }
}

/// Returns the object of a model that has to answer with JSON of any shape.
pub(super) fn answer_object(model: &str, answer: &str) -> String {
    serde_json::json!({ "answer": answer, "model": model }).to_string()
}

struct Generator<'a, 'b> {
    /// Schema that references point into.
    root: &'a Value,
    hints: &'b mut Hints,
    choices: &'b mut Rng,
    values_left: usize,
}

impl<'a> Generator<'a, '_> {
    fn value(&mut self, schema: &'a Value, depth: usize) -> Value {
        if depth > MAX_DEPTH || self.values_left == 0 {
            return Value::Null;
        }
        self.values_left -= 1;
        let shape = Shape::of(schema, self.root, self.is_brief(depth), self.choices);
        // Looking at a schema of many properties takes time, whichever of them a value has.
        self.values_left = self.values_left.saturating_sub(shape.properties.len() / 16);
        if let Some(constant) = shape.constant {
            return constant.clone();
        }
        if !shape.options.is_empty() {
            return self.choices.choice(&shape.options).map_or(Value::Null, |option| (*option).clone());
        }
        match shape.value_type(self.is_brief(depth)) {
            Type::Null => Value::Null,
            Type::Boolean => Value::Bool(self.choices.bool()),
            Type::Integer => number::integer(&shape, self.hints, self.choices),
            Type::Number => number::number(&shape, self.hints, self.choices),
            Type::String => Value::String(text::text(&shape, self.hints, self.choices)),
            Type::Array => self.array(&shape, depth),
            Type::Object => self.object(&shape, depth),
        }
    }

    /// Returns whether values at a depth have only what their schema requires.
    const fn is_brief(&self, depth: usize) -> bool {
        depth >= OPTIONAL_DEPTH || self.values_left < MAX_VALUES / 2
    }

    fn object(&mut self, shape: &Shape<'a>, depth: usize) -> Value {
        let mut members = Map::new();
        let most = shape.max_properties.unwrap_or(usize::MAX);
        for (name, schema) in &shape.properties {
            let required = shape.required.contains(name);
            let wanted = !self.is_brief(depth) && members.len() < most;
            if (required || wanted) && !matches!(schema, Value::Bool(false)) {
                members.insert((*name).to_owned(), self.value(schema, depth + 1));
            }
        }
        let further = shape.further_properties.unwrap_or(&Value::Bool(true));
        for name in &shape.required {
            if !members.contains_key(*name) {
                members.insert((*name).to_owned(), self.value(further, depth + 1));
            }
        }
        for number in 1..=shape.min_properties.min(MAX_ITEMS) {
            if members.len() >= shape.min_properties || matches!(further, Value::Bool(false)) {
                break;
            }
            members.insert(format!("key{number}"), self.value(further, depth + 1));
        }
        Value::Object(members)
    }

    fn array(&mut self, shape: &Shape<'a>, depth: usize) -> Value {
        let fewest = shape.min_items.min(MAX_ITEMS);
        let typical = if self.is_brief(depth) { 0 } else { TYPICAL_ITEMS };
        let count =
            typical.max(shape.first_items.len()).min(shape.max_items.unwrap_or(MAX_ITEMS)).max(fewest);
        let mut items: Vec<Value> = Vec::new();
        for position in 0..count {
            let schema = match (shape.first_items.get(position), shape.items) {
                (Some(schema), _) => schema,
                (None, Some(Value::Bool(false))) => break,
                (None, Some(schema)) => schema,
                (None, None) => &Value::Bool(true),
            };
            let item = self.item(schema, depth + 1, shape.unique_items.then_some(&items[..]));
            // A value that repeats is left out unless the schema requires that number.
            let repeats = shape.unique_items && items.contains(&item);
            if !repeats || items.len() < fewest {
                items.push(item);
            }
        }
        Value::Array(items)
    }

    /// Returns an item that differs from `others`, if that is possible.
    fn item(&mut self, schema: &'a Value, depth: usize, others: Option<&[Value]>) -> Value {
        const ATTEMPTS: usize = 16;
        let mut item = self.value(schema, depth);
        for _ in 0..ATTEMPTS {
            if !others.is_some_and(|others| others.contains(&item)) {
                break;
            }
            self.hints.vary();
            item = self.value(schema, depth);
        }
        item
    }
}

#[cfg(test)]
mod tests;
