//! Translations to this API by other projects.

use std::collections::BTreeSet;

use pointsman_dialects::anthropic::{MessagesStreamWriter, render_answer, render_request};
use pointsman_dialects::form::{
    AnswerEvent, AnswerIdentity, ConversationAnswer, ConversationRequest, InvalidAnswer, Losses,
    StreamReader, StreamWriter,
};
use pointsman_dialects::{chat, gemini, responses};
use serde_json::{Value, json};

use super::answers::facts_of_json;
use super::requests::normalized;
use super::streams::{collect, facts_of_stream};
use crate::recorded::{self, TranslationPair};

/// Requests that we translate in another way, by a part of their ids, with the reason.
const OTHER_REQUESTS: [(&str, &str); 16] = [
    ("requests/completions/full.anthropic", "a stop of white space and a schema of any object are rejected"),
    ("requests/completions/reasoning_max.anthropic", "the model reasons adaptively"),
    ("chat-completions_to_anthropic/functionToolsWithReasoningEffortParam", "a budget of their own"),
    ("chat-completions_to_anthropic/textFormatJsonObjectParam", "a forced tool in place of the format"),
    ("chat-completions_to_anthropic/serviceTierParam", "the default tier is the standard one"),
    ("chat-completions_to_anthropic/reasoningEffortMinimalParam", "the limit leaves room for an answer"),
    ("chat-completions_to_anthropic/jsonSchemaMinimumMaximumParam", "limits become a description"),
    ("kong/request/anthropic", "a request without a model is invalid"),
    ("responses_to_anthropic/responsesToolSearchInputParam", "a search for tools by the client is a call"),
    (
        "responses_to_anthropic/responsesFunctionCallOutputWithoutThoughtSignatureParam",
        "a text is not changed",
    ),
    ("responses_to_anthropic/responsesGpt56PersistedReasoningParam", "the limit leaves room for an answer"),
    ("responses_to_anthropic/reasoningSummaryParam", "an effort requests reasoning"),
    ("responses_to_anthropic/textFormatJsonObjectParam", "a forced tool in place of the format"),
    ("responses_to_anthropic/serviceTierParam", "the default tier is the standard one"),
    ("responses_to_anthropic/jsonSchemaMinimumMaximumParam", "limits become a description"),
    ("responses_to_anthropic/complexReasoningRequest", "a budget of their own"),
];

#[test]
fn requests_are_translated_as_other_projects_do() {
    let Some(pairs) = recorded::pairs("request", "openai.chat", "anthropic.messages") else { return };
    let mut others: Vec<_> = others_of(&pairs, |body| chat::parse_request(body).ok()).collect();
    assert!(pairs.len() >= 29);
    let Some(pairs) = recorded::pairs("request", "openai.responses", "anthropic.messages") else { return };
    assert!(pairs.len() >= 23);
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
) -> impl Iterator<Item = (String, String)> {
    pairs.iter().filter_map(move |pair| {
        let expected = &pair.expected["body"];
        let body = serde_json::to_vec(&pair.input["body"]).expect("JSON");
        let Some((mut request, mut losses)) = parse(&body) else {
            return Some((pair.id.clone(), "it does not parse".to_owned()));
        };
        // They choose another model.
        request.model = expected["model"].as_str().unwrap_or_default().to_owned();
        let rendered: Value = serde_json::from_slice(&render_request(&request, &mut losses)).expect("JSON");
        let (expected, rendered) = (comparable(expected), comparable(&rendered));
        let difference = || format!("theirs {expected}\nours   {rendered}\n{losses:?}");
        (expected != rendered).then(|| (pair.id.clone(), difference()))
    })
}

/// Returns a request without differences in notation.
fn comparable(request: &Value) -> Value {
    let mut request = normalized(request);
    if request["thinking"]["display"] == json!("summarized") {
        request["thinking"].as_object_mut().expect("an object").remove("display");
    }
    request
}

type MakeReader = fn() -> Box<dyn StreamReader>;
type ParseAnswer = fn(&[u8]) -> Result<ConversationAnswer, InvalidAnswer>;

