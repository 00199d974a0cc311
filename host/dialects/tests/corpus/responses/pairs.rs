//! Translations of answers by other projects, to clients of this API and from its providers.

use pointsman_dialects::form::{
    AnswerEvent, AnswerIdentity, ConversationAnswer, InvalidAnswer, StreamReader, StreamWriter,
};
use pointsman_dialects::responses::{
    EchoedMembers, ResponsesStreamReader, ResponsesStreamWriter, parse_answer, parse_request, render_answer,
};
use pointsman_dialects::{anthropic, chat, gemini};
use serde_json::Value;

use super::independent::AnswerSummary;
use super::streams::{collect, last_response};
use crate::recorded::{self, TranslationPair};
use crate::streams;

/// Pairs that differ, with the reason.
const DISAGREEMENTS: [(&str, &str); 5] = [
    (
        "golden/agentgateway/response/completions/openrouter_reasoning.completions-responses",
        "reasoning is kept",
    ),
    (
        "golden/agentgateway/response/completions/gemini_with_completion_tokens.completions-responses",
        "the total has tokens of reasoning that the completion leaves out",
    ),
    (
        "golden/lingua/responses_to_anthropic/reasoningWithOutput-streaming",
        "their last response lacks the text",
    ),
    (
        "golden/agentgateway/response/responses/stream-custom-tool.responses-responses-streaming",
        "the id is masked",
    ),
    (
        "golden/lingua/responses_to_google/functionToolsWithReasoningEffortParam-response",
        "ids of calls are made",
    ),
];

fn identity() -> AnswerIdentity {
    AnswerIdentity { id: "1".to_owned(), created: 0, model: "m".to_owned() }
}

fn echoed() -> EchoedMembers {
    parse_request(br#"{"model":"m","input":"x"}"#).expect("a request").1
}

/// Returns the summary of a response that a client receives.
fn rendered(answer: &ConversationAnswer) -> AnswerSummary {
    let usage = answer.count.usage(1, answer.output_bytes());
    let bytes = render_answer(answer, &identity(), &echoed(), usage);
    AnswerSummary::of_json(&serde_json::from_slice(&bytes).expect("a response"))
}

/// Returns the summary of a stream that a client receives.
fn rendered_stream(reader: &mut dyn StreamReader, stream: &str) -> AnswerSummary {
    let events = streams::read(reader, stream, usize::MAX);
    let answer = collect(&events);
    let mut writer = ResponsesStreamWriter::new(identity(), echoed());
    let mut out = Vec::new();
    events.iter().for_each(|event: &AnswerEvent| writer.write(event, &mut out));
    writer.end(&answer.stop, answer.count.usage(1, answer.output_bytes()), &mut out);
    let text = String::from_utf8(out).expect("text");
    AnswerSummary::of_json(&last_response(&text).expect("an end"))
}

/// Checks that a pair differs if and only if it is listed.
fn check(pair: &TranslationPair, ours: &AnswerSummary, theirs: &AnswerSummary) {
    match DISAGREEMENTS.iter().find(|(id, _)| *id == pair.id) {
        None => assert_eq!(ours, theirs, "{}", pair.id),
        Some((_, reason)) => assert_ne!(ours, theirs, "{}: not the case any more: {reason}", pair.id),
    }
}

fn stream_of(value: &Value) -> String {
    if let Some(text) = value["sse_text"].as_str() {
        return text.to_owned();
    }
    let events = value["stream_events"].as_array().into_iter().flatten();
    events.map(|event| format!("data: {event}\n\n")).collect()
}

type NewReader = fn() -> Box<dyn StreamReader>;
type ParseAnswer = fn(&[u8]) -> Result<ConversationAnswer, InvalidAnswer>;

#[test]
fn answers_of_other_providers_are_those_of_other_projects() {
    let apis: [(&str, ParseAnswer); 4] = [
        ("openai.chat", chat::parse_answer),
        ("anthropic.messages", anthropic::parse_answer),
        ("gemini.generateContent", gemini::parse_answer),
        ("openai.responses", parse_answer),
    ];
    for (api, parse) in apis {
        let Some(pairs) = recorded::pairs("response", api, "openai.responses") else { return };
        assert!(!pairs.is_empty(), "{api}");
        for pair in &pairs {
            let body = pair.input["body"].to_string();
            let ours = rendered(&parse(body.as_bytes()).expect("an answer"));
            check(pair, &ours, &AnswerSummary::of_json(&pair.expected["body"]));
        }
    }
}

#[test]
fn streams_of_other_providers_are_those_of_other_projects() {
    let apis: [(&str, NewReader); 3] = [
        ("anthropic.messages", || Box::new(anthropic::MessagesStreamReader::new())),
        ("gemini.generateContent", || Box::new(gemini::GeminiStreamReader::new())),
        ("openai.responses", || Box::new(ResponsesStreamReader::new())),
    ];
    for (api, reader) in apis {
        let Some(pairs) = recorded::pairs("stream", api, "openai.responses") else { return };
        assert!(!pairs.is_empty(), "{api}");
        for pair in &pairs {
            let ours = rendered_stream(&mut *reader(), &stream_of(&pair.input));
            let theirs = last_response(&stream_of(&pair.expected)).expect("an end");
            check(pair, &ours, &AnswerSummary::of_json(&theirs));
        }
    }
}
