//! Streams.

use std::collections::BTreeMap;

use bytes::Bytes;
use pointsman_dialects::anthropic::pass_through::MessagesRelay;
use pointsman_dialects::anthropic::{MessagesStreamReader, MessagesStreamWriter};
use pointsman_dialects::form::{
    AnswerEvent, AnswerIdentity, ConversationAnswer, Part, PartContent, PartDelta, PartStart, Reasoning,
    StopReason, StreamWriter, ToolCall, ToolInput,
};
use serde_json::{Value, json};

use super::answers::{Facts, facts_of_answer, stop_name, tokens_of_json};
use crate::{recorded, streams};

/// Returns the events of a stream that arrives in chunks of a size.
fn read(stream: &str, size: usize) -> Vec<AnswerEvent> {
    streams::read(&mut MessagesStreamReader::new(), stream, size)
}

/// Returns the answer that events describe, and checks that they are well-formed.
pub(super) fn collect(events: &[AnswerEvent]) -> ConversationAnswer {
    let mut answer = ConversationAnswer::default();
    let mut is_open = false;
    for (at, event) in events.iter().enumerate() {
        match event {
            AnswerEvent::Start(_) => assert_eq!(at, 0, "it starts once"),
            AnswerEvent::PartStart(start) => {
                assert!(!std::mem::replace(&mut is_open, true), "parts do not overlap");
                answer.parts.push(Part::new(match start {
                    PartStart::Text => PartContent::Text { text: String::new(), citations: Vec::new() },
                    PartStart::Reasoning { .. } => PartContent::Reasoning(Reasoning::default()),
                    PartStart::Refusal => PartContent::Refusal(String::new()),
                    PartStart::ToolCall { id, name, .. } => PartContent::ToolCall(ToolCall {
                        id: id.clone(),
                        name: name.clone(),
                        input: ToolInput::Json(String::new()),
                    }),
                    PartStart::Provider(part) => PartContent::Provider((**part).clone()),
                    PartStart::Media(media) => (**media).clone(),
                }));
            }
            AnswerEvent::Delta(delta) => {
                assert!(is_open, "a delta belongs to a part");
                match (delta, &mut answer.parts.last_mut().expect("a part").content) {
                    (PartDelta::Text(new), PartContent::Text { text, .. } | PartContent::Refusal(text)) => {
                        text.push_str(new);
                    }
                    (PartDelta::Text(new), PartContent::Reasoning(reasoning)) => reasoning.text.push_str(new),
                    (PartDelta::ToolInput(new), PartContent::ToolCall(call)) => {
                        let ToolInput::Json(input) = &mut call.input else { panic!("{call:?}") };
                        input.push_str(new);
                    }
                    (PartDelta::Citation(citation), PartContent::Text { citations, .. }) => {
                        citations.push((**citation).clone());
                    }
                    (PartDelta::Signature(_) | PartDelta::Encrypted(_), _) => {}
                    (delta, part) => panic!("{delta:?} in {part:?}"),
                }
            }
            AnswerEvent::PartEnd => assert!(std::mem::replace(&mut is_open, false)),
            AnswerEvent::Stop(stop) => answer.stop = stop.clone(),
            AnswerEvent::Usage(count) => answer.count.update(*count),
            AnswerEvent::Error(_) | AnswerEvent::Done => assert_eq!(at + 1, events.len()),
        }
    }
    answer
}

/// Returns the facts of a stream from its JSON, by the indexes of its blocks.
pub(super) fn facts_of_stream(stream: &str) -> Facts {
    let mut facts = Facts::default();
    let mut usage: BTreeMap<String, Value> = BTreeMap::new();
    let mut blocks: BTreeMap<u64, (Value, String)> = BTreeMap::new();
    for line in stream.lines() {
        let Some(data) = line.strip_prefix("data:") else { continue };
        let Ok(event) = serde_json::from_str::<Value>(data) else { continue };
        let index = event["index"].as_u64().unwrap_or(0);
        let delta = &event["delta"];
        let stated =
            if event["type"] == "message_start" { &event["message"]["usage"] } else { &event["usage"] };
        for (name, count) in stated.as_object().into_iter().flatten() {
            if count.as_u64().is_some_and(|count| count > 0) {
                usage.insert(name.clone(), count.clone());
            }
        }
        match event["type"].as_str().unwrap_or_default() {
            "content_block_start" => {
                blocks.insert(index, (event["content_block"].clone(), String::new()));
            }
            "content_block_delta" => {
                let (_, text) =
                    blocks.entry(index).or_insert_with(|| (json!({ "type": "text" }), String::new()));
                for name in ["text", "thinking", "partial_json"] {
                    text.push_str(delta[name].as_str().unwrap_or_default());
                }
            }
            "message_delta" => facts.stop = delta["stop_reason"].as_str().map(stop_name).or(facts.stop),
            _ => {}
        }
    }
    for (_, (block, text)) in blocks {
        let name = |name: &str| block[name].as_str().unwrap_or_default().to_owned();
        match block["type"].as_str().unwrap_or_default() {
            "text" => facts.text += &(name("text") + &text),
            "thinking" => facts.thinking += &(name("thinking") + &text),
            "redacted_thinking" => {}
            "tool_use" => {
                let is_in_start = text.is_empty();
                let input = if is_in_start { block["input"].clone() } else { of_json(&text) };
                facts.calls.push((name("id"), name("name"), input));
            }
            _ => facts.provider_blocks += 1,
        }
    }
    facts.tokens = tokens_of_json(&serde_json::to_value(usage).expect("JSON"));
    facts
}

