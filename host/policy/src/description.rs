//! The description of a policy in its own file, in the custom section `pointsman:description`: title,
//! labels, settings. It comes from a stranger, so it is bounded, made printable, and never the reason
//! to refuse a policy; only settings are held against its schema.

use serde::Serialize;
use serde_json::Value;

mod document;
mod expectation;
mod schema;
mod section;
mod validation;

pub use crate::settings_misfit::{PathStep, SettingsMisfit, SettingsProblem, ValuePath};
pub use schema::{SettingRow, SettingsSchema};
pub use section::{SECTION, attach};
pub(crate) use validation::SettingsFit;

/// Longest description, in bytes of JSON.
pub const MAX_BYTES: usize = 64 << 10;

/// Description of a policy by its author.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Pointsman policy description")]
pub struct PolicyDescription {
    /// Name for people, at most 100 bytes.
    pub title: String,
    /// Purpose of the policy, and when to use it: one paragraph of at most 4,000 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Address of its documentation or source: `https://` or `http://`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// Licence, as an SPDX expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Labels of its decisions and plans, at most 256. `*` in a name stands for any characters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub labels: Vec<DeclaredAnswer>,
    /// Kinds of refusals that it gives: `no-candidate`, `denied`, `internal`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub refusals: Vec<DeclaredAnswer>,
    /// JSON Schema of its settings, of which docs/policy-description.md lists the keywords that are
    /// checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub settings: Option<SettingsSchema>,
}

/// A label or a kind of refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredAnswer {
    /// The label, or the kind of refusal.
    pub name: String,
    /// The situation in which the policy gives it: at most 1,000 bytes.
    pub meaning: String,
}

/// Result of reading a description. Both parts may be empty, and both may be there: what is wrong is
/// left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SelfDescription {
    /// The description, if there is one with a title.
    pub content: Option<PolicyDescription>,
    /// Faults of the description.
    pub problems: Vec<DescriptionProblem>,
}

/// A fault of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescriptionProblem {
    /// Place in the description.
    pub path: ValuePath,
    /// The fault.
    pub message: String,
}

impl SelfDescription {
    /// Reads the description in a WebAssembly file or in a module nested in it, up to the first
    /// malformed section. Takes milliseconds for a megabyte.
    pub fn read(wasm: &[u8]) -> Self {
        let found = section::find(wasm);
        let Some(text) = found.text else { return Self::default() };
        let mut read = Self::of_json(text);
        if found.has_others {
            let message = "the file has several descriptions; the outermost and first is used";
            read.problems.push(DescriptionProblem::of_whole(message));
        }
        read
    }

    /// Reads a description from the content of its section.
    pub fn of_json(text: &[u8]) -> Self {
        if text.len() > MAX_BYTES {
            let message = format!("it is {} bytes long, more than {MAX_BYTES}", text.len());
            return Self { content: None, problems: vec![DescriptionProblem::of_whole(message)] };
        }
        match serde_json::from_slice(text) {
            Ok(value) => Self::of_value(&value),
            Err(error) => {
                let message = format!("it is not JSON: {error}");
                Self { content: None, problems: vec![DescriptionProblem::of_whole(message)] }
            }
        }
    }

    /// Reads a description from JSON.
    pub fn of_value(value: &Value) -> Self {
        document::read(value)
    }

    /// Adds faults for members that a description does not have in this version. Readers ignore them, and
    /// authors want to hear of them.
    #[must_use]
    pub fn with_unknown_members(mut self, value: &Value) -> Self {
        self.problems.extend(document::unknown_members(value));
        self
    }

    /// Returns the schema of the settings, if there is a valid one.
    pub fn settings(&self) -> Option<&SettingsSchema> {
        self.content.as_ref()?.settings.as_ref()
    }

    /// Lists the settings; nothing if there is no valid schema.
    pub fn settings_rows(&self) -> Vec<SettingRow> {
        self.settings().map(SettingsSchema::rows).unwrap_or_default()
    }

    /// Holds settings, a JSON object as text, against the schema.
    pub(crate) fn check_settings(&self, settings: &str) -> SettingsFit {
        match (self.settings(), serde_json::from_str(settings)) {
            (Some(schema), Ok(settings)) => validation::check(schema, &settings),
            // A policy reads its settings itself, and reports what it cannot read.
            _ => SettingsFit::Fits,
        }
    }
}

impl DescriptionProblem {
    fn of_whole(message: impl Into<String>) -> Self {
        Self { path: ValuePath::default(), message: message.into() }
    }
}

impl std::fmt::Display for DescriptionProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.path.is_empty() {
            true => f.write_str(&self.message),
            false => write!(f, "`{}`: {}", self.path, self.message),
        }
    }
}

impl PolicyDescription {
    /// Returns whether a label is declared.
    pub fn declares_label(&self, label: &str) -> bool {
        self.labels.iter().any(|declared| declared.matches(label))
    }
}

impl DeclaredAnswer {
    /// Returns whether the declared name, in which `*` stands for any characters, fits a name.
    pub fn matches(&self, name: &str) -> bool {
        let mut pieces = self.name.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let Some(last) = pieces.next_back() else { return rest.is_empty() };
        for piece in pieces {
            match rest.find(piece) {
                Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

/// Returns the JSON Schema of descriptions, for editors.
pub fn schema_json() -> String {
    let schema = schemars::schema_for!(PolicyDescription);
    // A schema is plain data, so serialising it cannot fail.
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests;
