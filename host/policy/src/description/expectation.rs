//! Schemas and values in words.

use pointsman_domain::text::printable;
use serde_json::Value;

use super::schema::{Count, Limit, Node, SettingsSchema, ValueType};

/// Most alternatives, and most values to choose from, that are listed.
const MAX_LISTED: usize = 12;
/// Deepest nesting of alternatives that is described.
const MAX_DEPTH: usize = 3;
/// Bytes of a value that are shown.
const MAX_SHOWN: usize = 60;
/// Bytes of a default that are shown.
const MAX_SHOWN_DEFAULT: usize = 300;

/// Describes the values that a schema allows, such as `a number from 0 to 1`.
pub(super) fn of(schema: &SettingsSchema, node: &Node) -> String {
    describe(schema, node, 0)
}

fn describe(schema: &SettingsSchema, node: &Node, depth: usize) -> String {
    if depth > MAX_DEPTH {
        return "any value".to_owned();
    }
    if node.allows_nothing {
        return "no value".to_owned();
    }
    if let Some(choices) = &node.choices {
        return listed(choices);
    }
    if let Some(target) = node.reference.as_ref().and_then(|reference| schema.resolve(reference)) {
        return describe(schema, target, depth + 1);
    }
    if let Some(types) = &node.types {
        let types = types.iter().take(MAX_LISTED).map(|kind| of_type(schema, node, *kind, depth));
        return types.collect::<Vec<_>>().join(" or ");
    }
    let described: Vec<String> = node
        .alternatives
        .iter()
        .flatten()
        .chain(node.all_of.first())
        .take(MAX_LISTED)
        .map(|alternative| describe(schema, alternative, depth + 1))
        .collect();
    match described.is_empty() {
        true => without_type(schema, node, depth),
        false => described.join(" or "),
    }
}

/// Describes a schema that only bounds values of one type.
fn without_type(schema: &SettingsSchema, node: &Node, depth: usize) -> String {
    let kind = if node.minimum.is_some() || node.maximum.is_some() {
        ValueType::Number
    } else if node.characters != Count::default() {
        ValueType::String
    } else if node.items.is_some() || node.elements != Count::default() {
        ValueType::Array
    } else if !node.properties.is_empty() || node.additional.is_some() {
        ValueType::Object
    } else {
        return "any value".to_owned();
    };
    of_type(schema, node, kind, depth)
}

fn of_type(schema: &SettingsSchema, node: &Node, kind: ValueType, depth: usize) -> String {
    let name = name_of(kind);
    match kind {
        ValueType::Integer | ValueType::Number => format!("{name}{}", range(node.minimum, node.maximum)),
        ValueType::String => format!("{name}{}", count(node.characters, "character", "characters")),
        ValueType::Array => {
            let elements = count(node.elements, "element", "elements");
            match &node.items {
                Some(items) if depth < MAX_DEPTH => {
                    format!("{name}{elements}, each {}", describe(schema, items, depth + 1))
                }
                _ => format!("{name}{elements}"),
            }
        }
        ValueType::Object => format!("{name}{}", count(node.members, "entry", "entries")),
        ValueType::Null | ValueType::Boolean => name.to_owned(),
    }
}

/// Names a type.
pub(super) fn name_of(kind: ValueType) -> &'static str {
    match kind {
        ValueType::Null => "null",
        ValueType::Boolean => "true or false",
        ValueType::Integer => "a whole number",
        ValueType::Number => "a number",
        ValueType::String => "a string",
        ValueType::Array => "a list",
        ValueType::Object => "a table",
    }
}

fn range(minimum: Option<Limit>, maximum: Option<Limit>) -> String {
    let least = minimum.map(|limit| match limit.is_exclusive {
        true => format!("above {}", limit.value),
        false => format!("of at least {}", limit.value),
    });
    let most = maximum.map(|limit| match limit.is_exclusive {
        true => format!("below {}", limit.value),
        false => format!("of at most {}", limit.value),
    });
    match (minimum, maximum, least, most) {
        (Some(least), Some(most), ..) if !least.is_exclusive && !most.is_exclusive => {
            format!(" from {} to {}", least.value, most.value)
        }
        (_, _, Some(least), Some(most)) => format!(" {least} and {most}"),
        (_, _, Some(one), None) | (_, _, None, Some(one)) => format!(" {one}"),
        (_, _, None, None) => String::new(),
    }
}

fn count(count: Count, one: &str, several: &str) -> String {
    let noun = |number: u64| if number == 1 { one } else { several };
    match (count.least, count.most) {
        (Some(least), Some(most)) if least == most => format!(" of {most} {}", noun(most)),
        (Some(least), Some(most)) => format!(" of {least} to {most} {}", noun(most)),
        (Some(least), None) => format!(" of at least {least} {}", noun(least)),
        (None, Some(most)) => format!(" of at most {most} {}", noun(most)),
        (None, None) => String::new(),
    }
}

fn listed(choices: &[Value]) -> String {
    let shown: Vec<String> = choices.iter().take(MAX_LISTED).map(brief).collect();
    let more = if choices.len() > MAX_LISTED { ", …" } else { "" };
    match choices {
        [_] => shown.concat(),
        _ => format!("one of {}{more}", shown.join(", ")),
    }
}

/// Describes a value that was found: scalars as they are, others by their kind.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a table".to_owned(),
        scalar => brief(scalar),
    }
}

fn brief(value: &Value) -> String {
    printable(&value.to_string(), MAX_SHOWN)
}

/// Shows a default.
pub(super) fn shown(value: &Value) -> String {
    printable(&value.to_string(), MAX_SHOWN_DEFAULT)
}
