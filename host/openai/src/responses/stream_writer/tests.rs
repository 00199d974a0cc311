use serde_json::{Value, json};

use super::*;
use crate::form::{AnswerStart, PartDelta, PartStart, Signature, SignatureOrigin};
use crate::responses::parse_request;

const REQUEST: &str = r#"{"model":"r","input":"x","tools":[{"type":"custom","name":"patch"}]}"#;

fn writer() -> ResponsesStreamWriter {
    let (_, echoed, _) = parse_request(REQUEST.as_bytes()).unwrap();
    let identity = AnswerIdentity { id: "1".to_owned(), created: 7, model: "m".to_owned() };
    ResponsesStreamWriter::new(identity, echoed)
}

fn text(text: &str) -> AnswerEvent {
    AnswerEvent::Delta(PartDelta::Text(text.to_owned()))
}

fn call(name: &str, takes_text: bool) -> AnswerEvent {
    AnswerEvent::PartStart(PartStart::ToolCall { id: "c".to_owned(), name: name.to_owned(), takes_text })
}

fn input(input: &str) -> AnswerEvent {
    AnswerEvent::Delta(PartDelta::ToolInput(input.to_owned()))
}

/// Returns the events as JSON, after a check of their lines and numbers.
fn parse(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    let blocks = text.split_terminator("\n\n");
    let events = blocks.enumerate().map(|(number, block)| {
        let (kind, data) = block.split_once('\n').unwrap();
        let event: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(Some(&*format!("event: {}", event["type"].as_str().unwrap())), Some(kind));
        assert_eq!(event["sequence_number"], number);
        event
    });
    events.collect()
}

fn write(events: &[AnswerEvent]) -> Vec<Value> {
    let mut writer = writer();
    let mut out = Vec::new();
    events.iter().for_each(|event| writer.write(event, &mut out));
    writer.end(&StopReason::Complete, Usage::counted(3, 2), &mut out);
    parse(&out)
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap().strip_prefix("response.").unwrap()).collect()
}

#[test]
fn a_text_is_streamed_in_a_message() {
    let start = AnswerStart { model: "m-1".to_owned(), ..AnswerStart::default() };
    let events = write(&[
        AnswerEvent::Start(start),
        AnswerEvent::PartStart(PartStart::Text),
        text("H"),
        text("i"),
        AnswerEvent::PartEnd,
    ]);
    let expected = [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ];
    assert_eq!(kinds(&events), expected);
    let response = &events[0]["response"];
    assert_eq!((&response["id"], &response["model"]), (&json!("resp_1"), &json!("m-1")));
    assert_eq!((&response["status"], &response["output"]), (&json!("in_progress"), &json!([])));
    let delta = json!({"type": "response.output_text.delta", "sequence_number": 5, "item_id": "msg_1_0",
        "output_index": 0, "content_index": 0, "delta": "i", "logprobs": []});
    assert_eq!(events[5], delta);
    assert_eq!(events[6]["text"], "Hi");
    assert_eq!(events[9]["response"]["output"], json!([events[8]["item"]]));
    assert_eq!(events[9]["response"]["usage"]["total_tokens"], 5);
}

#[test]
fn reasoning_precedes_calls_whose_input_is_streamed() {
    let signature = Signature { origin: SignatureOrigin::Anthropic, value: "s".to_owned() };
    let events = write(&[
        AnswerEvent::PartStart(PartStart::Reasoning { is_summary: true }),
        text("th"),
        text("ink"),
        AnswerEvent::Delta(PartDelta::Signature(signature)),
        AnswerEvent::PartEnd,
        call("f", false),
        input("{\"a\":"),
        input("1}"),
        AnswerEvent::PartEnd,
        call("f", false),
        AnswerEvent::PartEnd,
    ]);
    let expected = [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ];
    assert_eq!(kinds(&events), expected);
    assert_eq!(events[8]["item"]["encrypted_content"], "anthropic:s");
    assert_eq!(events[12]["arguments"], "{\"a\":1}");
    assert_eq!(events[13]["output_index"], 1);
    assert_eq!(events[16]["arguments"], "{}");
}

#[test]
fn the_text_of_a_custom_tool_is_taken_out_of_its_json() {
    let events = write(&[
        call("patch", false),
        input("{\"input\":"),
        input("\"a\\nb\"}"),
        AnswerEvent::PartEnd,
        call("patch", true),
        input("c"),
        AnswerEvent::PartEnd,
    ]);
    let inputs: Vec<_> = events.iter().filter_map(|event| event["delta"].as_str()).collect();
    assert_eq!(inputs, ["a\nb", "c"]);
    assert_eq!(events.last().unwrap()["response"]["output"][0]["input"], "a\nb");
}

#[test]
fn an_error_ends_the_stream_with_a_failed_response() {
    let mut writer = writer();
    let mut out = Vec::new();
    writer.write(&AnswerEvent::PartStart(PartStart::Text), &mut out);
    writer.write(&text("Hi"), &mut out);
    writer.error(&ServingError::new(ErrorKind::StreamBroken, "It broke."), &mut out);
    let events = parse(&out);
    let [.., error, failed] = &events[..] else { panic!() };
    let expected = json!({"type": "error", "sequence_number": 5, "code": "stream_broken", "message": "It broke.",
        "param": null, "error": {"message": "It broke.", "type": "server_error", "param": null, "code": "stream_broken"}});
    assert_eq!(error, &expected);
    assert_eq!(failed["type"], "response.failed");
    assert_eq!(failed["response"]["error"], json!({"code": "server_error", "message": "It broke."}));
    assert_eq!(failed["response"]["status"], "failed");
}

#[test]
fn an_answer_without_parts_is_complete() {
    let events = write(&[]);
    assert_eq!(kinds(&events), ["created", "in_progress", "completed"]);
}

#[test]
fn an_answer_that_was_cut_off_ends_incomplete() {
    let mut writer = writer();
    let mut out = Vec::new();
    writer.write(&AnswerEvent::PartStart(PartStart::Text), &mut out);
    writer.write(&text("Hi"), &mut out);
    writer.end(&StopReason::MaxTokens, Usage::counted(3, 2), &mut out);
    let events = parse(&out);
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"]["output"][0]["status"], "incomplete");
}
