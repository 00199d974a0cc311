use super::*;
use crate::form::ProviderErrorKind;

fn read(events: &[&str]) -> Vec<AnswerEvent> {
    let mut reader = MessagesStreamReader::new();
    let mut read = Vec::new();
    for event in events {
        reader.read(event.as_bytes(), &mut read);
    }
    reader.finish(&mut read);
    read
}

fn text(text: &str) -> AnswerEvent {
    AnswerEvent::Delta(PartDelta::Text(text.to_owned()))
}

fn signature(value: &str) -> Signature {
    Signature { origin: SignatureOrigin::Anthropic, value: value.to_owned() }
}

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","model":"claude","content":[]}}"#;
const END: &str = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#;

#[test]
fn blocks_become_parts() {
    let events = read(&[
        START,
        r#"{"type":"ping"}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"t"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"s"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"d"}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"1","name":"f","input":{}}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
        r#"{"type":"content_block_stop","index":2}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"X"}}"#,
        r#"{"type":"message_stop"}"#,
        r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"late"}}"#,
    ]);
    let start = AnswerStart { id: "msg_1".to_owned(), created: None, model: "claude".to_owned() };
    let call = PartStart::ToolCall { id: "1".to_owned(), name: "f".to_owned(), takes_text: false };
    let reasoning = || AnswerEvent::PartStart(PartStart::Reasoning { is_summary: false });
    let expected = [
        AnswerEvent::Start(start),
        reasoning(),
        text("t"),
        AnswerEvent::Delta(PartDelta::Signature(signature("s"))),
        AnswerEvent::PartEnd,
        reasoning(),
        AnswerEvent::Delta(PartDelta::Encrypted(signature("d"))),
        AnswerEvent::PartEnd,
        AnswerEvent::PartStart(call),
        AnswerEvent::Delta(PartDelta::ToolInput("{}".to_owned())),
        AnswerEvent::PartEnd,
        AnswerEvent::Stop(StopReason::StopSequence(Some("X".to_owned()))),
        AnswerEvent::Done,
    ];
    assert_eq!(events, expected);
}

#[test]
fn beginnings_and_ends_that_are_left_out_follow_from_the_rest() {
    let events = read(&[
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"1","name":"f","input":{"x":1}}}"#,
        "not JSON",
        r#"{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"t"}}"#,
        END,
    ]);
    let call = PartStart::ToolCall { id: "1".to_owned(), name: "f".to_owned(), takes_text: false };
    let expected = [
        AnswerEvent::Start(AnswerStart::default()),
        AnswerEvent::PartStart(PartStart::Text),
        text("a"),
        AnswerEvent::PartEnd,
        AnswerEvent::PartStart(call),
        AnswerEvent::Delta(PartDelta::ToolInput(r#"{"x":1}"#.to_owned())),
        AnswerEvent::PartEnd,
        AnswerEvent::PartStart(PartStart::Reasoning { is_summary: false }),
        text("t"),
        AnswerEvent::PartEnd,
        AnswerEvent::Stop(StopReason::Complete),
        AnswerEvent::Done,
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_block_of_the_provider_is_whole_at_its_end() {
    let events = read(&[
        START,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"1","input":{},"name":"web_search"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"query\":"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"\"x\"}"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        END,
    ]);
    let AnswerEvent::PartStart(PartStart::Provider(part)) = &events[1] else { panic!("{events:?}") };
    let expected = r#"{"type":"server_tool_use","id":"1","input":{"query":"x"},"name":"web_search"}"#;
    assert_eq!((part.value.get(), part.weight), (expected, crate::form::LossWeight::Advisory));
    assert_eq!(events[2], AnswerEvent::PartEnd);
}

#[test]
fn an_error_ends_the_stream() {
    let events =
        read(&[START, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, END]);
    let AnswerEvent::Error(error) = &events[1] else { panic!("{events:?}") };
    assert_eq!((error.kind, error.status), (ProviderErrorKind::Overloaded, 529));
    assert_eq!(events.len(), 2);
}

#[test]
fn a_stream_that_breaks_off_is_not_done() {
    let events = read(&[START, r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}"#]);
    assert_eq!(events.last(), Some(&AnswerEvent::PartEnd));
}
