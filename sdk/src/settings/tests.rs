use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    floor: f64,
    label: String,
    quality: BTreeMap<String, BTreeMap<String, f64>>,
}

fn error(json: &str) -> String {
    parse::<Settings>(json).unwrap_err()
}

#[test]
fn no_table_means_defaults() {
    assert_eq!(parse::<Settings>("{}"), Ok(Settings::default()));
}

#[test]
fn an_error_names_the_setting() {
    same(
        &error(r#"{"label":"x","floor":"high"}"#),
        "setting `floor`: invalid type: string \"high\", expected f64",
    );
    same(
        &error(r#"{"quality":{"gpt-4o":{"maths":0.5,"code":"good"}},"floor":1}"#),
        "setting `quality.gpt-4o.code`: invalid type: string \"good\", expected f64",
    );
    same(&error("{\n\"label\": 3\n}"), "setting `label`: invalid type: integer `3`, expected a string");
}

#[test]
fn a_misspelt_setting_is_reported_with_those_that_exist() {
    same(
        &error(r#"{"flor":1}"#),
        "settings: unknown field `flor`, expected one of `floor`, `label`, `quality`",
    );
}

#[test]
fn keys_with_quotes_and_brackets_do_not_confuse_the_place() {
    same(
        &error(r#"{"quality":{"a\"{[:":{"x":0.1}},"floor":true}"#),
        "setting `floor`: invalid type: boolean `true`, expected f64",
    );
}

#[track_caller]
fn same(message: &str, expected: &str) {
    assert_eq!(message, expected);
}
