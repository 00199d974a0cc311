//! JSON Schema of the configuration file, for completion and validation in editors.

use serde_json::Value;

use super::raw::File;

/// Returns the schema as text. The output is deterministic.
pub fn schema_json() -> String {
    let mut schema = schemars::schema_for!(File).to_value();
    tidy(&mut schema);
    format!("{schema:#}\n")
}

/// Removes `null` from types, because TOML has no null, and the defaults of tables and lists.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(elements) => elements.iter_mut().for_each(tidy),
        Value::Object(entries) => {
            entries.retain(|key, value| key != "default" || is_scalar(value));
            if let Some(Value::Array(types)) = entries.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    entries.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = entries.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
                if choices.len() == 1
                    && let Some(Value::Object(only)) = choices.pop()
                {
                    entries.remove("anyOf");
                    entries.extend(only);
                }
            }
            entries.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

/// Returns whether a default is a scalar. Defaults of tables and lists are redundant: they are
/// empty or follow from those of their members.
fn is_scalar(default: &Value) -> bool {
    matches!(default, Value::Bool(_) | Value::Number(_) | Value::String(_))
}
