//! Descriptions in files: both syntaxes, faults with their places, attaching.

use pointsman_policy::description::SECTION;
use tempfile::TempDir;

use super::*;

const TOML: &str = r#"
title = "Mine"
labels = [{ name = "mine:*", meaning = "always" }]

[settings.properties.floor]
type = "number"
maximum = 1
"#;

fn faults(text: &str, syntax: Syntax) -> String {
    let faults = checked(text, syntax).unwrap_err();
    let shown: Vec<String> = faults.iter().map(|fault| fault.display(Path::new("d")).to_string()).collect();
    shown.join("\n")
}

#[test]
fn both_syntaxes_become_the_same_json() {
    let json = checked(TOML, Syntax::Toml).unwrap();
    assert_eq!(checked(&json, Syntax::Json).unwrap(), json);
    assert_eq!(
        json,
        r#"{"labels":[{"meaning":"always","name":"mine:*"}],"settings":{"properties":{"floor":{"maximum":1,"type":"number"}}},"title":"Mine"}"#
    );
}

#[test]
fn faults_are_shown_where_they_are_written() {
    let text = TOML.replace("\"mine:*\"", "\"m ne\"").replace("maximum = 1", "maximum = \"1\"\nminimum = []");
    assert_eq!(
        faults(&text, Syntax::Toml),
        r#"error: `labels[0].name`: "m ne" is no label: 1 to 64 characters of a-z A-Z 0-9 . _ : / -, and * for any
 --> d:3:20
  |
3 | labels = [{ name = "m ne", meaning = "always" }]
  |                    ^^^^^^
error: `settings.properties.floor.maximum`: a number is expected
 --> d:7:11
  |
7 | maximum = "1"
  |           ^^^
error: `settings.properties.floor.minimum`: a number is expected
 --> d:8:11
  |
8 | minimum = []
  |           ^^"#
    );
    let json = "{\n  \"title\": \"x\\\"}\",\n  \"homepag\": [1, {\"a\": [2]}],\n  \"labels\": [7, {\"name\": \"a\", \"meaning\": \"\"}]\n}";
    assert_eq!(
        faults(json, Syntax::Json),
        r#"error: `labels[0]`: an object with `name` and `meaning` is expected
 --> d:4:14
  |
4 |   "labels": [7, {"name": "a", "meaning": ""}]
  |              ^
error: `labels[1].meaning`: it is empty
 --> d:4:42
  |
4 |   "labels": [7, {"name": "a", "meaning": ""}]
  |                                          ^^
error: `homepag`: unknown member `homepag`; did you mean `homepage`?
 --> d:3:3
  |
3 |   "homepag": [1, {"a": [2]}],
  |   ^^^^^^^^^"#
    );
}

#[test]
fn syntax_errors_and_what_is_missing_are_reported() {
    assert!(faults("title = ", Syntax::Toml).contains(" --> d:1:"));
    assert!(faults("{\"title\" 1}", Syntax::Json).contains(" --> d:1:"));
    assert_eq!(faults("", Syntax::Toml), "error: it has no `title`\n --> d");
    let long = format!("title = \"x\"\nlicense = \"{}\"\n", "y".repeat(MAX_BYTES));
    assert!(faults(&long, Syntax::Toml).contains("more than 65536"));
}

#[test]
fn a_folder_has_one_description_at_most() {
    let folder = TempDir::new().unwrap();
    let of_folder = || AuthoredDescription::of_folder(folder.path());
    assert_eq!(of_folder().unwrap(), None);
    fs::write(folder.path().join(FILES[0]), TOML).unwrap();
    assert_eq!(of_folder().unwrap().unwrap().path, folder.path().join(FILES[0]));
    fs::write(folder.path().join(FILES[1]), "{}").unwrap();
    let error = of_folder().unwrap_err();
    assert!(error.exit_status() == 2 && error.to_string().contains("has two descriptions"), "{error}");
}

#[test]
fn a_description_is_attached_once_and_replaces_another_one() {
    let folder = TempDir::new().unwrap();
    let policy = folder.path().join("policy.wasm");
    let kept = folder.path().join("kept.wasm");
    fs::write(&policy, b"\0asm\x01\0\0\0").unwrap();
    fs::hard_link(&policy, &kept).unwrap();
    let described = |text: &str| AuthoredDescription { path: "d".into(), json: text.to_owned() };
    for title in ["one", "two", "two"] {
        described(&format!(r#"{{"title":"{title}"}}"#)).attach_to(&policy).unwrap();
        let bytes = fs::read(&policy).unwrap();
        assert_eq!(SelfDescription::read(&bytes).content.unwrap().title, title);
        assert_eq!(String::from_utf8_lossy(&bytes).matches(SECTION).count(), 1);
    }
    assert_eq!(fs::read(&kept).unwrap().len(), 8);
    fs::write(&policy, b"no wasm").unwrap();
    described(r#"{"title":"x"}"#).attach_to(&policy).unwrap();
    assert_eq!(fs::read(&policy).unwrap(), b"no wasm");
}
