//! Readings of answers that are independent of the parsers.

use std::collections::BTreeMap;

use pointsman_dialects::form::{ConversationAnswer, PartContent, ToolInput};
use serde_json::{Value, json};

/// Content of an answer.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Facts {
    pub text: String,
    pub reasoning: String,
    pub refusal: String,
    /// Names and inputs, with the ids that are stated.
    pub calls: Vec<(Option<String>, String, Value)>,
    pub stop: &'static str,
    /// Input, of that read from the cache, output, of that reasoning.
    pub tokens: [u64; 4],
}

/// Returns the facts of an answer in JSON.
pub(super) fn of_json(answer: &Value) -> Facts {
    let choice = &answer["choices"][0];
    let mut message = choice["message"].clone();
    if message.is_null() {
        message = choice["delta"].clone();
    }
    let mut facts = Facts::default();
    add(&mut facts, &message);
    let calls = message["tool_calls"].as_array().cloned().unwrap_or_default();
    let legacy = Some(&message["function_call"]).filter(|call| call.is_object());
    let legacy = legacy.map(|call| json!({ "function": call }));
    facts.calls = calls.iter().chain(&legacy).map(call_of_json).collect();
    facts.stop = stop_name(choice["finish_reason"].as_str(), &facts);
    facts.tokens = tokens(&usage_of(answer));
    facts
}

/// Adds the texts of a message or a delta.
fn add(facts: &mut Facts, message: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    facts.text += &text(&message["content"]);
    for chunk in message["content"].as_array().into_iter().flatten() {
        facts.text += &text(&chunk["text"]);
        for inner in chunk["thinking"].as_array().into_iter().flatten() {
            facts.reasoning += &text(&inner["text"]);
        }
    }
    if facts.text.is_empty() {
        facts.text += &text(&message["audio"]["transcript"]);
    }
    let details = message["reasoning_details"].as_array().into_iter().flatten();
    let details: String = details.map(|detail| text(&detail["text"]) + &text(&detail["summary"])).collect();
    let members = [details, text(&message["reasoning_content"]), text(&message["reasoning"])];
    facts.reasoning += members.iter().find(|text| !text.is_empty()).map_or("", |text| text);
    facts.refusal += &text(&message["refusal"]);
}

fn call_of_json(call: &Value) -> (Option<String>, String, Value) {
    let is_custom = call["type"] == "custom";
    let inner = if is_custom { &call["custom"] } else { &call["function"] };
    let input = if is_custom { inner["input"].clone() } else { of_text(&inner["arguments"]) };
    (
        call["id"].as_str().filter(|id| !id.is_empty()).map(str::to_owned),
        inner["name"].as_str().unwrap_or_default().to_owned(),
        input,
    )
}

/// Returns the JSON in a text; the text itself if the answer was cut in the middle of it.
fn of_text(arguments: &Value) -> Value {
    let Some(text) = arguments.as_str() else { return arguments.clone() };
    let text = if text.is_empty() { "{}" } else { text };
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

pub(super) fn stop_name(reason: Option<&str>, facts: &Facts) -> &'static str {
    match reason.unwrap_or_default() {
        "" | "stop" | "eos" if !facts.calls.is_empty() => "ToolCalls",
        "" | "stop" | "eos" if !facts.refusal.is_empty() => "Refusal",
        "" | "stop" | "eos" => "Complete",
        "length" => "MaxTokens",
        "tool_calls" | "function_call" => "ToolCalls",
        "content_filter" => "ContentFilter",
        _ => "Other",
    }
}

/// Returns the usage of an answer or an event.
fn usage_of(value: &Value) -> Value {
    let places = [&value["usage"], &value["x_groq"]["usage"], &value["choices"][0]["usage"]];
    places.into_iter().find(|usage| usage.is_object()).cloned().unwrap_or_default()
}

