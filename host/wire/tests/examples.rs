//! Requests, answers and streams in the shape that OpenAI documents.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use bytes::Bytes;
use pointsman_domain::serving_error::ServingError;
use pointsman_wire::openai::client::{BadRequest, ChatRequest, ErrorBody, RequestScan};
use pointsman_wire::openai::pass_through::{CallMembers, StreamRelay};
use pointsman_wire::openai::provider::{read_chat_count, read_chat_output};
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

/// Returns the facts of a request in one line.
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

/// Checks that the backend gets the request of the client, with usage requested if it streams.
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
fn requests_are_parsed_as_far_as_routing_needs() {
    check(fixture!("text.request.json"), "tiny, whole, TEXT, needs [], 11 -> any tokens, turns: 1");
    check(fixture!("conversation.request.json"), "tiny, whole, TEXT, needs [], 46 -> any tokens, turns: 3");
    check(fixture!("picture.request.json"), "tiny, whole, TEXT+IMAGE, needs [], 778 -> 60 tokens, turns: 1");
    check(
        fixture!("recording.request.json"),
        "tiny, whole, TEXT+AUDIO, needs [], 13 -> any tokens, turns: 1",
    );
    check(fixture!("tools.request.json"), "tiny, whole, TEXT, needs [TOOLS], 80 -> any tokens, turns: 1");
    check(fixture!("json-object.request.json"), "tiny, whole, TEXT, needs [], 25 -> any tokens, turns: 1");
    check(
        fixture!("json-schema.request.json"),
        "tiny, whole, TEXT, needs [STRUCTURED_OUTPUT], 120 -> any tokens, turns: 1",
    );
    check(
        fixture!("reasoning.request.json"),
        "tiny, whole, TEXT, needs [REASONING], 26 -> any tokens, turns: 1",
    );
    check(
        fixture!("stream.request.json"),
        "tiny, stream, TEXT, needs [STREAMING], 11 -> any tokens, turns: 1",
    );
    check(
        fixture!("stream-usage.request.json"),
        "tiny, stream, TEXT, needs [STREAMING], 13 -> 40 tokens, turns: 0",
    );
}

#[test]
fn a_request_without_messages_is_rejected_as_openai_does() {
    let error = ServingError::from(read(fixture!("no-messages.request.json")).unwrap_err());
    let rejected = ErrorBody::from(&error).to_bytes();
    let rejected: Value = serde_json::from_slice(&rejected).unwrap();
    let openai = json!({
        "error": {
            "code": "empty_array",
            "message": "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            "param": "messages",
            "type": "invalid_request_error"
        }
    });
    assert_eq!(rejected, openai);
}

#[test]
fn usage_of_whole_answers_is_parsed() {
    let tokens = |answer: &str| {
        let usage = read_chat_count(answer.as_bytes()).unwrap().usage_or_estimate(0);
        (usage.input_tokens, usage.output_tokens)
    };
    assert_eq!(tokens(fixture!("text.answer.json")), (11, 9));
    assert_eq!(tokens(fixture!("tool-calls.answer.json")), (74, 41));
    assert_eq!(tokens(fixture!("reasoning.answer.json")), (31, 154));
    assert!(read_chat_count(fixture!("error.answer.json").as_bytes()).is_err());
}

#[test]
fn the_content_of_whole_answers_is_parsed() {
    let read = |answer: &str| read_chat_output(answer.as_bytes()).unwrap();
    for answer in [fixture!("text.answer.json"), fixture!("reasoning.answer.json")] {
        let expected: Value = serde_json::from_str(answer).unwrap();
        assert_eq!(read(answer).text, expected["choices"][0]["message"]["content"].as_str().unwrap());
        assert_eq!(read(answer).finish_reason.as_deref(), Some("stop"));
    }
    let calls = read(fixture!("tool-calls.answer.json"));
    assert_eq!((calls.text.as_str(), calls.finish_reason.as_deref()), ("", Some("tool_calls")));
}

/// Relays a stream with one cut, at every position in turn.
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
fn a_stream_without_usage_is_forwarded_unchanged_wherever_it_is_cut() {
    let stream = fixture!("stream.answer.sse");
    relay_cut_anywhere(stream, true, |relay, sent| {
        assert_eq!(sent, stream);
        assert!(relay.usage_or_estimate(0).estimated);
        assert_eq!(relay.output_bytes(), 84);
    });
}

#[test]
fn usage_that_was_not_requested_is_hidden_wherever_the_stream_is_cut() {
    let stream = fixture!("stream-usage.answer.sse");
    let mut events: Vec<&str> = stream.split_inclusive("\n\n").collect();
    events.retain(|event| !event.contains("\"choices\":[]"));
    let expected = events.concat().replace(",\"usage\":null", "");
    relay_cut_anywhere(stream, true, |relay, sent| {
        assert_eq!(sent, expected);
        let usage = relay.usage_or_estimate(0);
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.estimated), (13, 40, false));
    });
    relay_cut_anywhere(stream, false, |_, sent| assert_eq!(sent, stream));
}
