//! Streams: read, forwarded, and rendered again.

use bytes::Bytes;
use pointsman_dialects::form::{
    AnswerEvent, AnswerIdentity, Citation, ConversationAnswer, Part, PartContent, PartDelta, PartStart,
    Reasoning, Signature, StreamWriter, ToolCall, ToolInput,
};
use pointsman_dialects::responses::pass_through::ResponsesRelay;
use pointsman_dialects::responses::{ResponsesStreamReader, ResponsesStreamWriter, parse_request};
use serde_json::Value;

use super::independent::AnswerSummary;
use crate::recorded;
use crate::streams::{self, data_of};

/// Streams whose last event is cut.
const WITHOUT_END: [&str; 1] = ["openai.responses/openai/vercel-openai-parallel-tool-call-wrapper.1-stream"];

/// Streams whose deltas are abridged: they end with another text than they streamed.
const ABRIDGED: [&str; 1] = ["openai.responses/openai/vercel-openai-openai-shell-container.1-stream"];

fn streams() -> Option<Vec<(String, String)>> {
    let calls = recorded::calls("openai.responses")?;
    let streams = calls.into_iter().filter(|call| call.streaming);
    Some(streams.filter_map(|call| Some((call.id.clone(), call.response_stream()?))).collect())
}

fn events_of(stream: &str, chunk: usize) -> Vec<AnswerEvent> {
    streams::read(&mut ResponsesStreamReader::new(), stream, chunk)
}

/// Collects the parts of a streamed answer, and checks the order of its events.
pub(super) fn collect(events: &[AnswerEvent]) -> ConversationAnswer {
    let mut answer = ConversationAnswer::default();
    let mut is_open = false;
    for event in events {
        match event {
            AnswerEvent::Start(start) => (answer.id, answer.model) = (start.id.clone(), start.model.clone()),
            AnswerEvent::PartStart(start) => {
                assert!(!std::mem::replace(&mut is_open, true), "parts overlap");
                answer.parts.push(Part::new(content_of(start)));
            }
            AnswerEvent::Delta(delta) => {
                assert!(is_open, "a delta without a part");
                add(answer.parts.last_mut().expect("a part"), delta);
            }
            AnswerEvent::PartEnd => assert!(std::mem::replace(&mut is_open, false), "no part to end"),
            AnswerEvent::Stop(stop) => answer.stop = stop.clone(),
            AnswerEvent::Usage(count) => answer.count = *count,
            AnswerEvent::Error(_) | AnswerEvent::Done => {}
        }
    }
    assert!(!is_open, "a part is open");
    answer
}

fn content_of(start: &PartStart) -> PartContent {
    match start {
        PartStart::Text => PartContent::Text { text: String::new(), citations: Vec::new() },
        PartStart::Refusal => PartContent::Refusal(String::new()),
        PartStart::Reasoning { is_summary } => {
            PartContent::Reasoning(Reasoning { is_summary: *is_summary, ..Reasoning::default() })
        }
        PartStart::ToolCall { id, name, takes_text } => {
            let input = if *takes_text { ToolInput::Text } else { ToolInput::Json };
            PartContent::ToolCall(ToolCall {
                id: id.clone(),
                name: name.clone(),
                input: input(String::new()),
            })
        }
        PartStart::Media(content) => (**content).clone(),
        PartStart::Provider(part) => PartContent::Provider((**part).clone()),
    }
}

fn add(part: &mut Part, delta: &PartDelta) {
    match (&mut part.content, delta) {
        (PartContent::Text { text, .. } | PartContent::Refusal(text), PartDelta::Text(more)) => {
            text.push_str(more)
        }
        (PartContent::Reasoning(reasoning), PartDelta::Text(more)) => reasoning.text.push_str(more),
        (PartContent::ToolCall(call), PartDelta::ToolInput(more)) => match &mut call.input {
            ToolInput::Json(input) | ToolInput::Text(input) => input.push_str(more),
        },
        (PartContent::Text { citations, .. }, PartDelta::Citation(citation)) => {
            citations.push(Citation::clone(citation));
        }
        (PartContent::Reasoning(reasoning), PartDelta::Encrypted(signature)) => {
            reasoning.encrypted = Some(Signature::clone(signature));
        }
        (_, PartDelta::Signature(signature)) => part.signature = Some(signature.clone()),
        (content, delta) => panic!("{delta:?} in {content:?}"),
    }
}

/// Returns the response that ends a stream, with the items that were complete before it: some
/// recordings have it without its output.
pub(super) fn last_response(stream: &str) -> Option<Value> {
    let data = data_of(stream, usize::MAX);
    let events: Vec<Value> = data.iter().filter_map(|data| serde_json::from_slice(data).ok()).collect();
    let end = events
        .iter()
        .find(|event| matches!(event["type"].as_str(), Some("response.completed" | "response.incomplete")))?;
    let mut response = end["response"].clone();
    if response["output"].as_array().is_none_or(Vec::is_empty) {
        let items = events.iter().filter(|event| event["type"] == "response.output_item.done");
        response["output"] = items.map(|event| event["item"].clone()).collect();
    }
    Some(response)
}

