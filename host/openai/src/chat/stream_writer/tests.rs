use pointsman_domain::serving_error::ErrorKind;

use super::*;
use crate::chat::{ChatStreamReader, parse_answer, render_answer};
use crate::form::{AnswerStart, StreamReader};

fn writer(wants_usage: bool) -> ChatStreamWriter {
    let identity = AnswerIdentity { id: "d1".to_owned(), created: 7, model: "m".to_owned() };
    ChatStreamWriter::new(identity, wants_usage)
}

/// Renders a stream of these events, and returns the deltas of its chunks.
fn deltas(events: &[AnswerEvent]) -> Vec<String> {
    let mut out = Vec::new();
    let mut writer = writer(false);
    events.iter().for_each(|event| writer.write(event, &mut out));
    let text = String::from_utf8(out).unwrap();
    let chunks = text.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap());
    let delta = |chunk: &str| {
        let start = chunk.find(r#""delta":"#).unwrap() + 8;
        chunk[start..chunk.find(r#","finish_reason""#).unwrap()].to_owned()
    };
    chunks.map(delta).collect()
}

fn text(text: &str) -> AnswerEvent {
    AnswerEvent::Delta(PartDelta::Text(text.to_owned()))
}

#[test]
fn a_stream_begins_with_the_role_and_ends_with_usage_and_done() {
    let mut out = Vec::new();
    let mut writer = writer(true);
    writer.write(&AnswerEvent::Start(AnswerStart::default()), &mut out);
    writer.write(&AnswerEvent::PartStart(PartStart::Text), &mut out);
    writer.write(&text("hi"), &mut out);
    writer.write(&AnswerEvent::PartEnd, &mut out);
    writer.end(&StopReason::Complete, Usage::counted(1, 2), &mut out);
    let head =
        r#"data: {"id":"chatcmpl-d1","object":"chat.completion.chunk","created":7,"model":"m","choices":["#;
    let expected = [
        r#"{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
        r#"{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}"#,
        r#"{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        r#"],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}"#,
    ];
    let expected: String = expected.map(|rest| format!("{head}{rest}\n\n")).concat() + "data: [DONE]\n\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn calls_are_numbered_and_have_arguments() {
    let call = |id: &str, takes_text| {
        let (id, name) = (id.to_owned(), "f".to_owned());
        AnswerEvent::PartStart(PartStart::ToolCall { id, name, takes_text })
    };
    let input = |input: &str| AnswerEvent::Delta(PartDelta::ToolInput(input.to_owned()));
    let events = [
        call("a", false),
        input("{"),
        input("}"),
        AnswerEvent::PartEnd,
        call("b", true),
        input("x"),
        AnswerEvent::PartEnd,
        call("c", false),
        AnswerEvent::PartEnd,
    ];
    assert_eq!(
        deltas(&events),
        [
            r#"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}"#,
            r#"{"tool_calls":[{"index":1,"id":"b","type":"custom","custom":{"name":"f","input":""}}]}"#,
            r#"{"tool_calls":[{"index":1,"custom":{"input":"x"}}]}"#,
            r#"{"tool_calls":[{"index":2,"id":"c","type":"function","function":{"name":"f","arguments":""}}]}"#,
            r#"{"tool_calls":[{"index":2,"function":{"arguments":"{}"}}]}"#,
        ]
    );
}

#[test]
fn reasoning_has_details_for_its_signature() {
    let signature = |origin, value: &str| Signature { origin, value: value.to_owned() };
    let start = || AnswerEvent::PartStart(PartStart::Reasoning { is_summary: false });
    let events = [
        start(),
        text("h"),
        text("m"),
        AnswerEvent::Delta(PartDelta::Signature(signature(crate::form::SignatureOrigin::Anthropic, "S"))),
        AnswerEvent::PartEnd,
        start(),
        text("x"),
        AnswerEvent::PartEnd,
    ];
    assert_eq!(
        deltas(&events),
        [
            r#"{"reasoning_content":"h","reasoning_details":[{"type":"reasoning.text","text":"h","index":0}]}"#,
            r#"{"reasoning_content":"m","reasoning_details":[{"type":"reasoning.text","text":"m","index":0}]}"#,
            r#"{"reasoning_details":[{"type":"reasoning.text","signature":"S","format":"anthropic-claude-v1","index":0}]}"#,
            r#"{"reasoning_content":"\n\nx","reasoning_details":[{"type":"reasoning.text","text":"x","index":1}]}"#,
        ]
    );
}

#[test]
fn an_error_ends_a_stream() {
    let mut out = Vec::new();
    writer(false).error(&ServingError::new(ErrorKind::StreamBroken, "m"), &mut out);
    assert!(out.starts_with(br#"data: {"error":{"message":"m""#));
}

/// A stream that is read and written again is read as the same events.
#[test]
fn a_round_trip_keeps_the_events() {
    let message = r#"{"content":"hi","reasoning_content":"hm",
        "reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"S","format":"anthropic-claude-v1","index":0}],
        "tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\": 1}"},"extra_content":{"google":{"thought_signature":"G"}}}],
        "annotations":[{"type":"url_citation","url_citation":{"start_index":0,"end_index":1,"title":"t","url":"u"}}]}"#;
    let chunk = format!(
        r#"{{"id":"chatcmpl-d1","created":7,"model":"m","choices":[{{"delta":{message},"finish_reason":"stop"}}]}}"#
    );
    let read = |chunks: &[&str]| {
        let mut events = Vec::new();
        let mut reader = ChatStreamReader::new();
        chunks.iter().for_each(|chunk| reader.read(chunk.as_bytes(), &mut events));
        reader.finish(&mut events);
        events
    };
    let first = read(&[&chunk]);
    let mut out = Vec::new();
    let mut writer = writer(false);
    first.iter().for_each(|event| writer.write(event, &mut out));
    writer.end(&StopReason::ToolCalls, Usage::default(), &mut out);
    let written = String::from_utf8(out).unwrap();
    let chunks: Vec<_> = written.split_terminator("\n\n").map(|event| &event[6..]).collect();
    let second = read(&chunks);
    assert_eq!(format!("{second:#?}"), format!("{first:#?}"));
    let answer = parse_answer(chunk.replace("delta", "message").as_bytes()).unwrap();
    let identity = AnswerIdentity { id: "d1".to_owned(), created: 7, model: "m".to_owned() };
    let whole = render_answer(&answer, &identity, Usage::default());
    assert_eq!(parse_answer(&whole).unwrap().parts, answer.parts);
}
