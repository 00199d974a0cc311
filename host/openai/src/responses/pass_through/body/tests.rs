use proptest::prelude::*;

use super::*;

fn parse(body: &str) -> ResponsesBody {
    ResponsesBody::parse(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

#[track_caller]
fn check(body: &str, limit: Option<u32>, expected: &str) {
    assert_eq!(parse(body).body_for("m\"2", limit).concat(), expected.as_bytes());
}

#[test]
fn a_call_sets_the_model_and_nothing_else() {
    check(
        r#"{ "input" : "x", "model" : "m" , "unknown":[1.0, {"b":1,"a":2}]}"#,
        None,
        r#"{ "input" : "x", "model" : "m\"2" , "unknown":[1.0, {"b":1,"a":2}]}"#,
    );
}

#[test]
fn the_lower_limit_takes_precedence() {
    check(r#"{"model":"m","max_output_tokens":50}"#, Some(20), r#"{"model":"m\"2","max_output_tokens":20}"#);
    check(r#"{"max_output_tokens":50,"model":"m"}"#, Some(20), r#"{"max_output_tokens":20,"model":"m\"2"}"#);
    check(r#"{"model":"m","max_output_tokens":10}"#, Some(20), r#"{"model":"m\"2","max_output_tokens":10}"#);
    check(
        r#"{"model":"m","max_output_tokens":null}"#,
        Some(20),
        r#"{"model":"m\"2","max_output_tokens":20}"#,
    );
    check(r#"{"model":"m","input":"x"}"#, Some(20), r#"{"model":"m\"2","max_output_tokens":20,"input":"x"}"#);
}

#[test]
fn members_about_kept_state_are_read() {
    let body = parse(
        r#"{"model":"m","stream":true,"previous_response_id":"resp_1","background":true,"store":false,"conversation":{"id":"conv_1"}}"#,
    );
    assert_eq!(body.previous_response_id.as_deref(), Some("resp_1"));
    assert_eq!(body.conversation.as_deref(), Some("conv_1"));
    assert_eq!((body.streaming, body.is_background, body.store), (true, true, Some(false)));
    assert_eq!(parse(r#"{"model":"m","conversation":"conv_2"}"#).conversation.as_deref(), Some("conv_2"));
}

#[test]
fn a_large_body_is_not_copied() {
    let body = format!(r#"{{"model":"m","input":"{}"}}"#, "x".repeat(20_000));
    let body = parse(&body);
    let pieces = body.body_for("n", None);
    assert_eq!(pieces.len(), 3);
    assert_eq!(pieces[2].as_ptr(), body.bytes()[12..].as_ptr());
}

#[test]
fn an_invalid_member_is_named() {
    let parameter = |body: &str| {
        ResponsesBody::parse(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap_err()
            .parameter
            .unwrap_or_default()
    };
    assert_eq!(parameter(r#"{"input":"x"}"#), "model");
    assert_eq!(parameter(r#"{"model":1}"#), "model");
    assert_eq!(parameter(r#"{"model":"m","max_output_tokens":-1}"#), "max_output_tokens");
    assert_eq!(parameter(r#"{"model":"m","conversation":{}}"#), "conversation.id");
}

proptest! {
    #[test]
    fn all_other_bytes_survive(before in "[a-z \\\\\"]{0,20}", after in "[a-z \\\\\"]{0,20}", model in ".{0,10}") {
        let quote = |text: &str| serde_json::to_string(text).unwrap();
        let body = |model: &str| {
            format!("{{\"a\": {}, \"model\": {}, \"z\" :{}}}", quote(&before), quote(model), quote(&after))
        };
        let parsed = parse(&body("m"));
        prop_assert_eq!(parsed.body_for(&model, None).concat(), body(&model).into_bytes());
    }
}