fn has_error(stream: &str) -> bool {
    stream.contains("\"response.failed\"") || stream.contains("\"type\":\"error\"")
}

#[test]
fn every_stream_is_read_as_its_last_response_says() {
    let Some(streams) = streams() else { return };
    let mut read = 0;
    for (id, stream) in &streams {
        let events = events_of(stream, usize::MAX);
        let answer = collect(&events);
        let Some(response) = last_response(stream) else {
            let failed = events.iter().any(|event| matches!(event, AnswerEvent::Error(_)));
            assert!(failed == has_error(stream), "{id}");
            assert!(failed || WITHOUT_END.contains(&&**id), "{id}");
            continue;
        };
        let (read_summary, expected) = (AnswerSummary::of_form(&answer), AnswerSummary::of_json(&response));
        if ABRIDGED.contains(&&**id) {
            assert_ne!(read_summary.text, expected.text, "{id}");
        } else {
            assert_eq!(read_summary, expected, "{id}");
        }
        assert_eq!(events.last(), Some(&AnswerEvent::Done), "{id}");
        read += 1;
    }
    assert!(read >= 50, "{read}");
}

#[test]
fn every_stream_is_the_same_however_it_is_cut() {
    let Some(streams) = streams() else { return };
    for (id, stream) in &streams {
        let whole = events_of(stream, usize::MAX);
        let relayed = relay(stream, usize::MAX);
        for chunk in [1, 2, 3, 7, 64, 1000] {
            assert_eq!(events_of(stream, chunk), whole, "{id} in chunks of {chunk}");
            assert_eq!(relay(stream, chunk), relayed, "{id} in chunks of {chunk}");
        }
    }
}

/// Bytes that a relay forwards, and the facts that it finds.
type Relayed = (Vec<u8>, Option<String>, bool, [u64; 2]);

fn relay(stream: &str, chunk: usize) -> Relayed {
    let (mut relay, mut out) = (ResponsesRelay::new(), Vec::new());
    for chunk in stream.as_bytes().chunks(chunk) {
        relay.push(Bytes::copy_from_slice(chunk), &mut out);
    }
    let ended = relay.finish(&mut out);
    let usage = relay.usage_or_estimate(1);
    let id = relay.response_id().map(str::to_owned);
    (out.concat(), id, ended.is_ok(), [usage.input_tokens, usage.output_tokens])
}

#[test]
fn every_stream_is_forwarded_unchanged() {
    let Some(streams) = streams() else { return };
    for (id, stream) in &streams {
        let (forwarded, response_id, is_complete, usage) = relay(stream, 100);
        let forwarded = String::from_utf8(forwarded).expect("text");
        // The last event may lack its empty line.
        let rest = stream.strip_prefix(forwarded.trim_end()).unwrap_or_else(|| panic!("{id}"));
        assert!(rest.trim().is_empty() || rest.trim() == "data: [DONE]", "{id}: {rest}");
        let last = last_response(stream);
        assert_eq!(is_complete, last.is_some() && !has_error(stream), "{id}");
        let Some(last) = last else { continue };
        assert_eq!(response_id.as_deref(), last["id"].as_str(), "{id}");
        // Counts of zero are estimated.
        if let Some([input @ (1..), _, output @ (1..), _]) = AnswerSummary::of_json(&last).usage {
            assert_eq!(usage, [input, output], "{id}");
        }
    }
}

#[test]
fn a_stream_that_is_rendered_again_is_the_same() {
    let Some(streams) = streams() else { return };
    let (_, echoed, _) = parse_request(br#"{"model":"m","input":"x","stream":true}"#).expect("a request");
    let identity = AnswerIdentity { id: "1".to_owned(), created: 0, model: String::new() };
    for (id, stream) in streams.iter().filter(|(_, stream)| last_response(stream).is_some()) {
        let events = events_of(stream, usize::MAX);
        let answer = collect(&events);
        let mut writer = ResponsesStreamWriter::new(identity.clone(), echoed.clone());
        let mut out = Vec::new();
        events.iter().for_each(|event| writer.write(event, &mut out));
        writer.end(&answer.stop, answer.count.usage(1, 0), &mut out);
        let rendered = String::from_utf8(out).expect("text");
        let again = collect(&events_of(&rendered, usize::MAX));
        assert_eq!(format!("{:#?}", again.parts), format!("{:#?}", answer.parts), "{id}");
        assert_eq!(again.stop, answer.stop, "{id}");
    }
}
