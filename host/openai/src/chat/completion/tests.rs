use crate::chat::parse_answer;
use crate::form::{Citation, Part, StopReason};

use super::*;

fn identity() -> AnswerIdentity {
    AnswerIdentity { id: "d1".to_owned(), created: 7, model: "m".to_owned() }
}

fn render(answer: &ConversationAnswer) -> serde_json::Value {
    let body = render_answer(answer, &identity(), Usage::counted(3, 4));
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn an_answer_has_all_required_members() {
    let answer = ConversationAnswer { parts: vec![Part::text("hi")], ..ConversationAnswer::default() };
    let body = render_answer(&answer, &identity(), Usage::counted(3, 4));
    let expected = concat!(
        r#"{"id":"chatcmpl-d1","object":"chat.completion","created":7,"model":"m","choices":[{"index":0,"#,
        r#""message":{"role":"assistant","content":"hi","refusal":null},"logprobs":null,"finish_reason":"stop"}],"#,
        r#""usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"#,
        r#""prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}"#
    );
    assert_eq!(body, expected);
}

#[test]
fn a_round_trip_keeps_the_message() {
    let message = r#"{"role":"assistant","content":"hi","refusal":null,"reasoning_content":"hm",
        "reasoning_details":[
            {"type":"reasoning.text","text":"hm","signature":"S","format":"anthropic-claude-v1","index":0},
            {"type":"reasoning.encrypted","data":"E","format":"anthropic-claude-v1","index":1}],
        "tool_calls":[
            {"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\": 1}"},"extra_content":{"google":{"thought_signature":"G"}}},
            {"id":"b","type":"custom","custom":{"name":"g","input":"t"}}],
        "annotations":[{"type":"url_citation","url_citation":{"start_index":0,"end_index":1,"title":"t","url":"u"}}],
        "images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}],
        "extra_content":{"google":{"thought_signature":"H"}}}"#;
    let body =
        format!(r#"{{"model":"n","created":9,"choices":[{{"message":{message},"finish_reason":"stop"}}]}}"#);
    let rendered = render(&parse_answer(body.as_bytes()).unwrap());
    let expected: serde_json::Value = serde_json::from_str(message).unwrap();
    assert_eq!(rendered["choices"][0]["message"], expected);
    assert_eq!(rendered["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!((&rendered["model"], &rendered["created"]), (&"n".into(), &9.into()));
}

#[test]
fn a_citation_covers_the_text_that_has_it() {
    let citation = |url: Option<&str>| Citation { url: url.map(str::to_owned), ..Citation::default() };
    let text = |text: &str, citations| Part::new(PartContent::Text { text: text.to_owned(), citations });
    let answer = ConversationAnswer {
        parts: vec![text("é.", vec![citation(None)]), text("two", vec![citation(Some("u"))])],
        ..ConversationAnswer::default()
    };
    let message = &render(&answer)["choices"][0]["message"];
    assert_eq!(message["content"], "é.two");
    let own = &message["annotations"][0]["url_citation"];
    assert_eq!((&own["start_index"], &own["end_index"], &own["url"]), (&2.into(), &5.into(), &"u".into()));
    assert_eq!(message["annotations"].as_array().unwrap().len(), 1);
}

#[test]
fn every_reason_to_stop_has_a_name_of_this_api() {
    let reason = |stop: StopReason| {
        let answer = ConversationAnswer { stop, ..ConversationAnswer::default() };
        render(&answer)["choices"][0]["finish_reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(reason(StopReason::ContextWindow), "length");
    assert_eq!(reason(StopReason::Refusal), "content_filter");
    assert_eq!(reason(StopReason::Pause), "stop");
    assert_eq!(reason(StopReason::Other("odd".to_owned())), "stop");
}
