//! Whole answers and errors.

use pointsman_dialects::anthropic::{parse_answer, parse_error, render_answer};
use pointsman_dialects::form::{
    AnswerIdentity, ConversationAnswer, PartContent, ProviderErrorKind, StopReason, ToolInput,
};
use serde_json::{Value, json};

use crate::recorded;

/// Reading of an answer that is independent of the parser.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Facts {
    pub text: String,
    pub thinking: String,
    /// Ids, names and inputs.
    pub calls: Vec<(String, String, Value)>,
    pub provider_blocks: usize,
    pub stop: Option<&'static str>,
    /// Input with that of the cache, read from it, written to it, and output.
    pub tokens: [u64; 4],
}

/// Returns the facts of an answer in JSON.
pub(super) fn facts_of_json(answer: &Value) -> Facts {
    let mut facts = Facts::default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for block in answer["content"].as_array().into_iter().flatten() {
        match block["type"].as_str().unwrap_or_default() {
            "text" => facts.text += &text(&block["text"]),
            "thinking" => facts.thinking += &text(&block["thinking"]),
            "redacted_thinking" => {}
            "tool_use" => {
                facts.calls.push((text(&block["id"]), text(&block["name"]), block["input"].clone()));
            }
            _ => facts.provider_blocks += 1,
        }
    }
    facts.stop = answer["stop_reason"].as_str().map(stop_name);
    facts.tokens = tokens_of_json(&answer["usage"]);
    facts
}

pub(super) fn tokens_of_json(usage: &Value) -> [u64; 4] {
    let count = |name: &str| usage[name].as_u64().unwrap_or(0);
    let (read, write) = (count("cache_read_input_tokens"), count("cache_creation_input_tokens"));
    [count("input_tokens") + read + write, read, write, count("output_tokens")]
}

pub(super) fn stop_name(reason: &str) -> &'static str {
    match reason {
        "end_turn" => "Complete",
        "max_tokens" => "MaxTokens",
        "stop_sequence" => "StopSequence",
        "tool_use" => "ToolCalls",
        "refusal" => "Refusal",
        "pause_turn" => "Pause",
        _ => "Other",
    }
}

/// Returns the facts of a parsed answer.
pub(super) fn facts_of_answer(answer: &ConversationAnswer) -> Facts {
    let mut facts = Facts { text: answer.text(), ..Facts::default() };
    for part in &answer.parts {
        match &part.content {
            PartContent::Reasoning(reasoning) => facts.thinking += &reasoning.text,
            PartContent::ToolCall(call) => {
                let ToolInput::Json(input) = &call.input else { panic!("{call:?}") };
                let input = if input.is_empty() { "{}" } else { input };
                // An answer may be cut in the middle of a call.
                let input = serde_json::from_str(input).unwrap_or_else(|_| json!(input));
                facts.calls.push((call.id.clone(), call.name.clone(), input));
            }
            PartContent::Provider(_) => facts.provider_blocks += 1,
            _ => {}
        }
    }
    let stop = format!("{:?}", answer.stop);
    let names = ["Complete", "MaxTokens", "StopSequence", "ToolCalls", "Refusal", "Pause", "Other"];
    facts.stop = names.into_iter().find(|name| stop.starts_with(name));
    let usage = answer.count.usage(0, 0);
    let cached = [usage.cached_input_tokens, usage.cache_write_tokens];
    facts.tokens = [usage.input_tokens, cached[0], cached[1], usage.output_tokens];
    facts
}

#[test]
fn every_answer_parses_and_comes_back() {
    let Some(calls) = recorded::calls("anthropic.messages") else { return };
    let mut seen = 0;
    for call in calls.iter().filter(|call| call.status < 400) {
        let Some(body) = call.response_body().filter(|body| body["type"] == "message") else { continue };
        seen += 1;
        let answer = parse_answer(&serde_json::to_vec(body).expect("JSON"))
            .unwrap_or_else(|error| panic!("{}: {error}", call.id));
        assert_eq!(facts_of_answer(&answer), facts_of_json(body), "{}", call.id);
        assert_eq!(answer.id, body["id"].as_str().unwrap_or_default());
        assert_eq!(answer.model, body["model"].as_str().unwrap_or_default());

        let identity = AnswerIdentity { id: "1".to_owned(), created: 0, model: "m".to_owned() };
        let rendered = render_answer(&answer, &identity, answer.count.usage(0, answer.output_bytes()));
        let rendered: Value = serde_json::from_slice(&rendered).expect("JSON");
        let is_refusal = answer.stop == StopReason::Refusal;
        if !is_refusal {
            assert_eq!(normalized(&rendered["content"]), normalized(&body["content"]), "{}", call.id);
        }
        // Code that the model runs called the tool: the form does not hold by whom it was called.
        let is_called_by_code = call.id.contains("programmatic-tool-calling");
        let is_same = rendered["stop_reason"] == body["stop_reason"];
        assert!(is_same || is_called_by_code, "{}: {}", call.id, rendered["stop_reason"]);
        assert_eq!(rendered["stop_sequence"], body["stop_sequence"], "{}", call.id);
        assert_eq!(tokens_of_json(&rendered["usage"]), tokens_of_json(&body["usage"]), "{}", call.id);
    }
    assert!(seen >= 120, "{seen} answers");
}

/// Returns content without what the common form does not hold: empty citations, and the statement
/// that the model itself called a tool.
fn normalized(content: &Value) -> Value {
    let mut content = content.clone();
    for block in content.as_array_mut().into_iter().flatten() {
        let block = block.as_object_mut().expect("an object");
        let is_call = block.get("type") == Some(&json!("tool_use"));
        if is_call || block.get("type") == Some(&json!("text")) {
            block.retain(|name, value| !value.is_null() && *value != json!([]) && name != "caller");
        }
    }
    content
}

#[test]
fn every_error_parses() {
    let Some(calls) = recorded::calls("anthropic.messages") else { return };
    let mut seen = 0;
    for call in calls.iter().filter(|call| call.status >= 400) {
        let Some(body) = call.response_body().filter(|body| body["error"].is_object()) else { continue };
        seen += 1;
        let error = parse_error(call.status, &serde_json::to_vec(body).expect("JSON"));
        assert_eq!(error.status, call.status);
        assert_eq!(error.message, body["error"]["message"].as_str().unwrap_or_default(), "{}", call.id);
        let expected = match call.status {
            401 => ProviderErrorKind::Authentication,
            402 | 403 => ProviderErrorKind::Permission,
            404 => ProviderErrorKind::NotFound,
            413 => ProviderErrorKind::TooLarge,
            429 => ProviderErrorKind::RateLimit,
            500 => ProviderErrorKind::Server,
            504 => ProviderErrorKind::Timeout,
            529 => ProviderErrorKind::Overloaded,
            _ => {
                let kinds = [
                    ProviderErrorKind::InvalidRequest,
                    ProviderErrorKind::ContextLength,
                    ProviderErrorKind::Permission,
                    ProviderErrorKind::ContentPolicy,
                ];
                assert!(kinds.contains(&error.kind), "{}: {error:?}", call.id);
                continue;
            }
        };
        assert_eq!(error.kind, expected, "{}", call.id);
    }
    assert!(seen >= 10, "{seen} errors");
}
