//! Answers, whole and streamed.

use pointsman_dialects::form::{
    AnswerEvent, ConversationAnswer, InvalidAnswer, PartContent, PartDelta, PartStart, StopReason, ToolInput,
};
use pointsman_dialects::gemini::{GeminiStreamReader, parse_answer};
use pointsman_domain::usage::Usage;
use serde_json::Value;

use crate::recorded::{self, RecordedCall};
use crate::streams;

const APIS: [&str; 2] = ["gemini.generateContent", "gemini.streamGenerateContent"];

/// Bodies that are no answers, with the reason.
const NO_ANSWERS: [(&str, &str); 1] = [("invalid-json", "it is not JSON")];

/// Streams whose last event states fewer tokens than earlier ones: it counts.
const OTHER_USAGE: [(&str, &str); 1] =
    [("test_native_output_with_builtin_tools_stream-0", "its last event states no tokens of the answer")];

/// Content of an answer, by an independent reading.
#[derive(Debug, Default, PartialEq)]
struct Facts {
    text: String,
    reasoning: String,
    calls: Vec<(String, Value)>,
    signatures: usize,
    media: usize,
    of_provider: usize,
    stop: Option<StopReason>,
    usage: Usage,
}

#[test]
fn every_whole_answer_says_what_its_json_says() {
    let mut seen = 0;
    for call in calls() {
        let Some(body) = call.response_body().filter(|_| call.status < 300) else { continue };
        let parsed = parse_answer(&serde_json::to_vec(body).expect("JSON"));
        let is_answer = responses(body).iter().any(|response| {
            response["candidates"].as_array().is_some_and(|all| !all.is_empty())
                || response["promptFeedback"].get("blockReason").is_some()
        });
        match parsed {
            Ok(answer) => {
                let mut expected = facts_of_json(&responses(body));
                // A whole answer is complete unless it says otherwise.
                expected.stop = expected.stop.or(Some(StopReason::Complete));
                assert_eq!(facts_of_answer(&answer), expected, "{}", call.id);
            }
            Err(InvalidAnswer::Reported(_)) => assert!(body.get("error").is_some(), "{}", call.id),
            Err(InvalidAnswer::Empty) => assert!(!is_answer || is_empty(body), "{}", call.id),
            Err(error) => {
                let is_known = NO_ANSWERS.iter().any(|(id, _)| call.id.contains(id));
                assert!(is_known, "{}: {error}", call.id);
            }
        }
        seen += 1;
    }
    assert!(seen == 0 || seen >= 170, "{seen} answers");
}

#[test]
fn every_stream_says_what_its_json_says_wherever_it_is_cut() {
    let mut seen = 0;
    for call in calls() {
        let Some(stream) = call.response_stream() else { continue };
        let events = read(&stream, usize::MAX);
        for size in [1, 2, 3, 7, 64, 1_000] {
            assert_eq!(read(&stream, size), events, "{} in pieces of {size}", call.id);
        }
        let data: Vec<Value> = stream
            .replace("\r\n", "\n")
            .split("\n\n")
            .filter_map(|event| serde_json::from_str(event.trim().strip_prefix("data:")?).ok())
            .collect();
        if data.iter().any(|data| data.get("error").is_some()) {
            assert!(matches!(events.last(), Some(AnswerEvent::Error(_))), "{}: {events:?}", call.id);
        } else {
            let data: Vec<&Value> = data.iter().collect();
            let (mut facts, expected) = (facts_of_events(&events), facts_of_json(&data));
            if OTHER_USAGE.iter().any(|(id, _)| call.id.contains(id)) {
                assert_ne!(facts.usage, expected.usage, "{}", call.id);
                facts.usage = expected.usage;
            }
            assert_eq!(facts, expected, "{}", call.id);
        }
        seen += 1;
    }
    assert!(seen == 0 || seen >= 64, "{seen} streams");
}

fn calls() -> Vec<RecordedCall> {
    APIS.iter().filter_map(|api| recorded::calls(api)).flatten().collect()
}

/// Returns the responses of a body, which is an array for a stream without framing.
fn responses(body: &Value) -> Vec<&Value> {
    body.as_array().map_or_else(|| vec![body], |all| all.iter().collect())
}

/// Returns whether an answer has neither a part nor a reason to stop.
fn is_empty(body: &Value) -> bool {
    responses(body).iter().all(|response| {
        let candidate = &response["candidates"][0];
        candidate.get("finishReason").is_none()
            && candidate["content"]["parts"].as_array().is_none_or(Vec::is_empty)
    })
}