pub(super) fn tokens(usage: &Value) -> [u64; 4] {
    let count = |value: &Value| value.as_u64();
    let cached = [
        &usage["prompt_tokens_details"]["cached_tokens"],
        &usage["cached_tokens"],
        &usage["num_cached_tokens"],
        &usage["prompt_cache_hit_tokens"],
    ];
    let cached = cached.into_iter().find_map(count).unwrap_or(0);
    let input = count(&usage["prompt_tokens"]).unwrap_or(0);
    // Some servers leave reasoning out of the completion.
    let rest = count(&usage["total_tokens"]).unwrap_or(0).saturating_sub(input);
    let output = count(&usage["completion_tokens"]).unwrap_or(0).max(rest);
    let reasoning = &usage["completion_tokens_details"]["reasoning_tokens"];
    let reasoning = count(reasoning).or_else(|| count(&usage["reasoning_tokens"])).unwrap_or(0);
    [input, cached.min(input), output, reasoning.min(output)]
}

/// Returns the facts of a stream from its JSON.
pub(super) fn of_stream(stream: &str) -> Facts {
    let mut facts = Facts::default();
    let mut stop = None;
    let mut usage = json!({});
    let mut calls: BTreeMap<u64, (Option<String>, String, String)> = BTreeMap::new();
    let lines = stream.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    for event in lines.split("\n\n") {
        let data: String = event.lines().filter_map(|line| line.strip_prefix("data:")).collect();
        let Ok(event) = serde_json::from_str::<Value>(&data) else { continue };
        let stated = usage_of(&event);
        if stated.is_object() {
            usage = stated;
        }
        let first = event["choices"].as_array().into_iter().flatten();
        let Some(choice) = first.into_iter().find(|choice| choice["index"].as_u64().unwrap_or(0) == 0) else {
            continue;
        };
        let delta = &choice["delta"];
        add(&mut facts, delta);
        stop =
            choice["finish_reason"].as_str().filter(|reason| !reason.is_empty()).map(str::to_owned).or(stop);
        let legacy = Some(&delta["function_call"]).filter(|call| call.is_object());
        let legacy = legacy.map(|call| json!({ "function": call, "index": 0 }));
        for call in delta["tool_calls"].as_array().into_iter().flatten().chain(&legacy) {
            let id = call["id"].as_str().filter(|id| !id.is_empty());
            let name = call["function"]["name"].as_str().filter(|name| !name.is_empty());
            let last = calls.keys().next_back().copied();
            let begins = id.is_some() || name.is_some();
            let index = call["index"].as_u64().or_else(|| Some(last? + u64::from(begins))).unwrap_or(0);
            let own = calls.entry(index).or_default();
            own.0 = id.map(str::to_owned).or(own.0.take());
            if let Some(name) = name {
                name.clone_into(&mut own.1);
            }
            match &call["function"]["arguments"] {
                Value::String(piece) => own.2 += piece,
                Value::Null => {}
                other => own.2 += &other.to_string(),
            }
        }
    }
    let calls = calls.into_values();
    facts.calls = calls.map(|(id, name, input)| (id, name, of_text(&json!(input)))).collect();
    facts.stop = stop_name(stop.as_deref(), &facts);
    facts.tokens = tokens(&usage);
    facts
}

/// Returns the facts of a parsed answer. `stated` are the facts whose calls have ids.
pub(super) fn of_answer(answer: &ConversationAnswer, stated: &Facts) -> Facts {
    let mut facts = Facts { text: answer.text(), ..Facts::default() };
    for part in &answer.parts {
        match &part.content {
            PartContent::Reasoning(reasoning) => facts.reasoning += &reasoning.text,
            PartContent::Refusal(refusal) => facts.refusal += refusal,
            PartContent::ToolCall(call) => {
                let input = match &call.input {
                    ToolInput::Json(input) => of_text(&json!(input)),
                    ToolInput::Text(input) => json!(input),
                };
                let has_id = stated.calls.get(facts.calls.len()).is_none_or(|(id, ..)| id.is_some());
                facts.calls.push((has_id.then(|| call.id.clone()), call.name.clone(), input));
            }
            _ => {}
        }
    }
    let stop = format!("{:?}", answer.stop);
    let names = ["Complete", "MaxTokens", "ToolCalls", "Refusal", "ContentFilter"];
    facts.stop = names.into_iter().find(|name| stop.starts_with(name)).unwrap_or("Other");
    let usage = answer.count.usage(0, 0);
    facts.tokens =
        [usage.input_tokens, usage.cached_input_tokens, usage.output_tokens, usage.reasoning_tokens];
    facts
}
