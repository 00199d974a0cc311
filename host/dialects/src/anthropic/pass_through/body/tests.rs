use proptest::prelude::*;

use super::*;
use crate::anthropic::parse_request;

fn body_for(body: &str, name: &str, limit: Option<u32>) -> String {
    let pieces =
        MessagesBody::parse(Bytes::copy_from_slice(body.as_bytes())).expect("a body").body_for(name, limit);
    String::from_utf8(pieces.concat()).expect("UTF-8")
}

#[test]
fn every_byte_but_the_name_survives() {
    let body = "{ \"new\" : [1.0, 2e5],\r\n\"model\" : \"cl\\u0061ude\" ,\"max_tokens\":100,\"messages\":[]}";
    let expected = body.replace("\"cl\\u0061ude\"", "\"up\\\"stream\"");
    assert_eq!(body_for(body, "up\"stream", None), expected);
    assert_eq!(body_for(body, "up\"stream", Some(100)), expected);
    assert_eq!(body_for(body, "up\"stream", Some(200)), expected);
}

#[test]
fn a_lower_limit_replaces_that_of_the_client() {
    let body = r#"{"max_tokens":100,"model":"m","messages":[]}"#;
    assert_eq!(body_for(body, "n", Some(99)), r#"{"max_tokens":99,"model":"n","messages":[]}"#);
    assert_eq!(body_for(r#"{"model":"m"}"#, "n", Some(99)), r#"{"model":"n"}"#);
}

#[test]
fn a_budget_stays_below_a_lower_limit() {
    let body = r#"{"thinking":{"type":"enabled","budget_tokens":9000},"max_tokens":10000,"model":"m"}"#;
    let expected = r#"{"thinking":{"type":"enabled","budget_tokens":6000},"max_tokens":8000,"model":"m"}"#;
    assert_eq!(body_for(body, "m", Some(8000)), expected);
    assert_eq!(body_for(body, "m", Some(9001)), body.replace("10000", "9001"));
}

#[test]
fn a_large_body_is_not_copied() {
    let body = format!(r#"{{"model":"m","max_tokens":9,"x":"{}"}}"#, "y".repeat(16 * 1024));
    let body = MessagesBody::parse(body.into()).expect("a body");
    let pieces = body.body_for("n", None);
    let last = pieces.last().expect("a piece");
    let within = body.bytes().as_ptr_range();
    assert!(within.contains(&last.as_ptr()));
}

#[test]
fn a_body_without_a_model_is_rejected() {
    let parse = |body: &'static str| MessagesBody::parse(Bytes::from_static(body.as_bytes()));
    assert_eq!(parse(r#"{"max_tokens":1}"#).expect_err("no model").parameter.as_deref(), Some("model"));
    assert_eq!(parse(r#"{"model":1}"#).expect_err("no text").parameter.as_deref(), Some("model"));
    assert!(parse("[]").is_err());
}

#[test]
fn reasoning_of_another_family_is_recognized() {
    let request = |block: &str| {
        let body = format!(
            r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"assistant","content":[
                {{"type":"text","text":"a"}},{block}]}}]}}"#
        );
        parse_request(body.as_bytes()).expect("a request").0
    };
    for (block, is_foreign) in [
        (r#"{"type":"thinking","thinking":"t","signature":"EqQ"}"#, false),
        (r#"{"type":"redacted_thinking","data":"EqQ"}"#, false),
        (r#"{"type":"thinking","thinking":"t","signature":""}"#, true),
        (r#"{"type":"thinking","thinking":"t","signature":"gemini:x"}"#, true),
        (r#"{"type":"redacted_thinking","data":"gemini:x"}"#, true),
        (r#"{"type":"redacted_thinking","data":"openai:x"}"#, true),
    ] {
        assert_eq!(has_foreign_reasoning(&request(block)), is_foreign, "{block}");
    }
}

proptest! {
    #[test]
    fn a_body_differs_in_its_name_alone(
        before in "[ \t\r\n]{0,3}", name in "\\PC{0,8}", upstream in "\\PC{0,8}", rest in "[a-z0-9]{0,20}",
    ) {
        let quoted = serde_json::to_string(&name).expect("JSON");
        let body = |name: &str| format!(r#"{before}{{"a":"{rest}","model":{before}{name},"b":1.50}}"#);
        let expected = body(&serde_json::to_string(&upstream).expect("JSON"));
        prop_assert_eq!(body_for(&body(&quoted), &upstream, None), expected);
    }
}
