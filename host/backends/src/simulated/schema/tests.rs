use fastrand::Rng;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn made(schema: &Value) -> Value {
    value(
        schema,
        &mut Hints::of("Book a table for 4 in Rome, please, for Ada Lovelace."),
        &mut Rng::with_seed(5),
    )
}

/// Asserts that a value fits its schema, for several states of the random numbers.
fn check(schema: Value) -> Value {
    for seed in 0..50 {
        let value = value(&schema, &mut Hints::of(""), &mut Rng::with_seed(seed));
        assert_eq!(misfit(&schema, &schema, &value), None, "{schema} {value}");
    }
    made(&schema)
}

/// Returns why a value does not fit a schema, by the keywords that values are built from.
fn misfit(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    let schema = match schema {
        Value::Bool(true) => return None,
        Value::Bool(false) => return Some("nothing is allowed".to_owned()),
        schema => schema,
    };
    let problem = |what: &str| Some(format!("{what}: {value}"));
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap();
        if let Some(problem) = misfit(root, target, value) {
            return Some(problem);
        }
    }
    let list = |key: &str| schema[key].as_array().cloned().unwrap_or_default();
    if let Some(problem) = list("allOf").iter().find_map(|part| misfit(root, part, value)) {
        return Some(problem);
    }
    for key in ["anyOf", "oneOf"] {
        let branches = list(key);
        if !branches.is_empty() && branches.iter().all(|branch| misfit(root, branch, value).is_some()) {
            return problem(key);
        }
    }
    if schema.get("const").is_some_and(|constant| constant != value) {
        return problem("const");
    }
    if schema.get("enum").is_some() && !list("enum").contains(value) {
        return problem("enum");
    }
    let types = match &schema["type"] {
        Value::String(name) => vec![name.clone()],
        Value::Array(names) => names.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
        _ => Vec::new(),
    };
    let is = |name: &String| match name.as_str() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        _ => value.is_object(),
    };
    if !types.is_empty() && !types.iter().any(is) {
        return problem("type");
    }
    misfit_by_type(root, schema, value)
}

fn misfit_by_type(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    let problem = |what: &str| Some(format!("{what}: {value}"));
    let number = |key: &str| schema[key].as_f64();
    let count = |key: &str| schema[key].as_u64().map(|count| count as usize);
    match value {
        Value::Number(it) => {
            let it = it.as_f64().unwrap();
            let bounds = [
                number("minimum").is_some_and(|least| it < least),
                number("exclusiveMinimum").is_some_and(|least| it <= least),
                number("maximum").is_some_and(|most| it > most),
                number("exclusiveMaximum").is_some_and(|most| it >= most),
                number("multipleOf").is_some_and(|step| (it / step).fract().abs() > 1e-6),
            ];
            if bounds.contains(&true) { problem("bound") } else { None }
        }
        Value::String(it) => {
            let length = it.chars().count();
            let fits = count("minLength").is_none_or(|least| length >= least)
                && count("maxLength").is_none_or(|most| length <= most);
            if fits { None } else { problem("length") }
        }
        Value::Array(items) => {
            let first = schema["prefixItems"].as_array().cloned().unwrap_or_default();
            let fits = count("minItems").is_none_or(|least| items.len() >= least)
                && count("maxItems").is_none_or(|most| items.len() <= most)
                && (schema["uniqueItems"] != true
                    || items.iter().enumerate().all(|(at, it)| !items[..at].contains(it)));
            if !fits {
                return problem("items");
            }
            let further = schema.get("items").unwrap_or(&Value::Bool(true));
            items
                .iter()
                .enumerate()
                .find_map(|(at, item)| misfit(root, first.get(at).unwrap_or(further), item))
        }
        Value::Object(members) => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            if required.iter().any(|name| !members.contains_key(name.as_str().unwrap())) {
                return problem("required");
            }
            let fits = count("minProperties").is_none_or(|least| members.len() >= least)
                && count("maxProperties").is_none_or(|most| members.len() <= most);
            if !fits {
                return problem("properties");
            }
            let further = schema.get("additionalProperties").unwrap_or(&Value::Bool(true));
            members.iter().find_map(|(name, member)| {
                misfit(root, schema["properties"].get(name).unwrap_or(further), member)
            })
        }
        _ => None,
    }
}

