//! Translations to this API by other projects.

use std::collections::BTreeSet;

use pointsman_dialects::chat::{
    ChatQuirks, ChatStreamWriter, ReasoningReplay, render_answer, render_request_for,
};
use pointsman_dialects::form::{
    AnswerIdentity, ConversationAnswer, ConversationRequest, Losses, StreamReader, StreamWriter,
};
use pointsman_dialects::{anthropic, gemini, responses};
use serde_json::{Value, json};

use super::requests::normalized;
use super::{facts, streams};
use crate::recorded::{self, TranslationPair};

/// OpenAI's own API, with earlier reasoning.
const QUIRKS: ChatQuirks = ChatQuirks { reasoning: ReasoningReplay::Details, ..ChatQuirks::OPENAI };

/// Requests that we translate in another way, by a part of their ids, with the reason.
const OTHER_REQUESTS: [(&str, &str); 10] = [
    ("messages/cache_control.completions", "the provider caches automatically"),
    ("messages/reasoning.completions", "a format that is no object is invalid"),
    ("messages/structured-output.completions", "an effort requests reasoning"),
    ("anthropicMessageWithSystemMessage", "a stream stays one"),
    ("outputFormatJsonSchemaParam", "the schema is enforced"),
    ("serviceTierParam", "the tiers of two providers are not the same"),
    ("metadataParam", "the user has a name that all servers know"),
    ("safetyIdentifierParam", "the user has a name that all servers know"),
    ("responses/instructions.gemini", "instructions are those of the system"),
    ("responses/cache_control.gemini", "the provider caches automatically"),
];

/// Answers that we translate in another way, by a part of their ids, with the reason.
const OTHER_ANSWERS: [(&str, &str); 5] = [
    ("anthropic/thinking.messages-completions", "the input counts cached tokens"),
    ("anthropic/tool.messages-completions", "the input counts cached tokens"),
    ("chat-completions_to_google/toolChoiceRequiredParam", "ids of calls are unique in a conversation"),
    (
        "chat-completions_to_google/functionToolsWithReasoningEffortParam",
        "ids of calls are unique in a conversation",
    ),
    ("kong/response/gemini", "usage is reported"),
];

/// Streams that we translate in another way, by a part of their ids, with the reason.
const OTHER_STREAMS: [(&str, &str); 1] =
    [("anthropic/stream_message_delta_usage", "the input counts cached tokens")];

#[test]
fn requests_are_translated_as_other_projects_do() {
    let Some(pairs) = recorded::pairs("request", "anthropic.messages", "openai.chat") else { return };
    assert!(pairs.len() >= 30);
    let mut others = others_of(&pairs, |body| anthropic::parse_request(body).ok());
    let google = "openai.chat_gemini_OpenAI-compatible_endpoint";
    let Some(pairs) = recorded::pairs("request", "openai.responses", google) else { return };
    assert!(pairs.len() >= 4);
    others.extend(others_of(&pairs, |body| {
        responses::parse_request(body).ok().map(|(request, _, losses)| (request, losses))
    }));
    check(others, &OTHER_REQUESTS);
}