/// Returns the stream up to the end of its first answer: some recordings hold several.
fn first_answer(stream: &str) -> String {
    let end = stream.find("\"message_stop\"").and_then(|at| Some(at + stream[at..].find("\n\n")? + 2));
    stream[..end.unwrap_or(stream.len())].to_owned()
}

/// Returns the value of JSON, or the text itself if the answer was cut in the middle of it.
fn of_json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

fn streams() -> Option<Vec<(String, String)>> {
    let calls = recorded::calls("anthropic.messages")?;
    let streams = calls.into_iter().filter(|call| call.streaming && call.status < 400);
    let streams: Vec<_> =
        streams.filter_map(|call| Some((call.id.clone(), first_answer(&call.response_stream()?)))).collect();
    // One recording is of another API by the same name.
    let streams: Vec<_> =
        streams.into_iter().filter(|(_, stream)| stream.contains("message_start")).collect();
    assert!(streams.len() >= 60, "{} streams", streams.len());
    Some(streams)
}

#[test]
fn every_stream_gives_the_content_of_its_events() {
    for (id, stream) in streams().into_iter().flatten() {
        let events = read(&stream, usize::MAX);
        if events.iter().any(|event| matches!(event, AnswerEvent::Error(_))) {
            continue;
        }
        let mut facts = facts_of_answer(&collect(&events));
        let expected = facts_of_stream(&stream);
        facts.stop = facts.stop.filter(|_| expected.stop.is_some());
        assert_eq!(facts, expected, "{id}");
        let is_complete = events.last() == Some(&AnswerEvent::Done);
        assert_eq!(is_complete, stream.contains("message_stop") || expected.stop.is_some(), "{id}");
    }
}

#[test]
fn every_stream_gives_the_same_events_however_it_is_split() {
    for (id, stream) in streams().into_iter().flatten() {
        let expected = read(&stream, usize::MAX);
        for size in [1, 7, 64, 1000] {
            assert_eq!(read(&stream, size), expected, "{id} in chunks of {size}");
        }
    }
}

#[test]
fn every_stream_is_relayed_byte_for_byte() {
    for (id, stream) in streams().into_iter().flatten() {
        let events = read(&stream, usize::MAX);
        let is_complete = events.last() == Some(&AnswerEvent::Done);
        let usage = collect(&events).count.usage(0, 0);
        for size in [1, 100, 10_000, usize::MAX] {
            let mut relay = MessagesRelay::new();
            let mut out = Vec::new();
            for chunk in stream.as_bytes().chunks(size) {
                relay.push(Bytes::copy_from_slice(chunk), &mut out);
            }
            assert_eq!(relay.finish(&mut out).is_ok(), is_complete, "{id}");
            let relayed = String::from_utf8(out.concat()).expect("UTF-8");
            assert!(relayed.trim_end() == stream.trim_end(), "{id} in chunks of {size}");
            let counted = relay.usage_or_estimate(0);
            assert_eq!(
                (counted.input_tokens, counted.cached_input_tokens),
                (usage.input_tokens, usage.cached_input_tokens)
            );
        }
    }
}

#[test]
fn every_stream_survives_writing_and_reading() {
    let identity = || AnswerIdentity { id: "1".to_owned(), created: 0, model: "m".to_owned() };
    for (id, stream) in streams().into_iter().flatten() {
        let events = read(&stream, usize::MAX);
        if events.last() != Some(&AnswerEvent::Done) {
            continue;
        }
        let answer = collect(&events);
        let mut writer = MessagesStreamWriter::new(identity(), 0);
        let mut out = Vec::new();
        for event in &events {
            writer.write(event, &mut out);
        }
        writer.end(&answer.stop, answer.count.usage(0, 0), &mut out);
        let again = String::from_utf8(out).expect("UTF-8");
        // The explanation of a refusal is a text.
        let is_refusal = answer.stop == StopReason::Refusal;
        assert!(is_refusal || facts_of_stream(&again) == facts_of_stream(&stream), "{id}: {again}");
        let is_refusal = answer.parts.iter().any(|part| matches!(part.content, PartContent::Refusal(_)));
        if is_refusal {
            continue;
        }
        assert_eq!(facts_of_answer(&collect(&read(&again, usize::MAX))), facts_of_answer(&answer), "{id}");
    }
}