#[test]
fn values_take_up_names_and_numbers_of_the_prompt() {
    let schema = json!({
        "type": "object", "required": ["city", "guests"], "additionalProperties": false,
        "properties": {
            "city": { "type": "string" }, "guests": { "type": "integer" }, "name": { "type": "string" },
        },
    });
    assert_eq!(check(schema), json!({ "city": "Rome", "guests": 4, "name": "Ada" }));
}

#[test]
fn nested_values_fit() {
    check(json!({
        "type": "object",
        "properties": {
            "id": { "type": "string", "format": "uuid" },
            "state": { "enum": ["open", "closed", null] },
            "kind": { "const": "order" },
            "lines": {
                "type": "array", "minItems": 1, "maxItems": 3,
                "items": {
                    "type": "object", "required": ["sku", "count"], "additionalProperties": false,
                    "properties": {
                        "sku": { "type": "string", "minLength": 8, "maxLength": 10 },
                        "count": { "type": "integer", "minimum": 1, "maximum": 9 },
                        "price": { "type": ["number", "null"], "exclusiveMinimum": 0 },
                    },
                },
            },
            "pair": { "type": "array", "prefixItems": [{ "type": "string" }, { "type": "boolean" }], "items": false },
            "tags": { "type": "array", "uniqueItems": true, "minItems": 3, "items": { "type": "string" } },
            "extra": { "type": "object", "minProperties": 2, "additionalProperties": { "type": "integer" } },
        },
        "required": ["id", "state", "kind", "lines", "pair", "tags", "extra"],
    }));
}

#[test]
fn numbers_are_within_their_bounds() {
    for schema in [
        json!({ "type": "integer", "minimum": 100 }),
        json!({ "type": "integer", "maximum": -100 }),
        json!({ "type": "integer", "minimum": 3, "maximum": 3 }),
        json!({ "type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5 }),
        json!({ "type": "integer", "minimum": 1, "maximum": 100, "multipleOf": 7 }),
        json!({ "type": "integer", "minimum": -9_000_000_000_000_000_i64, "maximum": -8_999_999_999_999_990_i64 }),
        json!({ "type": "number", "minimum": 0.1, "maximum": 0.2 }),
        json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001 }),
        json!({ "type": "number", "multipleOf": 0.25, "minimum": 0.3 }),
        json!({ "minimum": 5 }),
    ] {
        check(schema);
    }
}

#[test]
fn combinations_and_references_are_followed() {
    check(json!({
        "$defs": {
            "base": { "type": "object", "required": ["id"], "properties": { "id": { "type": "integer" } } },
            "email": { "type": "object", "required": ["to"], "properties": { "type": { "const": "email" }, "to": { "type": "string", "format": "email" } } },
            "note": { "type": "object", "required": ["text"], "properties": { "type": { "const": "note" }, "text": { "type": "string" } } },
        },
        "allOf": [{ "$ref": "#/$defs/base" }, { "required": ["action"] }],
        "properties": { "action": { "anyOf": [{ "$ref": "#/$defs/email" }, { "$ref": "#/$defs/note" }, { "type": "null" }] } },
    }));
}

#[test]
fn recursive_schemas_end() {
    let tree = check(json!({
        "$defs": { "node": {
            "type": "object", "required": ["value", "children", "next"], "additionalProperties": false,
            "properties": {
                "value": { "type": "integer" },
                "children": { "type": "array", "items": { "$ref": "#/$defs/node" } },
                "next": { "anyOf": [{ "$ref": "#/$defs/node" }, { "type": "null" }] },
            },
        } },
        "$ref": "#/$defs/node",
    }));
    assert!(tree.to_string().len() < 100_000);
    let of_root = json!({ "type": "object", "properties": { "next": { "$ref": "#" } } });
    check(of_root);
    for endless in [
        json!({ "$ref": "#" }),
        json!({ "allOf": [{ "$ref": "#" }, { "$ref": "#" }] }),
        json!({ "type": "array", "minItems": 150, "items": { "$ref": "#" } }),
        json!({ "type": "object", "required": ["a", "b"], "properties": { "a": { "$ref": "#" }, "b": { "$ref": "#" } } }),
        json!({ "type": "array", "minItems": 1_000_000_000_u64, "items": { "type": "string", "minLength": 1_000_000_000_u64 } }),
    ] {
        assert!(made(&endless).to_string().len() < 10_000_000, "{endless}");
    }
}

