//! Translations of other projects.

use pointsman_dialects::form::{AnswerIdentity, ConversationAnswer, ConversationRequest, Losses};
use pointsman_dialects::gemini::{parse_answer, render_request};
use pointsman_dialects::{anthropic, chat};
use pointsman_domain::serving_error::ServingError;
use pointsman_domain::usage::Usage;
use serde_json::{Map, Value, json};

use super::request_form::normalized;
use super::requests::meaning;
use crate::recorded;

/// Disagreements, with the reason.
const DIFFERENT: [(&str, &str); 14] = [
    ("anthropicMessageWithSystemMessage-request", THOUGHTS),
    (
        "anthropicOpus5DisabledThinkingHighEffortParam-request",
        "reasoning that is disabled is as little as possible",
    ),
    ("completions/multi-turn-tools.vertex-gemini", OBJECT),
    ("completions/parallel-tool-call.vertex-gemini", OBJECT),
    ("completions/reasoning_max.vertex-gemini", "the greatest effort has a greater budget"),
    ("completions/structured-output.vertex-gemini", "a schema keeps its definitions"),
    ("frequencyPenaltyParam-request", "the API has penalties"),
    ("gemini", "defaults are the model's"),
    ("opus47AdaptiveThinkingReasoningEffortParam-request", THOUGHTS),
    ("outputFormatJsonSchemaParam-request", "a schema without a name has no title"),
    ("presencePenaltyParam-request", "the API has penalties"),
    ("reasoningEffortMinimalParam-request", THOUGHTS),
    ("reasoningEffortNoneParam-request", "no reasoning is as little as possible"),
    ("toolChoiceRequiredWithReasoningParam-request", THOUGHTS),
];
const THOUGHTS: &str = "thoughts are included where the client asks for them";
const OBJECT: &str = "a result that is a JSON object is the response itself";

#[test]
fn requests_for_chat_completions_agree_with_other_translations() {
    check("openai.chat", chat::parse_request, 31);
}

#[test]
fn requests_for_messages_agree_with_other_translations() {
    check("anthropic.messages", anthropic::parse_request, 22);
}

#[test]
fn answers_for_chat_completions_agree_with_other_translations() {
    check_answers(
        "openai.chat",
        10,
        &[("response/gemini", "usage is stated")],
        |answer, identity, usage| {
            let body: Value =
                serde_json::from_slice(&chat::render_answer(answer, identity, usage)).expect("JSON");
            facts_of_completion(&body)
        },
        facts_of_completion,
    );
}

#[test]
fn answers_for_messages_agree_with_other_translations() {
    check_answers(
        "anthropic.messages",
        7,
        &[],
        |answer, identity, usage| {
            let body: Value =
                serde_json::from_slice(&anthropic::render_answer(answer, identity, usage)).expect("JSON");
            facts_of_message(&body)
        },
        facts_of_message,
    );
}

/// Returns the text, the calls, the reason to stop and the tokens of a completion.
fn facts_of_completion(body: &Value) -> Value {
    let choice = &body["choices"][0];
    let calls = choice["message"]["tool_calls"].as_array().into_iter().flatten();
    let calls = calls.map(|call| json!([call["function"]["name"], parsed(&call["function"]["arguments"])]));
    let text = choice["message"]["content"].as_str().unwrap_or_default();
    let usage = &body["usage"];
    json!({
        "text": text, "calls": calls.collect::<Value>(), "stop": choice["finish_reason"],
        "usage": [usage["prompt_tokens"], usage["completion_tokens"]],
    })
}

/// Returns the same of a message.
fn facts_of_message(body: &Value) -> Value {
    let blocks = || body["content"].as_array().into_iter().flatten();
    let text: String = blocks().filter_map(|block| block["text"].as_str()).collect();
    let calls = blocks().filter(|block| block["type"] == "tool_use");
    let calls = calls.map(|call| json!([call["name"], call["input"]]));
    let usage = &body["usage"];
    json!({
        "text": text, "calls": calls.collect::<Value>(), "stop": body["stop_reason"],
        "usage": [usage["input_tokens"], usage["output_tokens"]],
    })
}

