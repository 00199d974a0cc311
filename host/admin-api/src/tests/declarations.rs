//! TypeScript declarations of the API, by which the page's scripts are checked.

use std::collections::BTreeSet;
use std::fmt::Write;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value};

use crate::*;

/// The schema of the decision record.
pub const RECORD_SCHEMA: &str = include_str!("../../../../docs/decision-record.schema.json");

const HEAD: &str = "\
// Types of the admin API, written from the code:
// UPDATE_EXPECT=1 cargo test -p pointsman-admin-api
";

/// Returns the declarations: the API's own types, and in a namespace those of the record.
pub fn render() -> String {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    add_roots(&mut generator);
    let mut text = HEAD.to_owned();
    for (name, schema) in generator.take_definitions(false) {
        declare(&name, &schema, "", &mut text);
    }
    let record: Value = serde_json::from_str(RECORD_SCHEMA).expect("a schema");
    text.push_str("\nexport namespace record {\n");
    declare("DecisionRecord", &record, "  ", &mut text);
    for (name, schema) in record["$defs"].as_object().into_iter().flatten() {
        declare(name, schema, "  ", &mut text);
    }
    text.push_str("}\n");
    text
}

fn add_roots(generator: &mut SchemaGenerator) {
    generator.subschema_for::<AccessStatus>();
    generator.subschema_for::<Overview>();
    generator.subschema_for::<Tick>();
    generator.subschema_for::<GatewayStatus>();
    generator.subschema_for::<DecisionSummary>();
    generator.subschema_for::<PlanSummary>();
    generator.subschema_for::<PlanTrace>();
    generator.subschema_for::<PolicyList>();
    generator.subschema_for::<KeptState>();
    generator.subschema_for::<UsageLine>();
    generator.subschema_for::<History>();
    generator.subschema_for::<KeyList>();
    generator.subschema_for::<IssuedKey>();
    generator.subschema_for::<CreateKeyRequest>();
    generator.subschema_for::<RotateKeyRequest>();
    generator.subschema_for::<ChangeKeyRequest>();
    generator.subschema_for::<TradeOff>();
    generator.subschema_for::<OperationResult>();
    generator.subschema_for::<ErrorResponse>();
    generator.subschema_for::<TrialRequest>();
    generator.subschema_for::<VersionRequest>();
    generator.subschema_for::<Reason>();
}

fn declare(name: &str, schema: &Value, indent: &str, text: &mut String) {
    let body = of(schema, indent);
    let _ = writeln!(text, "\n{indent}export type {name} = {body};");
}

/// The type that a schema describes.
fn of(schema: &Value, indent: &str) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or(reference).to_owned();
    }
    if let Some(value) = schema.get("const") {
        return value.to_string();
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    let mut parts = Vec::new();
    if let Some(properties) = schema["properties"].as_object() {
        parts.push(object(properties, &schema["required"], indent));
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(members) = schema[choice].as_array() {
            let members: Vec<String> =
                members.iter().map(|member| variant(member, members, indent)).collect();
            parts.push(if members.len() > 1 {
                format!("({})", members.join(" | "))
            } else {
                members.concat()
            });
        }
    }
    if parts.is_empty() { plain(schema, indent) } else { parts.join(" & ") }
}

/// The type of one variant of a choice. Members that only other variants have are declared as
/// undefined, so that a script may read them before it knows the variant.
fn variant(member: &Value, all: &[Value], indent: &str) -> String {
    let Some(own) = member["properties"].as_object() else { return of(member, indent) };
    let others = all.iter().filter_map(|other| other["properties"].as_object()).flat_map(Map::keys);
    let absent: BTreeSet<&String> = others.filter(|name| !own.contains_key(*name)).collect();
    let mut text = object(own, &member["required"], indent);
    text.truncate(text.len() - indent.len() - 1);
    for name in absent {
        let _ = writeln!(text, "{indent}  {name}?: undefined;");
    }
    text + indent + "}"
}

fn object(properties: &Map<String, Value>, required: &Value, indent: &str) -> String {
    let mut text = "{\n".to_owned();
    for (name, schema) in properties {
        let is_required = required.as_array().is_some_and(|names| names.iter().any(|one| one == name));
        let mark = if is_required { "" } else { "?" };
        let deeper = format!("{indent}  ");
        let _ = writeln!(text, "{deeper}{name}{mark}: {};", of(schema, &deeper));
    }
    text + indent + "}"
}

fn plain(schema: &Value, indent: &str) -> String {
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return "unknown".to_owned(),
    };
    let one = |kind: &str| match kind {
        "integer" | "number" => "number".to_owned(),
        "array" => match schema["prefixItems"].as_array() {
            Some(items) => {
                format!("[{}]", items.iter().map(|item| of(item, indent)).collect::<Vec<_>>().join(", "))
            }
            None => format!("{}[]", of(&schema["items"], indent)),
        },
        "object" => format!("{{ [name: string]: {} }}", of(&schema["additionalProperties"], indent)),
        other => other.to_owned(),
    };
    types.into_iter().map(one).collect::<Vec<_>>().join(" | ")
}
