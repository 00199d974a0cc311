//! JSON Schemas of answers.

use std::borrow::Cow;

use serde_json::Value;

use crate::form::{LossWeight, Losses, RawJson};
use crate::json::ObjectMembers;

/// Path of the schema in OpenAI's chat API.
const PATH: &str = "response_format.json_schema";

/// Keywords that the API enforces, and annotations, which need no enforcement.
const ENFORCED: [&str; 34] = [
    "$anchor",
    "$comment",
    "$defs",
    "$id",
    "$ref",
    "$schema",
    "additionalProperties",
    "anyOf",
    "const",
    "default",
    "definitions",
    "deprecated",
    "description",
    "enum",
    "example",
    "examples",
    "format",
    "items",
    "maxItems",
    "maximum",
    "minItems",
    "minimum",
    "nullable",
    "oneOf",
    "prefixItems",
    "properties",
    "propertyOrdering",
    "readOnly",
    "required",
    "title",
    "type",
    "unevaluatedProperties",
    "uniqueItems",
    "writeOnly",
];

/// Returns the text of a schema of the answer. Its name and description, which the API has no
/// members for, become its `title` and `description` where it has none.
pub(super) fn labelled<'a>(
    schema: &'a RawJson,
    name: Option<&str>,
    description: Option<&str>,
    losses: &mut Losses,
) -> Cow<'a, str> {
    let text = schema.get();
    let members = ObjectMembers::parse_answer(text.as_bytes());
    // Beside `$ref` the API accepts no other members.
    let has_room =
        |member| members.as_ref().is_some_and(|own| own.get("$ref").is_none() && own.get(member).is_none());
    let mut labels = String::new();
    for (member, value, path) in [("title", name, "name"), ("description", description, "description")] {
        let Some(value) = value else { continue };
        match serde_json::to_string(value) {
            Ok(value) if has_room(member) => labels.push_str(&format!("\"{member}\":{value},")),
            _ => losses.advisory(format!("{PATH}.{path}")),
        }
    }
    let Some(rest) = text.trim_start().strip_prefix('{').filter(|_| !labels.is_empty()) else {
        return Cow::Borrowed(text);
    };
    if rest.trim_start().starts_with('}') {
        labels.pop();
    }
    Cow::Owned(format!("{{{labels}{rest}"))
}

/// Records the schema of an answer if it has keywords that the API does not enforce.
pub(super) fn record_unenforced(schema: &RawJson, strict: Option<bool>, losses: &mut Losses) {
    let is_enforced = schema.parse_as::<Value>().is_ok_and(|schema| is_enforced(&schema));
    if !is_enforced {
        let weight = if strict == Some(true) { LossWeight::Binding } else { LossWeight::Advisory };
        losses.record(format!("{PATH}.schema"), weight);
    }
}

/// Returns whether the API enforces a schema. The depth is bounded by that of the JSON parser.
fn is_enforced(schema: &Value) -> bool {
    let Value::Object(members) = schema else { return true };
    members.iter().all(|(name, value)| match (&**name, value) {
        ("properties" | "$defs" | "definitions", Value::Object(schemas)) => schemas.values().all(is_enforced),
        ("items" | "additionalProperties", schema) => is_enforced(schema),
        ("anyOf" | "oneOf" | "prefixItems", Value::Array(schemas)) => schemas.iter().all(is_enforced),
        (name, _) => ENFORCED.binary_search(&name).is_ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(schema: &str, name: Option<&str>, description: Option<&str>) -> (String, Vec<String>) {
        let mut losses = Losses::default();
        let schema = RawJson::parse(schema).expect("JSON");
        let text = labelled(&schema, name, description, &mut losses).into_owned();
        (text, losses.iter().map(|loss| loss.member.clone()).collect())
    }

    #[test]
    fn the_keywords_are_in_order() {
        assert!(ENFORCED.is_sorted());
    }

    #[test]
    fn the_name_of_a_schema_becomes_its_title() {
        let (text, losses) = label(r#"{ "type":"object"}"#, Some("a\"b"), Some("d"));
        assert_eq!(text, r#"{"title":"a\"b","description":"d", "type":"object"}"#);
        assert!(losses.is_empty());
        assert_eq!(label("{}", Some("a"), None).0, r#"{"title":"a"}"#);
    }

    #[test]
    fn labels_of_the_schema_itself_take_precedence() {
        let schema = r#"{"title":"own","type":"object"}"#;
        assert_eq!(
            label(schema, Some("a"), None),
            (schema.into(), vec!["response_format.json_schema.name".into()])
        );
        let reference = r##"{"$ref":"#/$defs/a","$defs":{"a":{}}}"##;
        assert_eq!(label(reference, Some("a"), None).0, reference);
        assert_eq!(label(reference, None, None), (reference.into(), Vec::new()));
    }

    #[test]
    fn keywords_that_are_not_enforced_are_a_loss_as_great_as_the_client_says() {
        let weight = |schema: &str, strict| {
            let mut losses = Losses::default();
            record_unenforced(&RawJson::parse(schema).expect("JSON"), strict, &mut losses);
            losses.iter().next().map(|loss| loss.weight)
        };
        let pattern = r#"{"type":"object","properties":{"a":{"anyOf":[{"type":"string","pattern":"x"}]}}}"#;
        assert_eq!(weight(pattern, Some(true)), Some(LossWeight::Binding));
        assert_eq!(weight(pattern, None), Some(LossWeight::Advisory));
        let known =
            r#"{"type":"object","properties":{"pattern":{"type":"string"}},"additionalProperties":false}"#;
        assert_eq!(weight(known, Some(true)), None);
    }
}
