//! Generation of `docs/configuration.md` from the schema.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::super::schema_json;
use super::expect_file;

const HEAD: &str = "\
# Configuration

<!-- Generated from the code: UPDATE_EXPECT=1 cargo test -p pointsman-config --lib -->

Pointsman reads one TOML file, `pointsman.toml`. `pointsman check` reports all problems in it, with line and
hint; `pointsman schema` prints the JSON Schema, for completion and validation in editors. A changed file is
reloaded without interrupting requests; a file with an error is rejected and changes nothing. Without a file,
`pointsman serve` runs the embedded default, [default.toml](../host/config/src/default.toml). More examples are
in [examples](../examples).

Durations are text such as `\"20ms\"`, `\"2s\"`, `\"1.5s\"`, `\"5m\"`, `\"1h\"`. Sizes are a number of bytes or text
such as `\"16 MiB\"`. Paths are relative to the file. In lists of names, `*` matches any characters.
";

/// Keys before all sections.
const TOP: [&str; 1] = ["policy_dir"];

/// Sections in the order of the file, each with its schema definition.
const SECTIONS: [(&str, &str); 16] = [
    ("[server]", "Server"),
    ("[admin]", "Admin"),
    ("[log]", "Log"),
    ("[traces]", "Traces"),
    ("[decision_log]", "DecisionLog"),
    ("[state]", "State"),
    ("[compile]", "Compile"),
    ("[memory]", "Memory"),
    ("[uploads]", "Uploads"),
    ("[retry_budget]", "RetryBudget"),
    ("[rollback]", "Rollback"),
    ("[backends.NAME]", "Backend"),
    ("[models.\"BACKEND/NAME\"]", "Model"),
    ("[policies.NAME]", "Policy"),
    ("[routes.NAME]", "Route"),
    ("[keys.NAME]", "Key"),
];

#[test]
fn the_reference_is_that_of_the_code() {
    expect_file("docs/configuration.md", &reference());
}

#[test]
fn the_reference_has_every_section() {
    let schema: Value = serde_json::from_str(&schema_json()).unwrap();
    let sections = schema["properties"].as_object().unwrap();
    for name in sections.keys().filter(|name| !TOP.contains(&name.as_str())) {
        assert!(SECTIONS.iter().any(|(title, _)| title.starts_with(&format!("[{name}"))), "{name}");
    }
}

fn reference() -> String {
    let schema: Value = serde_json::from_str(&schema_json()).unwrap();
    let definitions = schema["$defs"].as_object().unwrap();
    let mut text = HEAD.to_owned();
    text.push_str("\n## Before all sections\n\n| key | value | default | meaning |\n|---|---|---|---|\n");
    for key in TOP {
        row(key, &schema["properties"][key], "", definitions, &mut text);
    }
    for (title, definition) in SECTIONS {
        let definition = &definitions[definition];
        write!(text, "\n## `{title}`\n\n{}\n\n", paragraph(definition)).unwrap();
        text.push_str("| key | value | default | meaning |\n|---|---|---|---|\n");
        rows("", definition, definitions, &mut text);
    }
    text
}

/// Writes one row for each key. Keys of nested tables are prefixed with the name of the table.
fn rows(prefix: &str, definition: &Value, definitions: &Map<String, Value>, text: &mut String) {
    for (key, property) in definition["properties"].as_object().unwrap() {
        let target = resolve(property, definitions);
        let default = match &property["default"] {
            Value::Null if is_required(key, definition) => "required".to_owned(),
            Value::Null => String::new(),
            default => format!("`{default}`"),
        };
        let name = format!("{prefix}{key}");
        row(&name, property, &default, definitions, text);
        if target["properties"].is_object() {
            rows(&format!("{name}."), target, definitions, text);
        }
    }
}

fn row(name: &str, property: &Value, default: &str, definitions: &Map<String, Value>, text: &mut String) {
    let (kind, meaning) = (kind(property, definitions), paragraph(property));
    writeln!(text, "| `{name}` | {kind} | {default} | {meaning} |").unwrap();
}

fn is_required(key: &str, definition: &Value) -> bool {
    definition["required"].as_array().is_some_and(|keys| keys.iter().any(|required| required == key))
}

fn resolve<'s>(schema: &'s Value, definitions: &'s Map<String, Value>) -> &'s Value {
    match schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        Some(name) => &definitions[name],
        None => schema,
    }
}

/// Describes the values of a key.
fn kind(schema: &Value, definitions: &Map<String, Value>) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"))
        && let Some(word) =
            [("Duration", "duration"), ("Size", "size"), ("Address", "address"), ("Date", "date")]
                .iter()
                .find(|(n, _)| *n == name)
    {
        return word.1.to_owned();
    }
    let schema = resolve(schema, definitions);
    if let Some(word) = schema["const"].as_str() {
        return format!("`\"{word}\"`");
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choice].as_array() {
            return choices.iter().map(|choice| kind(choice, definitions)).collect::<Vec<_>>().join(", ");
        }
    }
    match schema["type"].as_str() {
        Some("array") => format!("list of {}", kind(&schema["items"], definitions)),
        Some("string") => "text".to_owned(),
        Some("boolean") => "`true`, `false`".to_owned(),
        Some("integer") => "whole number".to_owned(),
        Some("number") => "number".to_owned(),
        Some("object") if schema["additionalProperties"].is_object() => {
            format!(
                "table of {}",
                kind(&schema["additionalProperties"], definitions).replace("number", "numbers")
            )
        }
        Some("object") => "table".to_owned(),
        _ => "text, number, true or false".to_owned(),
    }
}

/// A description on one line, safe inside a table.
fn paragraph(schema: &Value) -> String {
    schema["description"]
        .as_str()
        .unwrap_or_default()
        .replace("\n\n", "<br>")
        .replace('\n', " ")
        .replace('|', "\\|")
}