fn parsed(text: &Value) -> Value {
    serde_json::from_str(text.as_str().unwrap_or_default()).unwrap_or_default()
}

fn check_answers(
    to: &str,
    expected_pairs: usize,
    known: &[(&str, &str)],
    render: impl Fn(&ConversationAnswer, &AnswerIdentity, Usage) -> Value,
    facts: impl Fn(&Value) -> Value,
) {
    let Some(pairs) = recorded::pairs("response", "gemini.generateContent", to) else { return };
    let mut different = Vec::new();
    for pair in &pairs {
        let body = serde_json::to_vec(&pair.input["body"]).expect("JSON");
        let answer = parse_answer(&body).unwrap_or_else(|error| panic!("{}: {error}", pair.id));
        let identity = AnswerIdentity { id: "1".into(), created: 1, model: "m".into() };
        let rendered = render(&answer, &identity, answer.count.usage(0, 0));
        let expected = facts(&pair.expected["body"]);
        let is_known = known.iter().any(|(id, _)| pair.id.ends_with(&format!("/{id}")));
        if (expected != rendered) != is_known {
            different.push(format!("{}\n  {expected}\n  {rendered}", pair.id));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert_eq!(pairs.len(), expected_pairs);
}

fn check(
    from: &str,
    parse: impl Fn(&[u8]) -> Result<(ConversationRequest, Losses), ServingError>,
    expected_pairs: usize,
) {
    let Some(pairs) = recorded::pairs("request", from, "gemini.generateContent") else { return };
    let mut different = Vec::new();
    for pair in &pairs {
        let mut body = pair.input["body"].clone();
        body.as_object_mut().expect("an object").entry("model").or_insert_with(|| "m".into());
        let body = serde_json::to_vec(&body).expect("JSON");
        let (mut request, mut losses) = parse(&body).unwrap_or_else(|error| panic!("{}: {error}", pair.id));
        let expected = normalized(&pair.expected["body"]);
        request.model = expected["model"].as_str().unwrap_or("gemini-2.5-pro").to_owned();
        let rendered = render_request(&request, &mut losses);
        let rendered: Value = serde_json::from_slice(&rendered).expect("JSON");
        let (expected, rendered) = (comparable(&expected), comparable(&normalized(&rendered)));
        let is_known = DIFFERENT.iter().any(|(id, _)| pair.id.ends_with(&format!("/{id}")));
        if (expected != rendered) != is_known {
            different.push(format!("{}\n{}\n{losses:?}", pair.id, differences(&expected, &rendered)));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert_eq!(pairs.len(), expected_pairs);
}

/// Returns what a request means, without ids, which other projects leave out, and with one text for
/// all instructions.
fn comparable(body: &Value) -> Value {
    let mut meaning = meaning(body);
    for part in meaning["contents"].as_array_mut().into_iter().flatten() {
        for kind in ["functionCall", "functionResponse"] {
            if let Some(call) = part[1].get_mut(kind).and_then(Value::as_object_mut) {
                call.remove("id");
            }
        }
    }
    if let Some(system) = meaning.get_mut("systemInstruction") {
        let texts: Vec<&str> = system["parts"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|part| part["text"].as_str())
            .collect();
        *system = texts.join("\n").into();
    }
    meaning
}

/// Returns the members that differ.
fn differences(expected: &Value, rendered: &Value) -> String {
    let empty = Map::new();
    let (expected, rendered) =
        (expected.as_object().unwrap_or(&empty), rendered.as_object().unwrap_or(&empty));
    let names = expected.keys().chain(rendered.keys().filter(|name| !expected.contains_key(*name)));
    let different = names.filter(|name| expected.get(*name) != rendered.get(*name));
    let lines = different.map(|name| {
        format!(
            "  {name}: {:?}\n   own: {:?}",
            expected.get(name).map(ToString::to_string),
            rendered.get(name).map(ToString::to_string)
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}