/// Checks that exactly the pairs of a table are translated in another way.
fn check(others: Vec<(String, String)>, table: &[(&str, &str)]) {
    let mut unused: BTreeSet<_> = table.iter().map(|(id, _)| *id).collect();
    let mut unknown = Vec::new();
    for (id, difference) in others {
        match table.iter().find(|(known, _)| id.contains(known)) {
            Some((known, _)) => {
                unused.remove(known);
            }
            None => unknown.push(format!("{id}\n{difference}")),
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    assert!(unused.is_empty(), "translated alike by now: {unused:?}");
}

/// Returns the ids of the requests that we translate in another way, with both translations.
fn others_of(
    pairs: &[TranslationPair],
    parse: impl Fn(&[u8]) -> Option<(ConversationRequest, Losses)>,
) -> Vec<(String, String)> {
    let mut others = Vec::new();
    for pair in pairs {
        let expected = &pair.expected["body"];
        let body = serde_json::to_vec(&pair.input["body"]).expect("JSON");
        let Some((mut request, mut losses)) = parse(&body) else {
            others.push((pair.id.clone(), "it does not parse".to_owned()));
            continue;
        };
        // They choose another model.
        request.model = expected["model"].as_str().unwrap_or_default().to_owned();
        let rendered = render_request_for(&request, &QUIRKS, &mut losses);
        let rendered: Value = serde_json::from_slice(&rendered).expect("JSON");
        let (expected, rendered) = (comparable(expected), comparable(&rendered));
        if expected != rendered {
            others.push((pair.id.clone(), format!("theirs {expected}\nours   {rendered}\n{losses:?}")));
        }
    }
    others
}

/// Returns a request without differences in notation.
fn comparable(request: &Value) -> Value {
    let mut request = normalized(request);
    for message in request["messages"].as_array_mut().expect("messages") {
        let message = message.as_object_mut().expect("an object");
        message.remove("reasoning_details");
        for call in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
            let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
            call["function"]["arguments"] =
                serde_json::from_str(arguments).unwrap_or_else(|_| json!(arguments));
        }
    }
    request
}

#[test]
fn answers_are_translated_as_other_projects_do() {
    let mut others = Vec::new();
    type Parse = fn(&[u8]) -> Option<ConversationAnswer>;
    let parsers: [(&str, Parse); 3] = [
        ("anthropic.messages", |body| anthropic::parse_answer(body).ok()),
        ("gemini.generateContent", |body| gemini::parse_answer(body).ok()),
        ("openai.responses", |body| responses::parse_answer(body).ok()),
    ];
    for (from, parse) in parsers {
        let Some(pairs) = recorded::pairs("response", from, "openai.chat") else { return };
        assert!(!pairs.is_empty());
        for pair in pairs {
            let body = serde_json::to_vec(&pair.input["body"]).expect("JSON");
            let Some(answer) = parse(&body) else {
                others.push((pair.id, "it does not parse".to_owned()));
                continue;
            };
            let rendered = render_answer(&answer, &identity(), answer.count.usage(0, 0));
            let rendered: Value = serde_json::from_slice(&rendered).expect("JSON");
            let theirs = facts_of_theirs(facts::of_json(&pair.expected["body"]));
            let ours = facts_of_theirs(facts::of_json(&rendered));
            if ours != theirs {
                others.push((pair.id, format!("theirs {theirs:?}\nours   {ours:?}")));
            }
        }
    }
    check(others, &OTHER_ANSWERS);
}

#[test]
fn streams_are_translated_as_other_projects_do() {
    let mut others = Vec::new();
    type Reader = fn() -> Box<dyn StreamReader>;
    let readers: [(&str, Reader); 4] = [
        ("anthropic.messages", || Box::new(anthropic::MessagesStreamReader::new())),
        ("gemini.generateContent", || Box::new(gemini::GeminiStreamReader::new())),
        ("gemini.streamGenerateContent", || Box::new(gemini::GeminiStreamReader::new())),
        ("openai.responses", || Box::new(responses::ResponsesStreamReader::new())),
    ];
    for (from, reader) in readers {
        let Some(pairs) = recorded::pairs("stream", from, "openai.chat") else { return };
        assert!(!pairs.is_empty());
        for pair in pairs {
            let events = streams::read(&mut *reader(), &text_of(&pair.input), usize::MAX);
            let answer = streams::collect(&events);
            let mut writer = ChatStreamWriter::new(identity(), true);
            let mut out = Vec::new();
            events.iter().for_each(|event| writer.write(event, &mut out));
            writer.end(&answer.stop, answer.count.usage(0, 0), &mut out);
            let written = String::from_utf8(out).expect("UTF-8");
            let theirs = facts_of_theirs(facts::of_stream(&text_of(&pair.expected)));
            let ours = facts_of_theirs(facts::of_stream(&written));
            if ours != theirs {
                others.push((pair.id, format!("theirs {theirs:?}\nours   {ours:?}")));
            }
        }
    }
    check(others, &OTHER_STREAMS);
}

/// Returns the facts without the number of reasoning tokens, which others leave out.
fn facts_of_theirs(facts: facts::Facts) -> facts::Facts {
    let [input, cached, output, _] = facts.tokens;
    facts::Facts { tokens: [input, cached, output, 0], ..facts }
}

/// Returns the text of a stream: as it is, or framed anew.
fn text_of(stream: &Value) -> String {
    if let Some(text) = stream["sse_text"].as_str() {
        return text.to_owned();
    }
    let events = stream["stream_events"].as_array().expect("events").iter();
    events.map(|event| format!("data: {event}\n\n")).collect()
}

fn identity() -> AnswerIdentity {
    AnswerIdentity { id: "1".to_owned(), created: 0, model: "m".to_owned() }
}
