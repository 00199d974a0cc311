//! What the repository shows of configurations is right.

use std::path::PathBuf;

use super::super::{Config, Input, Overrides, schema_json};

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path)
}

#[test]
fn every_example_is_a_configuration() {
    let mut count = 0;
    for entry in std::fs::read_dir(repository("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let parsed = Config::parse(Input {
            file: &path.display().to_string(),
            text: &text,
            base_dir: path.parent().unwrap(),
            env: &|name| Some(format!("value-of-{name}")),
            overrides: Overrides::default(),
        });
        parsed.unwrap_or_else(|error| panic!("{error}"));
        count += 1;
    }
    assert!(count >= 2, "only {count} examples found");
}

#[test]
fn the_committed_schema_is_that_of_the_code() {
    let path = repository("host/gateway/schema/pointsman.schema.json");
    let schema = schema_json();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == schema,
        "the schema is out of date; write it again with UPDATE_EXPECT=1 cargo test -p pointsman-gateway --lib config"
    );
}
