//! The JSON Schema of the record, made from its types.

use schemars::generate::SchemaSettings;

use super::Record;

/// The JSON Schema of the decision record, as text.
pub fn schema_json() -> String {
    // As records are written: what may be left out is not required.
    let generator = SchemaSettings::default().for_serialize().into_generator();
    format!("{:#}\n", generator.into_root_schema_for::<Record<'_>>().to_value())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "tests are told by the environment to write")]
    fn the_schema_in_the_docs_is_that_of_the_code() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/decision-record.schema.json");
        if std::env::var("UPDATE_EXPECT").is_ok() {
            fs::write(&path, schema_json()).expect("the schema can be written");
        }
        let committed = fs::read_to_string(&path).expect("docs/decision-record.schema.json");
        assert!(committed == schema_json(), "UPDATE_EXPECT=1 writes it anew");
    }
}
