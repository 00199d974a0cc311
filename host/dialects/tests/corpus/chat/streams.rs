//! Streams.

use pointsman_dialects::chat::{ChatStreamReader, ChatStreamWriter};
use pointsman_dialects::form::{
    AnswerEvent, AnswerIdentity, ConversationAnswer, Part, PartContent, PartDelta, PartStart, Reasoning,
    StreamWriter, ToolCall, ToolInput,
};

use super::facts;
use crate::recorded;
pub(super) use crate::streams::read;

/// Returns the answer that events describe, and checks that they are well-formed.
pub(super) fn collect(events: &[AnswerEvent]) -> ConversationAnswer {
    let mut answer = ConversationAnswer::default();
    let mut is_open = false;
    for (at, event) in events.iter().enumerate() {
        match event {
            AnswerEvent::Start(start) => {
                assert_eq!(at, 0, "it starts once");
                answer.id.clone_from(&start.id);
            }
            AnswerEvent::PartStart(start) => {
                assert!(!std::mem::replace(&mut is_open, true), "parts do not overlap");
                answer.parts.push(Part::new(content_of(start)));
            }
            AnswerEvent::Delta(delta) => {
                assert!(is_open, "a delta belongs to a part");
                add(answer.parts.last_mut().expect("a part"), delta);
            }
            AnswerEvent::PartEnd => assert!(std::mem::replace(&mut is_open, false)),
            AnswerEvent::Stop(stop) => answer.stop = stop.clone(),
            AnswerEvent::Usage(count) => answer.count.update(*count),
            AnswerEvent::Error(_) | AnswerEvent::Done => assert_eq!(at + 1, events.len()),
        }
    }
    answer
}

fn content_of(start: &PartStart) -> PartContent {
    match start {
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
    }
}

fn add(part: &mut Part, delta: &PartDelta) {
    match (delta, &mut part.content) {
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
        (PartDelta::Signature(signature), _) => part.signature = Some(signature.clone()),
        (PartDelta::Encrypted(value), PartContent::Reasoning(reasoning)) => {
            reasoning.encrypted = Some(value.clone());
        }
        (delta, part) => panic!("{delta:?} in {part:?}"),
    }
}

fn streams() -> Option<Vec<(String, String)>> {
    let calls = recorded::calls("openai.chat")?;
    let streams = calls.into_iter().filter(|call| call.streaming && call.status < 400);
    let streams: Vec<_> =
        streams.filter_map(|call| Some((call.id.clone(), call.response_stream()?))).collect();
    assert!(streams.len() >= 70, "{} streams", streams.len());
    Some(streams)
}

fn reader() -> ChatStreamReader {
    ChatStreamReader::new()
}

#[test]
fn every_stream_gives_the_content_of_its_events() {
    for (id, stream) in streams().into_iter().flatten() {
        let events = read(&mut reader(), &stream, usize::MAX);
        let has_error = events.iter().any(|event| matches!(event, AnswerEvent::Error(_)));
        assert_eq!(has_error, stream.contains("\"error\":{"), "{id}");
        let mut expected = facts::of_stream(&stream);
        let mut facts = facts::of_answer(&collect(&events), &expected);
        let is_complete = events.last() == Some(&AnswerEvent::Done);
        if has_error || !is_complete {
            facts.stop = expected.stop;
        }
        if has_error {
            (facts.tokens, expected.tokens) = Default::default();
        }
        assert_eq!(facts, expected, "{id}\n{stream}");
        let is_ended = stream.contains("[DONE]") || stream.contains("\"finish_reason\":\"");
        assert!(is_complete || has_error || !is_ended, "{id}\n{stream}");
    }
}

#[test]
fn every_stream_gives_the_same_events_however_it_is_split() {
    for (id, stream) in streams().into_iter().flatten() {
        let expected = read(&mut reader(), &stream, usize::MAX);
        for size in [1, 7, 64, 1000] {
            assert_eq!(read(&mut reader(), &stream, size), expected, "{id} in chunks of {size}");
        }
    }
}

#[test]
fn every_stream_survives_writing_and_reading() {
    for (id, stream) in streams().into_iter().flatten() {
        let events = read(&mut reader(), &stream, usize::MAX);
        if events.last() != Some(&AnswerEvent::Done) {
            continue;
        }
        let answer = collect(&events);
        let identity = AnswerIdentity { id: "1".to_owned(), created: 0, model: "m".to_owned() };
        let mut writer = ChatStreamWriter::new(identity, true);
        let mut out = Vec::new();
        for event in &events {
            writer.write(event, &mut out);
        }
        writer.end(&answer.stop, answer.count.usage(0, 0), &mut out);
        let again = String::from_utf8(out).expect("UTF-8");
        let read = collect(&read(&mut reader(), &again, usize::MAX));
        let expected = facts::of_answer(&answer, &facts::Facts::default());
        let mut facts = facts::of_answer(&read, &expected);
        if expected.stop == "Other" {
            facts.stop = "Other";
        }
        assert_eq!(facts, expected, "{id}\n{again}");
        let signatures = |answer: &ConversationAnswer| {
            answer.parts.iter().map(|part| part.signature.clone()).collect::<Vec<_>>()
        };
        assert_eq!(signatures(&read), signatures(&answer), "{id}");
    }
}