/// Answers and streams that we translate in another way, by a part of their ids, with the reason.
const OTHER_ANSWERS: [(&str, &str); 8] = [
    ("gemini_with_completion_tokens.completions", "the total shows reasoning that the output leaves out"),
    ("gemini_zero_completion_tokens.completions", "the total shows reasoning that the output leaves out"),
    ("openrouter_reasoning.completions-messages", "reasoning is kept"),
    ("anthropic_to_google/toolChoiceRequiredParam-response", "ids of calls are made up in another way"),
    ("responses/reasoning.responses-messages", "reasoning is kept"),
    ("webSearchToolAdvancedParam-response", "a search that OpenAI ran has no block of this API"),
    ("webSearchToolParam-response", "a search that OpenAI ran has no block of this API"),
    (
        "anthropic_to_responses/responsesToolSearchInputParam-response",
        "a search that OpenAI ran has no block",
    ),
];

#[test]
fn answers_are_translated_as_other_projects_do() {
    let mut others = Vec::new();
    let parsers: [(&str, ParseAnswer); 3] = [
        ("gemini.generateContent", gemini::parse_answer),
        ("openai.chat", chat::parse_answer),
        ("openai.responses", responses::parse_answer),
    ];
    for (from, parse) in parsers {
        let Some(pairs) = recorded::pairs("response", from, "anthropic.messages") else { return };
        assert!(!pairs.is_empty());
        for pair in pairs {
            let answer = parse(&serde_json::to_vec(&pair.input["body"]).expect("JSON"));
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", pair.id));
            let usage = answer.count.usage(0, answer.output_bytes());
            let rendered = render_answer(&answer, &identity(), usage);
            let rendered = facts_of_json(&serde_json::from_slice(&rendered).expect("JSON"));
            let expected = facts_of_json(&pair.expected["body"]);
            if rendered != expected {
                others.push((pair.id, format!("theirs {expected:?}\nours   {rendered:?}")));
            }
        }
    }
    let readers: [(&str, MakeReader); 3] = [
        ("gemini.generateContent", || Box::new(gemini::GeminiStreamReader::new())),
        ("openai.chat", || Box::new(chat::ChatStreamReader::new())),
        ("openai.responses", || Box::new(responses::ResponsesStreamReader::new())),
    ];
    for (from, reader) in readers {
        let Some(pairs) = recorded::pairs("stream", from, "anthropic.messages") else { return };
        assert!(!pairs.is_empty());
        for pair in pairs {
            let rendered = facts_of_stream(&translated(&pair, reader()));
            let expected = facts_of_stream(pair.expected["sse_text"].as_str().expect("a stream"));
            if rendered != expected {
                others.push((pair.id, format!("theirs {expected:?}\nours   {rendered:?}")));
            }
        }
    }
    check(others, &OTHER_ANSWERS);
}

fn identity() -> AnswerIdentity {
    AnswerIdentity { id: "1".to_owned(), created: 0, model: "m".to_owned() }
}

/// Returns the stream of a pair for a client of this API.
fn translated(pair: &TranslationPair, mut reader: Box<dyn StreamReader>) -> String {
    let mut events = Vec::new();
    if let Some(stream) = pair.input["sse_text"].as_str() {
        for line in stream.lines().filter_map(|line| line.strip_prefix("data:")) {
            reader.read(line.trim().as_bytes(), &mut events);
        }
    }
    for event in pair.input["stream_events"].as_array().into_iter().flatten() {
        reader.read(event.to_string().as_bytes(), &mut events);
    }
    reader.finish(&mut events);
    let answer = collect(&events);
    assert_eq!(events.last(), Some(&AnswerEvent::Done), "{}", pair.id);
    let mut writer = MessagesStreamWriter::new(identity(), 0);
    let mut out = Vec::new();
    for event in &events {
        writer.write(event, &mut out);
    }
    writer.end(&answer.stop, answer.count.usage(0, answer.output_bytes()), &mut out);
    String::from_utf8(out).expect("UTF-8")
}
