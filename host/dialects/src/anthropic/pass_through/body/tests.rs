use super::*;
use crate::anthropic::parse_request;

fn body_for(body: &str, name: &str, limit: Option<u32>) -> String {
    let pieces =
        MessagesBody::parse(&Bytes::copy_from_slice(body.as_bytes())).expect("a body").body_for(name, limit);
    String::from_utf8(pieces.concat()).expect("UTF-8")
}

#[test]
fn a_lower_limit_replaces_that_of_the_client() {
    let body = r#"{"max_tokens":100,"model":"m","messages":[]}"#;
    assert_eq!(body_for(body, "n", Some(99)), r#"{"max_tokens":99,"model":"n","messages":[]}"#);
}

#[test]
fn a_budget_stays_below_a_lower_limit() {
    let body = r#"{"thinking":{"type":"enabled","budget_tokens":9000},"max_tokens":10000,"model":"m"}"#;
    let expected = r#"{"thinking":{"type":"enabled","budget_tokens":6000},"max_tokens":8000,"model":"m"}"#;
    assert_eq!(body_for(body, "m", Some(8000)), expected);
    assert_eq!(body_for(body, "m", Some(9001)), body.replace("10000", "9001"));
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
