//! Descriptions and settings, honest and hostile.

use proptest::prelude::*;
use serde_json::json;

use super::*;

mod settings;

/// An empty core module.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

fn read(value: Value) -> SelfDescription {
    SelfDescription::of_value(&value)
}

fn problems(value: Value) -> Vec<String> {
    read(value).problems.iter().map(ToString::to_string).collect()
}

fn described(text: &str) -> Vec<u8> {
    attach(MODULE, text).unwrap()
}

#[test]
fn a_description_is_read_from_the_section_that_was_attached() {
    let text = json!({
        "title": "Cheapest", "description": "Takes the\ncheapest.", "homepage": "https://example.org/x?y=1",
        "license": "MIT OR Apache-2.0", "labels": [{ "name": "cheap:*", "meaning": "it is cheap" }],
        "refusals": [{ "name": "denied", "meaning": "no money" }], "later": 1,
        "settings": { "properties": { "floor": { "type": "number" } } },
    });
    let read = SelfDescription::read(&described(&text.to_string()));
    assert_eq!(read.problems, []);
    let content = read.content.unwrap();
    assert_eq!(
        (content.title.as_str(), content.description.as_deref()),
        ("Cheapest", Some("Takes the cheapest."))
    );
    assert!(content.declares_label("cheap:very") && !content.declares_label("dear"));
    assert_eq!(content.refusals[0].meaning, "no money");
    assert_eq!(serde_json::to_value(&content).unwrap()["settings"], text["settings"]);
}

#[test]
fn a_file_without_the_section_has_no_description_and_no_problem() {
    for wasm in [MODULE, b"", b"\0asm\x01\0\0\0\x01\xff"] {
        assert_eq!(SelfDescription::read(wasm), SelfDescription::default());
    }
}

