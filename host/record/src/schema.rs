//! JSON Schema of the decision record.

use schemars::generate::SchemaSettings;

use crate::record::DecisionRecord;

/// Returns the JSON Schema of the decision record, indented.
pub fn schema_json() -> String {
    // The schema describes records as they are written: a member that may be left out is not
    // required.
    let generator = SchemaSettings::default().for_serialize().into_generator();
    format!("{:#}\n", generator.into_root_schema_for::<DecisionRecord<'_>>().to_value())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the environment selects comparison or update")]
    fn the_committed_schema_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/decision-record.schema.json");
        if std::env::var("UPDATE_EXPECT").is_ok() {
            fs::write(&path, schema_json()).expect("the schema can be written");
        }
        let committed = fs::read_to_string(&path).expect("docs/decision-record.schema.json");
        assert!(committed == schema_json(), "UPDATE_EXPECT=1 updates it");
    }
}
