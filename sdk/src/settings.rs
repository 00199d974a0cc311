//! The policy's table in the configuration.

use serde::de::DeserializeOwned;

use crate::imports::settings as gateway;

/// Returns the table as a JSON object; `{}` if there is none.
pub fn json() -> String {
    gateway::json()
}

/// Reads the table as the policy's settings.
///
/// # Errors
/// The message names the setting, for the author of the configuration.
pub fn load<S: DeserializeOwned + Default>() -> Result<S, String> {
    parse(&json())
}

/// Reads settings from JSON, as [`load`]. An empty table is not parsed.
pub fn parse<S: DeserializeOwned + Default>(json: &str) -> Result<S, String> {
    if json == "{}" {
        return Ok(S::default());
    }
    serde_json::from_str(json).map_err(|error| describe(json, &error))
}

fn describe(json: &str, error: &serde_json::Error) -> String {
    let message = error.to_string();
    // Lines and columns of the JSON mean nothing to the author of the TOML file.
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    match key_at(json, error.line(), error.column()) {
        Some(key) if !message.starts_with("unknown field") => format!("setting `{key}`: {message}"),
        _ => format!("settings: {message}"),
    }
}

/// Returns the path of keys (`quality.gpt-4o.code`) that leads to a position in a JSON object.
/// Lines and columns count from 1.
fn key_at(json: &str, line: usize, column: usize) -> Option<String> {
    let before: usize = json.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let text = json.get(..json.floor_char_boundary(before + column))?;
    // One entry for each open object or array: its latest key.
    let mut open: Vec<Option<&str>> = Vec::new();
    let mut string = None;
    let mut rest = text.char_indices();
    while let Some((at, character)) = rest.next() {
        match character {
            '{' | '[' => open.push(None),
            '}' | ']' => drop(open.pop()),
            ':' => {
                if let Some(key) = open.last_mut() {
                    *key = string;
                }
            }
            '"' => {
                let start = at + 1;
                let mut escaped = false;
                let end = rest.find(|&(_, inner)| {
                    let ends = inner == '"' && !escaped;
                    escaped = inner == '\\' && !escaped;
                    ends
                });
                string = text.get(start..end.map_or(text.len(), |(end, _)| end));
            }
            _ => {}
        }
    }
    let path: Vec<&str> = open.into_iter().flatten().collect();
    (!path.is_empty()).then(|| path.join("."))
}

#[cfg(test)]
mod tests;
