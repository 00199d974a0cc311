//! Validation of settings against schemas.

use super::*;
use crate::description::validation::check;

fn schema(value: &Value) -> SettingsSchema {
    SettingsSchema::parse(value, &ValuePath::default().key("settings")).unwrap()
}

/// The faults of settings, or nothing.
fn faults(schema_json: Value, settings: Value) -> String {
    match check(&schema(&schema_json), &settings) {
        SettingsFit::Fits => String::new(),
        SettingsFit::Misfit(misfit) => misfit.to_string(),
        SettingsFit::Undecided => "undecided".to_owned(),
    }
}

fn one(schema: Value, value: Value) -> String {
    let faults = faults(json!({ "properties": { "a": schema } }), json!({ "a": value }));
    faults.strip_prefix("setting `a`: ").unwrap_or(&faults).to_owned()
}

#[test]
fn each_keyword_accepts_and_rejects() {
    for (schema, good, bad, fault) in [
        (json!({ "type": "number" }), json!(1), json!("1"), "expected a number, found \"1\""),
        (json!({ "type": "integer" }), json!(1), json!(1.0), "expected a whole number, found 1.0"),
        (json!({ "type": "boolean" }), json!(true), json!(1), "expected true or false, found 1"),
        (json!({ "type": "array" }), json!([]), json!({}), "expected a list, found a table"),
        (
            json!({ "type": ["string", "null"] }),
            json!(null),
            json!([]),
            "expected a string or null, found a list",
        ),
        (json!({ "enum": ["x", 2] }), json!(2.0), json!("y"), "expected one of \"x\", 2, found \"y\""),
        (json!({ "const": "x" }), json!("x"), json!("y"), "expected \"x\", found \"y\""),
        (
            json!({ "type": "number", "minimum": 0, "maximum": 1 }),
            json!(1),
            json!(1.1),
            "expected a number from 0 to 1, found 1.1",
        ),
        (json!({ "exclusiveMinimum": 0 }), json!(0.1), json!(0), "expected a number above 0, found 0"),
        (
            json!({ "minimum": 1, "exclusiveMaximum": 3 }),
            json!(2),
            json!(3),
            "expected a number of at least 1 and below 3, found 3",
        ),
        (
            json!({ "minimum": 1, "exclusiveMinimum": 1 }),
            json!(2),
            json!(1),
            "expected a number above 1, found 1",
        ),
        (
            json!({ "minLength": 1 }),
            json!("ä"),
            json!(""),
            "expected a string of at least 1 character, found \"\"",
        ),
        (
            json!({ "maxLength": 2 }),
            json!("äö"),
            json!("abc"),
            "expected a string of at most 2 characters, found \"abc\"",
        ),
        (
            json!({ "minItems": 2, "maxItems": 2 }),
            json!([1, 2]),
            json!([1]),
            "expected a list of 2 elements, found a list",
        ),
        (
            json!({ "maxProperties": 1 }),
            json!({}),
            json!({ "a": 1, "b": 2 }),
            "expected any value, found a table",
        ),
        (
            json!({ "items": { "type": "string" } }),
            json!(["x"]),
            json!(["x", 1]),
            "setting `a[1]`: expected a string, found 1",
        ),
        (
            json!({ "allOf": [{ "type": "number" }, { "minimum": 1 }] }),
            json!(1),
            json!(0),
            "expected a number of at least 1, found 0",
        ),
        (
            json!({ "additionalProperties": { "type": "number" } }),
            json!({ "x": 1 }),
            json!({ "x/y": "z" }),
            "setting `a.\"x/y\"`: expected a number, found \"z\"",
        ),
    ] {
        assert_eq!(one(schema.clone(), good), "", "{schema}");
        assert_eq!(one(schema.clone(), bad), fault, "{schema}");
    }
}

#[test]
fn of_alternatives_the_one_of_the_same_type_is_explained() {
    for keyword in ["anyOf", "oneOf"] {
        let schema = json!({ keyword: [
            { "type": "integer", "minimum": 2, "maximum": 8 },
            { "type": "array", "items": { "type": "string", "minLength": 1 } },
        ] });
        assert_eq!(one(schema.clone(), json!(3)), "");
        assert_eq!(one(schema.clone(), json!(9)), "expected a whole number from 2 to 8, found 9");
        assert_eq!(
            one(schema.clone(), json!(["x", ""])),
            "setting `a[1]`: expected a string of at least 1 character, found \"\""
        );
        assert_eq!(
            one(schema, json!(true)),
            "expected a whole number from 2 to 8 or a list, each a string of at least 1 character, found true"
        );
    }
}

#[test]
fn unknown_and_missing_settings_are_named() {
    let schema = json!({
        "properties": { "floor": { "type": "number" }, "task": {} }, "required": ["floor"], "additionalProperties": false,
    });
    assert_eq!(faults(schema.clone(), json!({ "floor": 1 })), "");
    assert_eq!(
        faults(schema.clone(), json!({ "flor": 1 })),
        "the setting `floor` is missing (set `floor` to a number); there is no setting `flor` (did you mean `floor`?)"
    );
    assert_eq!(
        faults(schema, json!({ "floor": 1, "zzzzzzz": 1 })),
        "there is no setting `zzzzzzz` (the settings here: `floor`, `task`)"
    );
    assert_eq!(
        faults(json!({ "additionalProperties": false }), json!({ "a": 1 })),
        "there is no setting `a` (there are no settings here)"
    );
    assert_eq!(faults(json!(false), json!({})), "expected no value, found a table");
}

