//! Schemas that the API enforces: it rejects those with limits of numbers, lengths and counts.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::form::RawJson;
use crate::json::ObjectMembers;

/// Limits that the API rejects (Anthropic, "Structured outputs", "JSON Schema limitations").
const LIMITS: [&str; 12] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];
/// Members that hold a schema by name.
const NAMED: [&str; 3] = ["properties", "$defs", "definitions"];
/// Members that hold a schema, or an array of them.
const NESTED: [&str; 7] = ["items", "prefixItems", "anyOf", "oneOf", "allOf", "not", "additionalProperties"];
/// Depth up to which schemas are changed. The API rejects deeper ones.
const MAX_DEPTH: u32 = 32;

/// Returns a schema without the limits that the API rejects; `None` if it has none. They are a part
/// of the descriptions instead, as the SDKs of the API write them, so that the model knows them.
pub(super) fn without_limits(schema: &RawJson) -> Option<RawJson> {
    // Most schemas have none: one search is cheaper than parsing.
    if !LIMITS.iter().any(|limit| schema.get().contains(limit)) {
        return None;
    }
    let value = schema.parse_as::<&RawValue>().ok()?;
    match rewritten(value, MAX_DEPTH) {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => RawJson::parse(&text),
    }
}

fn rewritten(schema: &RawValue, depth: u32) -> Cow<'_, str> {
    let members = Some(depth).filter(|depth| *depth > 0);
    let Some(members) = members.and_then(|_| ObjectMembers::parse_answer(schema.get().as_bytes())) else {
        return schema.get().into();
    };
    let mut limits = Vec::new();
    let mut kept: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    let mut is_changed = false;
    for (name, value) in members.rest() {
        if is_rejected(&name, value) {
            limits.push(format!("{name}: {}", value.get()));
            continue;
        }
        let value = match &*name {
            named if NAMED.contains(&named) => rewritten_values(value, depth),
            nested if NESTED.contains(&nested) => rewritten_nested(value, depth),
            _ => value.get().into(),
        };
        is_changed |= matches!(value, Cow::Owned(_));
        kept.push((name, value));
    }
    if !limits.is_empty() {
        is_changed = true;
        describe(&mut kept, &format!("{{{}}}", limits.join(", ")));
    }
    if is_changed { object(&kept).into() } else { schema.get().into() }
}

fn is_rejected(name: &str, value: &RawValue) -> bool {
    LIMITS.contains(&name) && !(name == "minItems" && matches!(value.get(), "0" | "1"))
}

/// Appends limits to the description of a schema.
fn describe(members: &mut Vec<(Cow<'_, str>, Cow<'_, str>)>, limits: &str) {
    let stated = members.iter_mut().find(|(name, _)| name == "description");
    let description = stated.as_ref().and_then(|(_, value)| serde_json::from_str::<String>(value).ok());
    let text = description.map_or_else(|| limits.to_owned(), |text| format!("{text}\n\n{limits}"));
    let value = quoted(&text).into();
    match stated {
        Some((_, description)) => *description = value,
        None => members.push(("description".into(), value)),
    }
}

/// Rewrites the schemas that are the values of an object.
fn rewritten_values(value: &RawValue, depth: u32) -> Cow<'_, str> {
    let Some(members) = ObjectMembers::parse_answer(value.get().as_bytes()) else {
        return value.get().into();
    };
    let schemas: Vec<_> = members.rest().map(|(name, schema)| (name, rewritten(schema, depth - 1))).collect();
    let is_changed = schemas.iter().any(|(_, schema)| matches!(schema, Cow::Owned(_)));
    if is_changed { object(&schemas).into() } else { value.get().into() }
}

/// Rewrites a schema, or the schemas of an array.
fn rewritten_nested(value: &RawValue, depth: u32) -> Cow<'_, str> {
    let Ok(schemas) = serde_json::from_str::<Vec<&RawValue>>(value.get()) else {
        return rewritten(value, depth - 1);
    };
    let schemas: Vec<_> = schemas.into_iter().map(|schema| rewritten(schema, depth - 1)).collect();
    let is_changed = schemas.iter().any(|schema| matches!(schema, Cow::Owned(_)));
    if is_changed { format!("[{}]", schemas.join(",")).into() } else { value.get().into() }
}

fn object(members: &[(Cow<'_, str>, Cow<'_, str>)]) -> String {
    let members: Vec<_> = members.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
    format!("{{{}}}", members.join(","))
}

fn quoted(text: &str) -> String {
    // A string into a string: this cannot fail.
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &str, expected: Option<&str>) {
        let schema = RawJson::parse(schema).expect("JSON");
        let rewritten = without_limits(&schema);
        assert_eq!(rewritten.as_ref().map(RawJson::get), expected);
    }

    #[test]
    fn limits_become_a_part_of_the_description() {
        check(
            r#"{"type":"object","properties":{"minimum":{"type":"integer","minimum":0,"maximum":10.0,"description":"A \"number\""}},"required":["minimum"]}"#,
            Some(
                r#"{"type":"object","properties":{"minimum":{"type":"integer","description":"A \"number\"\n\n{minimum: 0, maximum: 10.0}"}},"required":["minimum"]}"#,
            ),
        );
        check(
            r#"{"$defs":{"a":{"anyOf":[{"type":"string"},{"type":"array","items":{"type":"string","maxLength":3},"minItems":1}]}}}"#,
            Some(
                r#"{"$defs":{"a":{"anyOf":[{"type":"string"},{"type":"array","items":{"type":"string","description":"{maxLength: 3}"},"minItems":1}]}}}"#,
            ),
        );
    }

    #[test]
    fn other_schemas_stay_as_they_are() {
        check(r#"{"type":"object","properties":{"a":{"type":"string"}}}"#, None);
        check(r#"{"type": "array", "minItems": 1}"#, None);
        check(r#"{"type":"object","properties":{"maximum":{"type":"string"}}}"#, None);
        check("true", None);
        let deep = format!("{}1{}", r#"{"minimum":"#.repeat(500), "}".repeat(500));
        assert!(without_limits(&RawJson::parse(&deep).expect("JSON")).is_some());
        let deep = format!("{}1{}", r#"{"items":"#.repeat(100), "}".repeat(100));
        check(&deep, None);
    }
}
