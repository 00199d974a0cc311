use pointsman_domain::serving_error::ErrorKind;

use super::*;

fn writer() -> MessagesStreamWriter {
    let identity = AnswerIdentity { id: "1".to_owned(), created: 0, model: "m".to_owned() };
    MessagesStreamWriter::new(identity, 9)
}

fn signature(origin: SignatureOrigin) -> Signature {
    Signature { origin, value: "s".to_owned() }
}

/// Returns the events between the beginning and the end of a stream.
fn written(events: &[AnswerEvent]) -> Vec<String> {
    let (mut writer, mut out) = (writer(), Vec::new());
    for event in events {
        writer.write(event, &mut out);
    }
    writer.end(&StopReason::Complete, Usage::counted(9, 2), &mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    let mut events: Vec<_> = text.split_terminator("\n\n").map(str::to_owned).collect();
    for event in &events {
        let (name, data) = event.split_once('\n').expect("two lines");
        let kind = name.strip_prefix("event: ").expect("a name");
        assert!(data.starts_with(&format!(r#"data: {{"type":"{kind}""#)), "{event}");
    }
    assert!(events[0].contains(r#""usage":{"input_tokens":9,"#), "{}", events[0]);
    let data = |event: &String| event.split_once("\ndata: ").expect("data").1.to_owned();
    events.truncate(events.len() - 1);
    events[1..].iter().map(data).collect()
}

const END: &str = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":2}}"#;

#[test]
fn parts_become_blocks() {
    let text = |text: &str| AnswerEvent::Delta(PartDelta::Text(text.to_owned()));
    let call = PartStart::ToolCall { id: "c".to_owned(), name: "f".to_owned(), takes_text: false };
    let events = written(&[
        AnswerEvent::PartStart(PartStart::Reasoning { is_summary: true }),
        text("t"),
        AnswerEvent::Delta(PartDelta::Encrypted(signature(SignatureOrigin::OpenAi))),
        AnswerEvent::PartEnd,
        AnswerEvent::PartStart(PartStart::Reasoning { is_summary: false }),
        AnswerEvent::Delta(PartDelta::Encrypted(signature(SignatureOrigin::Anthropic))),
        AnswerEvent::PartEnd,
        AnswerEvent::PartStart(PartStart::Reasoning { is_summary: false }),
        AnswerEvent::PartEnd,
        AnswerEvent::PartStart(call),
        AnswerEvent::Delta(PartDelta::ToolInput("{}".to_owned())),
        AnswerEvent::Delta(PartDelta::Signature(signature(SignatureOrigin::Gemini))),
        AnswerEvent::PartEnd,
    ]);
    let expected = [
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"t"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"openai:s"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"s"}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"c","name":"f","input":{}}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
        r#"{"type":"content_block_stop","index":2}"#,
        r#"{"type":"content_block_start","index":3,"content_block":{"type":"redacted_thinking","data":"gemini:s"}}"#,
        r#"{"type":"content_block_stop","index":3}"#,
        &END.replace("end_turn", "tool_use"),
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_stream_without_content_is_complete() {
    assert_eq!(written(&[]), [END]);
}

#[test]
fn a_refusal_is_a_text_with_a_reason_of_its_own() {
    let refusal = AnswerEvent::Delta(PartDelta::Text("no".to_owned()));
    let events = written(&[AnswerEvent::PartStart(PartStart::Refusal), refusal, AnswerEvent::PartEnd]);
    assert!(events[1].contains(r#"{"type":"text_delta","text":"no"}"#), "{events:?}");
    assert_eq!(events[3], END.replace("end_turn", "refusal"));
}

#[test]
fn an_error_is_an_event_of_its_own() {
    let mut out = Vec::new();
    writer().error(&ServingError::new(ErrorKind::StreamBroken, "broken"), &mut out);
    let expected = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"broken\",\"details\":{\"error_code\":\"stream_broken\"}}}\n\n";
    assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
}
