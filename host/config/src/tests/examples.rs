//! Validity of the example configurations in the repository.

use super::super::{BUILTIN_POLICIES, Config, ConfigSource, Overrides, schema_json};
use super::{expect_file, repository};

#[test]
fn every_example_is_a_configuration() {
    let mut count = 0;
    let folders = ["examples", "examples/policies", "examples/scenarios"]
        .map(|folder| std::fs::read_dir(repository(folder)).unwrap());
    for entry in folders.into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let parsed = Config::parse(ConfigSource {
            file: &path.display().to_string(),
            text: &text,
            base_dir: path.parent().unwrap(),
            env: &|name| Some(format!("value-of-{name}")),
            overrides: Overrides::default(),
            now: 0,
        });
        parsed.unwrap_or_else(|error| panic!("{error}"));
        count += 1;
    }
    assert!(count >= 8, "only {count} examples found");
}

#[test]
fn the_readmes_list_every_built_in_policy() {
    for (file, folder) in [("README.md", "policies/"), ("policies/README.md", "")] {
        let text = std::fs::read_to_string(repository(file)).unwrap();
        for name in BUILTIN_POLICIES {
            let link = format!("| [{name}]({folder}{name}");
            assert!(text.contains(&link), "{file} does not list the built-in policy `{name}`");
        }
    }
}

#[test]
fn the_committed_schema_is_that_of_the_code() {
    expect_file("host/config/schema/pointsman.schema.json", &schema_json());
}
