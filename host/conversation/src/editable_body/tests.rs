use proptest::prelude::*;

use super::*;

fn parse(body: &str) -> Result<EditableBody, ServingError> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    EditableBody::find(&body, &mut ObjectMembers::parse_request(&body)?, "max_tokens")
}

fn body_for(body: &str, name: &str, limit: Option<u32>) -> String {
    let pieces = parse(body).unwrap().body_for(name, limit, BodyChanges::default());
    String::from_utf8(pieces.concat()).unwrap()
}

#[test]
fn every_byte_but_the_name_survives() {
    let body =
        "{ \"new\" : [1.0, 2e5],\r\n\"model\" : \"m\\u0061\" ,\"max_tokens\":100,\"x\":{\"b\":1,\"a\":2}}";
    let expected = body.replace("\"m\\u0061\"", "\"up\\\"stream\"");
    for limit in [None, Some(100), Some(200)] {
        assert_eq!(body_for(body, "up\"stream", limit), expected);
    }
}

#[test]
fn the_lower_limit_takes_precedence() {
    for (body, expected) in [
        (r#"{"model":"m","max_tokens":50}"#, r#"{"model":"n","max_tokens":20}"#),
        (r#"{"max_tokens":50,"model":"m"}"#, r#"{"max_tokens":20,"model":"n"}"#),
        (r#"{"model":"m","max_tokens":10}"#, r#"{"model":"n","max_tokens":10}"#),
        (r#"{"model":"m","max_tokens":-1}"#, r#"{"model":"n","max_tokens":20}"#),
        (r#"{"model":"m","max_tokens":null}"#, r#"{"model":"n","max_tokens":20}"#),
        (r#"{"model":"m","x":"x"}"#, r#"{"model":"n","max_tokens":20,"x":"x"}"#),
    ] {
        assert_eq!(body_for(body, "n", Some(20)), expected);
    }
}

#[test]
fn further_changes_are_made_at_their_places() {
    let body = parse(r#"{"a":1,"model":"m","b":2}"#).unwrap();
    let changes =
        BodyChanges { edits: vec![(5..6, Bytes::from_static(b"3"))], added: r#","c":4"#.to_owned() };
    assert_eq!(body.body_for("n", None, changes).concat(), br#"{"a":3,"model":"n","c":4,"b":2}"#);
}

#[test]
fn a_large_body_is_not_copied() {
    let body = parse(&format!(r#"{{"model":"m","x":"{}"}}"#, "x".repeat(20_000))).unwrap();
    let pieces = body.body_for("n", None, BodyChanges::default());
    assert!(body.bytes().as_ptr_range().contains(&pieces.last().unwrap().as_ptr()));
}

#[test]
fn a_body_without_a_model_is_rejected() {
    let parameter = |body: &str| parse(body).unwrap_err().parameter.unwrap_or_default();
    assert_eq!(parameter(r#"{"input":"x"}"#), "model");
    assert_eq!(parameter(r#"{"model":1}"#), "model");
}

proptest! {
    #[test]
    fn a_body_differs_in_its_name_alone(
        space in "[ \t\r\n]{0,3}", before in "[a-z \\\\\"]{0,20}", name in "\\PC{0,8}", upstream in ".{0,8}",
    ) {
        let quote = |text: &str| serde_json::to_string(text).unwrap();
        let body = |name: &str| {
            format!("{space}{{\"a\":{},\"model\":{space}{},\"b\" :1.50}}", quote(&before), quote(name))
        };
        prop_assert_eq!(body_for(&body(&name), &upstream, None), body(&upstream));
    }
}