#[test]
fn anything_is_a_schema() {
    for odd in [
        json!(true),
        json!(false),
        json!(null),
        json!([]),
        json!({ "type": "widget" }),
        json!({ "enum": [] }),
        json!({ "anyOf": [] }),
        json!({ "$ref": "#/missing" }),
        json!({ "$ref": "https://example.com/schema" }),
        json!({ "type": "integer", "minimum": 9, "maximum": 1 }),
        json!({ "type": "number", "multipleOf": 0 }),
        json!({ "type": "string", "pattern": "(?=a)b(" }),
    ] {
        made(&odd);
    }
    assert_eq!(object(&json!({ "type": "string" }), &mut Hints::of(""), &mut Rng::with_seed(1)), json!({}));
}

#[test]
fn texts_match_simple_patterns() {
    let text =
        |pattern: &str| check(json!({ "type": "string", "pattern": pattern })).as_str().unwrap().to_owned();
    let is = |text: &str, fits: fn(char) -> bool, length: usize| {
        text.chars().count() == length && text.chars().all(fits)
    };
    assert!(is(&text(r"^\d{3}$"), |c| c.is_ascii_digit(), 3));
    assert!(is(&text("^[A-Z]{2,4}$"), |c| c.is_ascii_uppercase(), 2));
    assert_eq!(text("^(?:ab|ab)c?$"), "abc");
    assert_eq!(text(r"^v1\.0-x$"), "v1.0-x");
    let date = text(r"^\d{4}-\d{2}-\d{2}$");
    assert!(date.len() == 10 && date.as_bytes()[4] == b'-', "{date}");
    assert!(!text("^[^a-z]$").contains(|c: char| c.is_ascii_lowercase()));
    assert!(
        ["a-b", "-", "]"].iter().all(|_| text(r"^[\w-]+$").chars().all(|c| c == '-' || c.is_alphanumeric()))
    );
    for unsupported in ["(?=a)b", "(a", "a)", "[a", r"\1", "a{2", "*", "(?<!x)y"] {
        assert_eq!(pattern::matching(unsupported, &mut Rng::with_seed(1)), None, "{unsupported}");
    }
}

/// Schemas of which every value that is built fits.
fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({ "type": "null" })),
        Just(json!({ "type": "boolean" })),
        (-50_i64..50, 0_i64..50).prop_map(
            |(least, span)| json!({ "type": "integer", "minimum": least, "maximum": least + span })
        ),
        (-50.0..50.0, 0.5..50.0)
            .prop_map(|(least, span)| json!({ "type": "number", "minimum": least, "maximum": least + span })),
        (0_usize..9, 0_usize..9).prop_map(
            |(least, more)| json!({ "type": "string", "minLength": least, "maxLength": least + more })
        ),
        prop::collection::vec("[a-c]{0,3}", 1..4).prop_map(|options| json!({ "enum": options })),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            (inner.clone(), 0_usize..4, 0_usize..3).prop_map(|(items, least, more)| {
                json!({ "type": "array", "items": items, "minItems": least, "maxItems": least + more })
            }),
            (prop::collection::btree_map("[a-e]", inner.clone(), 0..4), any::<bool>()).prop_map(|(properties, all)| {
                let required: Vec<&String> = properties.keys().filter(|name| all || *name < &"c".to_owned()).collect();
                json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
            }),
            prop::collection::vec(inner, 1..4).prop_map(|branches| json!({ "anyOf": branches })),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_fits_its_schema(schema in schemas(), seed: u64, prompt in "[A-Za-z0-9 .]{0,30}") {
        let value = value(&schema, &mut Hints::of(&prompt), &mut Rng::with_seed(seed));
        prop_assert_eq!(misfit(&schema, &schema, &value), None, "{} {}", schema, value);
    }

    #[test]
    fn no_pattern_is_too_much(pattern in ".{0,40}", seed: u64) {
        pattern::matching(&pattern, &mut Rng::with_seed(seed));
    }
}