#[test]
fn attaching_replaces_a_description_and_keeps_the_other_sections() {
    let other = [MODULE, b"\0\x05\x04name", b"\0\x03\x01xy"].concat();
    let once = attach(&other, r#"{"title":"a"}"#).unwrap();
    let twice = attach(&once, r#"{"title":"b"}"#).unwrap();
    assert!(twice.starts_with(&other) && twice.len() == once.len());
    assert_eq!(SelfDescription::read(&twice).content.unwrap().title, "b");
    attach(b"no wasm", "{}").unwrap_err();
    attach(b"\0asm\x01\0\0\0\x01\xff", "{}").unwrap_err();
}

#[test]
fn of_several_sections_the_outermost_and_first_is_used_and_others_are_reported() {
    let section = |text: &str| described(text)[MODULE.len()..].to_vec();
    let (a, b) = (section(r#"{"title":"a"}"#), section(r#"{"title":"b"}"#));
    let read = SelfDescription::read(&[MODULE, &a, &b].concat());
    assert_eq!(read.content.unwrap().title, "a");
    assert_eq!(
        read.problems[0].to_string(),
        "the file has several descriptions; the outermost and first is used"
    );
    assert_eq!(SelfDescription::read(&[MODULE, &a, &a].concat()).problems, []);

    let inner = [MODULE, &a].concat();
    let nested = [b"\0asm\x0d\0\x01\0\x01", &[u8::try_from(inner.len()).unwrap()][..], &inner].concat();
    assert_eq!(SelfDescription::read(&nested).content.unwrap().title, "a");
    let outer = SelfDescription::read(&[nested, b].concat());
    assert_eq!((outer.content.unwrap().title.as_str(), outer.problems.len()), ("b", 0));
}

#[test]
fn what_is_no_description_is_reported() {
    let of = |text: &[u8]| SelfDescription::of_json(text);
    for (text, problem) in [
        (&b"title = 1"[..], "it is not JSON: expected ident at line 1 column 2"),
        (b"[]", "a description is a JSON object"),
        (b"{}", "it has no `title`"),
        (br#"{"title":7}"#, "`title`: a string is expected"),
        (br#"{"title":" "}"#, "`title`: it is empty"),
    ] {
        let read = of(text);
        assert_eq!((read.content, read.problems[0].to_string().as_str()), (None, problem));
    }
    let long = format!(r#"{{"title":"{}"}}"#, "x".repeat(MAX_BYTES));
    assert!(of(long.as_bytes()).problems[0].to_string().ends_with("more than 65536"));
    let deep = "[".repeat(10_000);
    assert!(of(deep.as_bytes()).problems[0].to_string().contains("recursion limit"));
}

#[test]
fn a_faulty_member_is_reported_and_the_rest_is_kept() {
    let value = json!({
        "title": "x", "description": "d".repeat(4_001), "homepage": "javascript:alert(1)", "license": ["MIT"],
        "labels": [{ "name": "a b", "meaning": "x" }, { "name": "a", "meaning": "x" }, { "name": "a", "meaning": "y" }, 7, { "name": "c" }],
        "refusals": [{ "name": "no-money", "meaning": "x" }],
        "settings": { "type": "tabel" },
    });
    let read = read(value.clone());
    let content = read.content.unwrap();
    assert_eq!((content.title.as_str(), content.labels.len(), content.refusals.len()), ("x", 1, 0));
    assert_eq!((content.homepage, content.settings), (None, None));
    assert_eq!(
        problems(value),
        [
            "`description`: it is 4001 bytes long, more than 4000",
            "`homepage`: an address is expected that begins with `https://` or `http://`",
            "`license`: a string is expected",
            "`labels[0].name`: \"a b\" is no label: 1 to 64 characters of a-z A-Z 0-9 . _ : / -, and * for any",
            "`labels[2].name`: `a` is declared twice",
            "`labels[3]`: an object with `name` and `meaning` is expected",
            "`labels[4]`: it has no `meaning`",
            "`refusals[0].name`: `no-money` is no kind of refusal: no-candidate, denied, internal",
            "`settings.type`: expected is one or a list of: object, array, string, number, integer, boolean, null",
        ]
    );
}

#[test]
fn text_for_people_is_made_printable() {
    let hostile = "\u{1b}[2J<script>\u{202e}evil\r\n";
    let content = read(json!({
        "title": hostile, "labels": [{ "name": "a", "meaning": hostile }],
        "settings": { "description": hostile, "properties": { "a": { "title": hostile } } },
    }));
    assert_eq!(content.problems, []);
    let json = serde_json::to_string(&content.content).unwrap();
    assert!(json.matches(r"\\u{1b}[2J<script>\\u{202e}evil").count() == 4, "{json}");
    assert!(!json.contains(['\u{1b}', '\u{202e}']) && !json.contains("\\u001b"), "{json}");
    let rows = content.settings_rows();
    assert_eq!(rows[0].description.as_deref(), Some(r"\u{1b}[2J<script>\u{202e}evil"));
}

#[test]
fn names_that_are_not_printable_are_faults() {
    let expected = ["`settings.properties.\"a\\u{202e}\"`: it has the character \\u{202e}"];
    assert_eq!(
        problems(json!({ "title": "x", "settings": { "properties": { "a\u{202e}": {} } } })),
        expected
    );
    assert_eq!(
        problems(json!({ "title": "x", "settings": { "enum": ["\u{1b}"] } })),
        ["`settings.enum[0]`: it has the character \\u{1b}"]
    );
}

#[test]
fn lists_and_faults_are_bounded() {
    let label = |index: usize| json!({ "name": format!("l{index}"), "meaning": "x" });
    let many: Vec<Value> = (0..300).map(label).collect();
    let long = read(json!({ "title": "x", "labels": many }));
    assert_eq!((long.content.unwrap().labels.len(), long.problems.len()), (256, 1));
    let faulty: Vec<Value> = (0..200).map(|_| json!(7)).collect();
    assert_eq!(read(json!({ "title": "x", "labels": faulty })).problems.len(), 20);
}

#[test]
fn unknown_members_are_found_for_authors() {
    let value = json!({ "title": "x", "label": [], "labels": [{ "name": "a", "meaning": "b", "when": 1 }] });
    assert_eq!(read(value.clone()).problems, []);
    let problems = read(value.clone()).with_unknown_members(&value).problems;
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "`label`: unknown member `label`; did you mean `labels`?",
            "`labels[0].when`: unknown member `when`; there are name, meaning",
        ]
    );
    let schema: Value = serde_json::from_str(&schema_json()).unwrap();
    let names = |properties: &Value| properties.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let sorted = |names: &[&str]| {
        let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        names.sort();
        names
    };
    let mut members = names(&schema["properties"]);
    members.sort();
    assert_eq!(members, sorted(&document::MEMBERS));
    let mut of_answers = names(&schema["$defs"]["DeclaredAnswer"]["properties"]);
    of_answers.sort();
    assert_eq!(of_answers, sorted(&document::ANSWER_MEMBERS));
    assert_eq!((&schema["required"], &schema["additionalProperties"]), (&json!(["title"]), &json!(false)));
}

#[test]
fn a_star_stands_for_any_characters() {
    let fits = |pattern: &str, name: &str| {
        DeclaredAnswer { name: pattern.to_owned(), meaning: String::new() }.matches(name)
    };
    for (pattern, name) in [
        ("a", "a"),
        ("a*", "a"),
        ("a*", "ab"),
        ("*", "x"),
        ("a:*:c", "a:b:c"),
        ("*b*", "abc"),
        ("a*b*b", "abb"),
    ] {
        assert!(fits(pattern, name), "{pattern} {name}");
    }
    for (pattern, name) in
        [("a", "ab"), ("a*a", "a"), ("a:*:c", "a:c"), ("a*b*b", "ab"), ("*b", "abc"), ("", "a")]
    {
        assert!(!fits(pattern, name), "{pattern} {name}");
    }
}

proptest! {
    #[test]
    fn any_section_and_any_damage_get_a_result(text in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let _ = SelfDescription::of_json(&text);
        let mut wasm = described(r#"{"title":"x","settings":{"properties":{"a":{"minimum":1}}}}"#);
        let at = at.index(wasm.len());
        wasm[at] = byte;
        let _ = SelfDescription::read(&wasm);
        let _ = attach(&wasm, "{}");
    }
}