fn facts_of_json(responses: &[&Value]) -> Facts {
    let mut facts = Facts::default();
    let mut usage = serde_json::Map::new();
    for response in responses {
        let candidate = &response["candidates"][0];
        for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
            let is_of_provider = ["executableCode", "codeExecutionResult", "toolCall", "toolResponse"]
                .iter()
                .any(|kind| part.get(kind).is_some());
            facts.signatures += usize::from(part.get("thoughtSignature").is_some() && !is_of_provider);
            facts.media += usize::from(part.get("inlineData").is_some());
            facts.of_provider += usize::from(is_of_provider);
            if let Some(text) = part["text"].as_str() {
                let is_thought = part["thought"] == true;
                if is_thought { &mut facts.reasoning } else { &mut facts.text }.push_str(text);
            }
            if let Some(call) = part.get("functionCall") {
                let args = call.get("args").cloned().unwrap_or_else(|| serde_json::json!({}));
                facts.calls.push((call["name"].as_str().unwrap_or_default().to_owned(), args));
            }
        }
        if let Some(reason) = candidate.get("finishReason") {
            facts.stop = Some(match reason.as_str() {
                None if *reason == 2 => StopReason::MaxTokens,
                None | Some("STOP") => StopReason::Complete,
                Some("MAX_TOKENS") => StopReason::MaxTokens,
                Some("SAFETY" | "RECITATION") => StopReason::ContentFilter,
                Some(other) => StopReason::Other(other.to_owned()),
            });
        }
        if response["promptFeedback"].get("blockReason").is_some() {
            facts.stop = Some(StopReason::ContentFilter);
        }
        for (name, count) in response["usageMetadata"].as_object().into_iter().flatten() {
            if count.as_u64().is_some_and(|count| count > 0) {
                usage.insert(name.clone(), count.clone());
            }
        }
    }
    if facts.stop == Some(StopReason::Complete) && !facts.calls.is_empty() {
        facts.stop = Some(StopReason::ToolCalls);
    }
    let count = |name: &str| usage.get(name).and_then(Value::as_u64).unwrap_or(0);
    let input = count("promptTokenCount") + count("toolUsePromptTokenCount");
    let output = count("candidatesTokenCount") + count("thoughtsTokenCount");
    facts.usage = Usage {
        input_tokens: input,
        cached_input_tokens: count("cachedContentTokenCount"),
        output_tokens: output.max(count("totalTokenCount").saturating_sub(input)),
        reasoning_tokens: count("thoughtsTokenCount"),
        ..Usage::counted(0, 0)
    };
    facts
}

fn facts_of_answer(answer: &ConversationAnswer) -> Facts {
    let mut facts = Facts { text: answer.text(), stop: Some(answer.stop.clone()), ..Facts::default() };
    for part in &answer.parts {
        facts.signatures += usize::from(part.signature.is_some());
        match &part.content {
            PartContent::Reasoning(reasoning) => {
                facts.reasoning.push_str(&reasoning.text);
                facts.signatures += usize::from(reasoning.encrypted.is_some());
            }
            PartContent::ToolCall(call) => {
                let ToolInput::Json(input) = &call.input else { panic!("{call:?}") };
                facts.calls.push((call.name.clone(), serde_json::from_str(input).expect("JSON")));
                assert!(!call.id.is_empty());
            }
            PartContent::Provider(_) => facts.of_provider += 1,
            PartContent::Image { .. } | PartContent::Audio(_) => facts.media += 1,
            PartContent::Text { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    facts.usage = usage(answer.count);
    facts
}

/// Returns the counted usage, without the mark that the rest is estimated.
fn usage(count: pointsman_wire::usage_count::UsageCount) -> Usage {
    Usage { estimated: false, ..count.usage(0, 0) }
}

/// Returns what a stream says, and checks that its events are well-formed.
fn facts_of_events(events: &[AnswerEvent]) -> Facts {
    let mut facts = Facts::default();
    let mut count = pointsman_wire::usage_count::UsageCount::NONE;
    let mut open: Option<&PartStart> = None;
    for (at, event) in events.iter().enumerate() {
        match event {
            AnswerEvent::Start(_) => assert_eq!(at, 0),
            AnswerEvent::PartStart(start) => {
                assert!(open.replace(start).is_none(), "parts do not overlap");
                match start {
                    PartStart::ToolCall { name, .. } => facts.calls.push((name.clone(), Value::Null)),
                    PartStart::Provider(_) => facts.of_provider += 1,
                    PartStart::Media(_) => facts.media += 1,
                    _ => {}
                }
            }
            AnswerEvent::PartEnd => assert!(open.take().is_some()),
            AnswerEvent::Delta(delta) => match (open.expect("a part"), delta) {
                (PartStart::Text, PartDelta::Text(text)) => facts.text.push_str(text),
                (PartStart::Reasoning { .. }, PartDelta::Text(text)) => facts.reasoning.push_str(text),
                (PartStart::ToolCall { .. }, PartDelta::ToolInput(input)) => {
                    facts.calls.last_mut().expect("a call").1 = serde_json::from_str(input).expect("JSON");
                }
                (PartStart::Text, PartDelta::Citation(_)) => {}
                (_, PartDelta::Signature(_) | PartDelta::Encrypted(_)) => facts.signatures += 1,
                other => panic!("{other:?}"),
            },
            AnswerEvent::Stop(stop) => facts.stop = Some(stop.clone()),
            AnswerEvent::Usage(later) => count.update(*later),
            AnswerEvent::Done => assert_eq!(at + 1, events.len()),
            AnswerEvent::Error(error) => panic!("{error:?}"),
        }
    }
    assert!(open.is_none());
    assert_eq!(facts.stop.is_some(), events.last() == Some(&AnswerEvent::Done));
    facts.usage = usage(count);
    facts
}

/// Returns the events of a stream that arrives in chunks of a size.
fn read(stream: &str, size: usize) -> Vec<AnswerEvent> {
    streams::read(&mut GeminiStreamReader::new(), stream, size)
}
