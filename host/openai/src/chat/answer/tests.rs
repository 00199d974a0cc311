use pointsman_domain::usage::Usage;

use super::*;
use crate::form::{MediaSource, Reasoning, SignatureOrigin, ToolCall, ToolInput};

/// Parses an answer with this message.
fn with_message(message: &str) -> ConversationAnswer {
    let body = format!(
        r#"{{"id":"chatcmpl-1","created":5.0,"model":"m","choices":[{{"index":0,"message":{message},"finish_reason":"stop"}}]}}"#
    );
    parse_answer(body.as_bytes()).unwrap()
}

fn reasoning(text: &str) -> Part {
    Part::new(PartContent::Reasoning(Reasoning { text: text.to_owned(), ..Reasoning::default() }))
}

fn call(id: &str, name: &str, input: ToolInput) -> Part {
    Part::new(PartContent::ToolCall(ToolCall { id: id.to_owned(), name: name.to_owned(), input }))
}

#[test]
fn an_answer_has_its_head_and_its_text() {
    let answer = with_message(r#"{"role":"assistant","content":"hi","refusal":null}"#);
    assert_eq!((&*answer.id, answer.created, &*answer.model), ("chatcmpl-1", Some(5), "m"));
    assert_eq!((answer.parts, answer.stop), (vec![Part::text("hi")], StopReason::Complete));
}

#[test]
fn reasoning_is_read_from_the_members_of_all_providers() {
    for message in [
        r#"{"content":"hi","reasoning_content":"hm"}"#,
        r#"{"content":"hi","reasoning":"hm"}"#,
        r#"{"content":"hi","reasoning":"hm","reasoning_content":"hm"}"#,
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"h"},{"type":"text","text":"m"}]},{"type":"text","text":"hi"}]}"#,
    ] {
        assert_eq!(with_message(message).parts, [reasoning("hm"), Part::text("hi")], "{message}");
    }
    let signed = with_message(
        r#"{"content":"hi","reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"S","format":"anthropic-claude-v1"}]}"#,
    );
    let signature = signed.parts[0].signature.as_ref().unwrap();
    assert_eq!((signature.origin, &*signature.value), (SignatureOrigin::Anthropic, "S"));
    assert_eq!(signed.parts.len(), 2);
}