#[test]
fn references_stay_within_the_schema() {
    let recursive = json!({
        "$ref": "#/$defs/tree",
        "$defs": { "tree": { "type": "object", "additionalProperties": { "$ref": "#/$defs/tree" } } },
    });
    assert_eq!(faults(recursive.clone(), json!({ "a": { "b": {} } })), "");
    assert_eq!(faults(recursive, json!({ "a": { "b": 1 } })), "setting `a.b`: expected a table, found 1");
    let bad = |schema: Value| {
        let problems = SettingsSchema::parse(&schema, &ValuePath::default()).unwrap_err();
        problems[0].to_string()
    };
    let only = "`$ref`: only `#` and `#/$defs/NAME` can be referred to";
    for remote in
        ["https://example.org/schema", "file:///etc/passwd", "#/properties/a", "other.json", "#/$defs/a/b"]
    {
        assert_eq!(bad(json!({ "$ref": remote })), only);
    }
    assert_eq!(bad(json!({ "$ref": "#/$defs/x" })), "`$ref`: there is no definition `x`");
}

#[test]
fn faults_of_a_schema_have_a_place() {
    let bad = |schema: Value| {
        let problems = SettingsSchema::parse(&schema, &ValuePath::default()).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(bad(json!(7)), "a schema is an object, `true` or `false`");
    assert_eq!(bad(json!({ "minimum": "1" })), "`minimum`: a number is expected");
    assert_eq!(
        bad(json!({ "properties": { "a": { "minItems": -1 } } })),
        "`properties.a.minItems`: a whole number is expected"
    );
    assert_eq!(
        bad(json!({ "enum": [], "required": "a" })),
        "`enum`: a list of values is expected; `required`: a list of names is expected"
    );
    let mut deep = json!({});
    for _ in 0..20 {
        deep = json!({ "items": deep });
    }
    assert!(bad(deep).contains("nested more than 16 deep"));
}

#[test]
fn keywords_that_are_not_checked_are_listed_and_reject_nothing() {
    let value = json!({
        "properties": { "a": { "pattern": "^x", "format": "uri", "not": {} } },
        "patternProperties": { "^b": {} }, "additionalProperties": false,
    });
    let unchecked: Vec<String> =
        schema(&value).unchecked_keywords().iter().map(ToString::to_string).collect();
    assert_eq!(
        unchecked,
        [
            "settings.patternProperties",
            "settings.properties.a.not",
            "settings.properties.a.pattern",
            "settings.additionalProperties"
        ]
    );
    assert_eq!(faults(value, json!({ "a": "y", "b": 1, "c": 1 })), "");
}

#[test]
fn a_schema_that_multiplies_itself_ends_undecided() {
    let mut definitions = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({ "$ref": format!("#/$defs/d{}", level + 1) });
        definitions.insert(format!("d{level}"), json!({ "anyOf": [next.clone(), next] }));
    }
    definitions.insert("d40".to_owned(), json!(false));
    let bomb = json!({ "$ref": "#/$defs/d0", "$defs": definitions });
    assert_eq!(faults(bomb, json!({})), "undecided");
    assert_eq!(faults(json!({ "$ref": "#" }), json!({})), "undecided");
    let many: Vec<Value> = (0..300_000).map(Value::from).collect();
    assert_eq!(faults(json!({ "items": {} }), json!(many)), "undecided");
}

#[test]
fn settings_are_listed_with_what_is_expected() {
    let rows = schema(&json!({
        "properties": {
            "balance": { "enum": ["load", "requests"], "default": "requests", "description": "What is even." },
            "weights": { "type": "object", "additionalProperties": { "type": "number", "minimum": 0 } },
            "stages": { "type": "array", "items": { "$ref": "#/$defs/stage" } },
        },
        "required": ["stages"],
        "$defs": { "stage": { "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] } },
    }))
    .rows();
    let shown: Vec<_> =
        rows.iter().map(|row| (row.name.as_str(), row.expected.as_str(), row.required)).collect();
    assert_eq!(
        shown,
        [
            ("balance", "one of \"load\", \"requests\"", false),
            ("stages", "a list, each a table", true),
            ("stages[].name", "a string", true),
            ("weights", "a table", false),
            ("weights.*", "a number of at least 0", false),
        ]
    );
    assert_eq!(
        (rows[0].default.as_deref(), rows[0].description.as_deref()),
        (Some("\"requests\""), Some("What is even."))
    );
    let recursive = schema(&json!({ "properties": { "a": { "$ref": "#" }, "b": { "$ref": "#" } } })).rows();
    assert!(recursive.len() <= 300, "{}", recursive.len());
}
