//! Descriptions of policies, from the section of the file to the load gate.

use pointsman_guests::FIRST;
use pointsman_policy::description::attach;
use pointsman_policy::{LoadError, inspect};
use wit_component::ComponentEncoder;

use crate::support::{decide, label, load, load_error, runtime, spec, spec_with};

const SCHEMA: &str = r#"{"title":"First","settings":{"properties":{"label":{"maxLength":4}}}}"#;

fn described() -> Vec<u8> {
    attach(FIRST, SCHEMA).unwrap()
}

fn component(module: &[u8]) -> Vec<u8> {
    ComponentEncoder::default().module(module).unwrap().encode().unwrap()
}

fn title(wasm: &[u8]) -> Option<String> {
    inspect(wasm).unwrap().description.map(|description| description.title)
}

#[test]
fn a_description_survives_the_encoding_and_an_outer_one_comes_before_it() {
    let encoded = component(&described());
    assert_eq!((title(&described()).as_deref(), title(&encoded).as_deref()), (Some("First"), Some("First")));
    let outer = attach(&encoded, r#"{"title":"Outer"}"#).unwrap();
    assert_eq!(title(&outer).as_deref(), Some("Outer"));
    assert_eq!(inspect(&outer).unwrap().description_problems, [""; 0]);
    let policy = load(spec(), &outer).unwrap();
    assert_eq!(policy.description().content.as_ref().unwrap().title, "Outer");
}

#[tokio::test]
async fn settings_are_held_against_the_schema_before_the_policy_is_compiled() {
    // The module is no policy, which nobody finds out.
    let no_policy = attach(b"\0asm\x01\0\0\0", SCHEMA).unwrap();
    let misfit = || spec_with(r#"{"label":"longer"}"#);
    let expected = "the settings do not fit the schema of the policy: setting `label`: expected a string of at most 4 \
                    characters, found \"longer\"";
    assert_eq!(load_error(misfit(), &no_policy), expected);
    let policy = load(spec_with(r#"{"label":"four"}"#), &described()).unwrap();
    assert_eq!(label(decide(&policy).await), "four");
    let error = runtime().respecify(&policy, misfit()).unwrap_err();
    assert!(matches!(error, LoadError::SettingsSchema(_)) && error.to_string() == expected, "{error}");
    // The policy itself judges what fits the schema.
    assert!(
        load_error(spec_with(r#"{"lable":1}"#), &described())
            .starts_with("the policy refuses its settings: ")
    );
}

#[test]
fn a_faulty_description_is_no_reason_to_refuse_a_policy() {
    for faulty in ["", "[", "7", r#"{"title":"x","settings":{"$ref":"https://example.org"}}"#] {
        let policy = load(spec_with(r#"{"label":"longer"}"#), &attach(FIRST, faulty).unwrap()).unwrap();
        assert_eq!(policy.description().problems.len(), 1, "{faulty}");
    }
}