#[test]
fn calls_of_tools_end_an_answer_that_says_stop() {
    let answer = with_message(
        r#"{"content":"","tool_calls":[
            {"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1.0}"}},
            {"index":1,"function":{"name":"g","arguments":{"y": 2}}},
            {"id":"c","type":"custom","custom":{"name":"h","input":"t"}},
            {"id":"d","type":"function","function":{"name":"i","arguments":"{}"},"custom":{"name":"","input":""},
             "extra_content":{"google":{"thought_signature":"G"}}}]}"#,
    );
    assert_eq!(answer.stop, StopReason::ToolCalls);
    let signature = answer.parts[3].signature.clone().map(|signature| signature.value);
    assert_eq!(signature.as_deref(), Some("G"));
    assert_eq!(
        answer.parts[..3],
        [
            call("a", "f", ToolInput::Json(r#"{"x":1.0}"#.to_owned())),
            call("call_chatcmpl1_1", "g", ToolInput::Json(r#"{"y": 2}"#.to_owned())),
            call("c", "h", ToolInput::Text("t".to_owned())),
        ]
    );
}

#[test]
fn other_content_is_read() {
    let refused = with_message(r#"{"content":null,"refusal":"no"}"#);
    assert_eq!(refused.parts, [Part::new(PartContent::Refusal("no".to_owned()))]);
    assert_eq!(refused.stop, StopReason::Refusal);
    let spoken = with_message(r#"{"content":null,"audio":{"id":"a","data":"AAAA","transcript":"hi"}}"#);
    assert_eq!(spoken.text(), "hi");
    let drawn = with_message(
        r#"{"content":"","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}"#,
    );
    let source = MediaSource::Base64 { media_type: "image/png".to_owned(), data: "AAAA".to_owned() };
    assert_eq!(drawn.parts, [Part::new(PartContent::Image { source, detail: None })]);
    let legacy = with_message(r#"{"content":null,"function_call":{"name":"f","arguments":"{}"}}"#);
    assert_eq!(legacy.stop, StopReason::ToolCalls);
}

#[test]
fn sources_are_read() {
    let citations = |answer: &ConversationAnswer| match &answer.parts[0].content {
        PartContent::Text { citations, .. } => {
            citations.iter().map(|citation| (citation.url.clone().unwrap(), citation.answer_range)).collect()
        }
        _ => Vec::new(),
    };
    let annotated = with_message(
        r#"{"content":"hi","annotations":[{"type":"url_citation","url_citation":{"start_index":0,"end_index":2,"title":"t","url":"u"}}]}"#,
    );
    assert_eq!(citations(&annotated), [("u".to_owned(), Some((0, 2)))]);
    let listed = br#"{"citations":["u"],"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
    assert_eq!(citations(&parse_answer(listed).unwrap()), [("u".to_owned(), None)]);
}

#[test]
fn an_answer_has_a_reason_to_stop() {
    let stop = |choice: &str| {
        let body = format!(r#"{{"choices":[{{"message":{{"content":"x"}},{choice}}}]}}"#);
        parse_answer(body.as_bytes()).unwrap().stop
    };
    assert_eq!(stop(r#""finish_reason":"length""#), StopReason::MaxTokens);
    assert_eq!(stop(r#""finish_reason":"content_filter""#), StopReason::ContentFilter);
    assert_eq!(stop(r#""finish_reason":"model_length""#), StopReason::ContextWindow);
    assert_eq!(stop(r#""finish_reason":"""#), StopReason::Complete);
    assert_eq!(stop(r#""finish_reason":null"#), StopReason::Complete);
    let sequence = StopReason::StopSequence(Some("END".to_owned()));
    assert_eq!(stop(r#""finish_reason":"stop","stop_reason":"END""#), sequence);
    assert_eq!(stop(r#""finish_reason":"stop","stop_reason":151645"#), StopReason::Complete);
    assert_eq!(stop(r#""finish_reason":"odd""#), StopReason::Other("odd".to_owned()));
}

#[test]
fn usage_is_read_from_all_members() {
    let usage = |members: &str| {
        let body =
            format!(r#"{{"choices":[{{"message":{{"content":"x"}},"finish_reason":"stop"}}],{members}}}"#);
        parse_answer(body.as_bytes()).unwrap().count.usage(0, 1)
    };
    let full = r#""usage":{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14,
        "prompt_tokens_details":{"cached_tokens":6,"cache_write_tokens":2},
        "completion_tokens_details":{"reasoning_tokens":3}}"#;
    let expected =
        Usage { cached_input_tokens: 6, cache_write_tokens: 2, reasoning_tokens: 3, ..Usage::counted(10, 4) };
    assert_eq!(usage(full), expected);
    assert_eq!(
        usage(r#""x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":2}}"#),
        Usage::counted(1, 2)
    );
    let hit = usage(r#""usage":{"prompt_tokens":9,"completion_tokens":1,"prompt_cache_hit_tokens":5}"#);
    assert_eq!(hit.cached_input_tokens, 5);
}

#[test]
fn a_body_that_is_no_answer_is_rejected() {
    let error = |body: &str| parse_answer(body.as_bytes()).unwrap_err();
    assert!(matches!(error("<html>"), InvalidAnswer::NotJson(_)));
    assert!(matches!(error("[]"), InvalidAnswer::WrongShape(_)));
    assert!(matches!(error(r#"{"choices":[]}"#), InvalidAnswer::WrongShape(_)));
    assert_eq!(error(r#"{"choices":[{"message":{"content":""}}]}"#), InvalidAnswer::Empty);
    let reported = error(r#"{"error":{"message":"busy","code":503},"choices":null}"#);
    let InvalidAnswer::Reported(reported) = reported else { panic!() };
    assert_eq!((reported.status, &*reported.message), (503, "busy"));
}
