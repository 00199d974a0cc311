//! Requests, answers and streams as they were recorded from OpenAI.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use bytes::Bytes;
use pointsman_wire::openai::client::{BadRequest, ChatRequest, RequestScan};
use pointsman_wire::openai::pass_through::{CallMembers, StreamRelay};
use pointsman_wire::openai::provider::{ChatAnswer, TaskOutput};
use serde_json::{Value, json};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("fixtures/", $name))
    };
}

fn read(body: &str) -> Result<ChatRequest, BadRequest> {
    let mut scan = RequestScan::default();
    scan.push(Bytes::copy_from_slice(body.as_bytes()))?;
    scan.finish()
}

/// What is read of a request, in one line.
fn facts(body: &str) -> String {
    let request = read(body).unwrap();
    let ChatRequest { model, streaming, inputs, needs, input_tokens, turns, max_output_tokens, .. } =
        &request;
    let inputs: Vec<_> = inputs.iter_names().map(|(name, _)| name).collect();
    let needs: Vec<_> = needs.iter_names().map(|(name, _)| name).collect();
    let kind = if *streaming { "stream" } else { "whole" };
    let limit = max_output_tokens.map_or("any".to_owned(), |limit| limit.to_string());
    let (inputs, needs) = (inputs.join("+"), needs.join("+"));
    format!("{model}, {kind}, {inputs}, needs [{needs}], {input_tokens} -> {limit} tokens, turns: {turns}")
}

/// A backend reads what the client wrote, and asks for usage if it streams.
fn check_forwarded(body: &str) {
    let request = read(body).unwrap();
    let call = CallMembers { upstream_name: &request.model, max_output_tokens: None, stream_usage: true };
    let mut forwarded: Value = serde_json::from_slice(&request.body_for(&call).concat()).unwrap();
    let original: Value = serde_json::from_str(body).unwrap();
    if request.streaming {
        assert_eq!(forwarded["stream_options"]["include_usage"], json!(true));
        if original.get("stream_options").is_none() {
            forwarded.as_object_mut().unwrap().remove("stream_options");
        }
    }
    assert_eq!(forwarded, original);
}

#[track_caller]
fn check(body: &str, expected: &str) {
    assert_eq!(facts(body), expected);
    check_forwarded(body);
}

#[test]
fn requests_are_read_as_far_as_routing_needs() {
    check(fixture!("basic.request.json"), "gpt-5-nano, whole, TEXT, needs [], 9 -> any tokens, turns: 1");
    check(
        fixture!("multiturn.request.json"),
        "gpt-5-nano, whole, TEXT, needs [], 49 -> any tokens, turns: 3",
    );
    check(
        fixture!("multimodal.request.json"),
        "gpt-5-nano, whole, TEXT+IMAGE, needs [], 778 -> 100 tokens, turns: 1",
    );
    check(
        fixture!("audio-to-text.request.json"),
        "gpt-4o-audio-preview, whole, TEXT+AUDIO, needs [], 22 -> any tokens, turns: 1",
    );
    check(
        fixture!("parallel-tools.request.json"),
        "gpt-5-nano, whole, TEXT, needs [TOOLS], 104 -> any tokens, turns: 1",
    );
    check(
        fixture!("json-mode.request.json"),
        "gpt-5-nano, whole, TEXT, needs [], 28 -> any tokens, turns: 1",
    );
    check(
        fixture!("reasoning.request.json"),
        "gpt-5-nano, whole, TEXT, needs [], 24 -> any tokens, turns: 1",
    );
    check(
        fixture!("openai-agents-python.request.json"),
        "gpt-5-nano, whole, TEXT, needs [STRUCTURED_OUTPUT], 216 -> any tokens, turns: 1",
    );
    check(
        fixture!("streaming.request.json"),
        "gpt-5-nano, stream, TEXT, needs [STREAMING], 9 -> any tokens, turns: 1",
    );
    check(
        fixture!("streaming-detailed-usage.request.json"),
        "gpt-5-nano, stream, TEXT, needs [STREAMING], 13 -> 100 tokens, turns: 0",
    );
}

#[test]
fn a_request_without_messages_is_refused_as_openai_does() {
    let refused = read(fixture!("no-messages.request.json")).unwrap_err().body();
    let refused: Value = serde_json::from_slice(&refused).unwrap();
    let openai = json!({
        "error": {
            "code": "empty_array",
            "message": "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            "param": "messages",
            "type": "invalid_request_error"
        }
    });
    assert_eq!(refused, openai);
}

#[test]
fn usage_of_whole_answers_is_found() {
    let tokens = |answer: &str| {
        let usage = ChatAnswer::read(answer.as_bytes()).unwrap().usage_or_estimate(0);
        (usage.input_tokens, usage.output_tokens)
    };
    assert_eq!(tokens(fixture!("basic.answer.json")), (8, 377));
    assert_eq!(tokens(fixture!("parallel-tools.answer.json")), (162, 219));
    assert_eq!(tokens(fixture!("reasoning.answer.json")), (27, 267));
    assert!(ChatAnswer::read(fixture!("bad-request.answer.json").as_bytes()).is_err());
}

#[test]
fn what_whole_answers_say_is_read() {
    let read = |answer: &str| TaskOutput::of_chat(answer.as_bytes()).unwrap();
    for answer in [fixture!("basic.answer.json"), fixture!("reasoning.answer.json")] {
        let expected: Value = serde_json::from_str(answer).unwrap();
        assert_eq!(read(answer).text, expected["choices"][0]["message"]["content"].as_str().unwrap());
        assert_eq!(read(answer).finish_reason.as_deref(), Some("stop"));
    }
    let calls = read(fixture!("parallel-tools.answer.json"));
    assert_eq!((calls.text.as_str(), calls.finish_reason.as_deref()), ("", Some("tool_calls")));
}

/// Relays a stream cut at every place, one cut at a time.
fn relay_cut_anywhere(stream: &str, hide_usage: bool, mut check: impl FnMut(&StreamRelay, String)) {
    for cut in 0..stream.len() {
        let mut relay = StreamRelay::new(hide_usage, 1);
        let mut out = Vec::new();
        relay.push(Bytes::copy_from_slice(&stream.as_bytes()[..cut]), &mut out);
        relay.push(Bytes::copy_from_slice(&stream.as_bytes()[cut..]), &mut out);
        assert_eq!(relay.finish(&mut out), Ok(()));
        check(&relay, String::from_utf8(out.concat()).unwrap());
    }
}

#[test]
fn a_stream_without_usage_passes_unchanged_wherever_it_is_cut() {
    let stream = fixture!("streaming.answer.sse");
    relay_cut_anywhere(stream, true, |relay, sent| {
        assert_eq!(sent, stream);
        assert!(relay.usage_or_estimate(0).estimated);
        assert_eq!(relay.output_bytes(), 213);
    });
}

#[test]
fn a_stream_loses_the_usage_that_nobody_asked_for_wherever_it_is_cut() {
    let stream = fixture!("streaming-detailed-usage.answer.sse");
    let mut events: Vec<&str> = stream.split_inclusive("\n\n").collect();
    events.retain(|event| !event.contains("\"choices\":[]"));
    let expected = events.concat().replace(",\"usage\":null", "");
    relay_cut_anywhere(stream, true, |relay, sent| {
        assert_eq!(sent, expected);
        let usage = relay.usage_or_estimate(0);
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.estimated), (12, 100, false));
    });
    relay_cut_anywhere(stream, false, |_, sent| assert_eq!(sent, stream));
}
