//! JSON Schema of case files.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::case::{Case, CaseFile};

/// A case file: several cases with what they share, or one case.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(title = "Pointsman policy cases")]
#[expect(dead_code, reason = "only its schema is used")]
enum CaseDocument {
    Several(Box<CaseFile>),
    One(Box<Case>),
}

/// Returns the JSON Schema of case files, for editors.
pub fn schema_json() -> String {
    let schema = schemars::schema_for!(CaseDocument);
    // A schema is plain data, so serialising it cannot fail.
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_names_the_members_of_a_case() {
        let schema: serde_json::Value = serde_json::from_str(&schema_json()).unwrap();
        let case = &schema["$defs"]["Case"]["properties"];
        assert!(case["expect"].is_object() && case["candidates"].is_object(), "{schema:#}");
        assert_eq!(schema["$defs"]["Case"]["additionalProperties"], false);
    }
}
