//! Requests.

use std::collections::BTreeSet;

use pointsman_dialects::form::Losses;
use pointsman_dialects::gemini::render_request;
use serde_json::{Map, Value, json};

use super::request_form::{normalized, parse};
use crate::recorded::{self, RecordedCall};

/// Members of the generation that the common form does not have.
const NOT_IN_THE_FORM: [&str; 5] =
    ["candidateCount", "logprobs", "responseLogprobs", "responseModalities", "speechConfig"];

/// Requests that come back in another form, with the reason.
const CHANGED: [(&str, &str); 2] = [
    (
        "googleThinkingJsonSchemaParam-google-followup-whole",
        "a budget is a level from the third generation on",
    ),
    ("test_multimodal_tool_return_matrix-direct-uploaded_-c25e0b-2", "a file of a result follows the result"),
];

#[test]
fn every_request_comes_back_from_the_common_form() {
    let mut seen = 0;
    let mut different = BTreeSet::new();
    for api in ["gemini.generateContent", "gemini.streamGenerateContent"] {
        for call in recorded::calls(api).into_iter().flatten() {
            let Some(body) = call.request_body() else { continue };
            let body = normalized(body);
            let mut losses = Losses::default();
            let request = parse(&model(&call, &body), &body);
            let rendered = render_request(&request, &mut losses);
            assert!(losses.first_binding().is_none(), "{}: {losses:?}", call.id);
            let rendered: Value = serde_json::from_slice(&rendered).expect("JSON");
            let (expected, rendered) = (meaning(&body), meaning(&normalized(&rendered)));
            let is_changed = CHANGED.iter().any(|(id, _)| call.id.contains(id));
            if (expected != rendered) != is_changed {
                different.insert(format!("{}\n  {expected}\n  {rendered}", call.id));
            }
            seen += 1;
        }
    }
    assert!(different.is_empty(), "{}", different.into_iter().collect::<Vec<_>>().join("\n"));
    assert!(seen == 0 || seen >= 160, "{seen} requests");
}

/// Returns the model that a call names in its path or its body.
fn model(call: &RecordedCall, body: &Value) -> String {
    let path = call.case["request"]["path"].as_str().unwrap_or_default();
    let in_path = path.rsplit_once("/models/").and_then(|(_, name)| name.split(':').next());
    // Where neither names it, budgets are of the generation that has them.
    let has_budget = body["generationConfig"]["thinkingConfig"].get("thinkingBudget").is_some();
    let generation = if has_budget { "gemini-2.5-flash" } else { "gemini-3-flash-preview" };
    let name = in_path.or(body["model"].as_str()).unwrap_or(generation);
    name.strip_prefix("models/").unwrap_or(name).to_owned()
}

/// Returns what a normalized request means: parts with their author in order, tools one by one.
pub fn meaning(body: &Value) -> Value {
    let mut meaning = body.as_object().cloned().unwrap_or_default();
    meaning.remove("model");
    let mut parts = Vec::new();
    for content in body["contents"].as_array().into_iter().flatten() {
        let role = if content["role"] == "model" { "model" } else { "user" };
        for part in content["parts"].as_array().into_iter().flatten() {
            parts.extend(part_meaning(part).map(|part| json!([role, part])));
        }
    }
    meaning.insert("contents".into(), parts.into());
    if let Some(system) = meaning.get_mut("systemInstruction").and_then(Value::as_object_mut) {
        system.remove("role");
        if let Some(parts) = system.get_mut("parts").and_then(Value::as_array_mut) {
            parts.retain(|part| part["text"] != "");
        }
        system.retain(|_, parts| !is_empty(parts));
    }
    let mut functions = Vec::new();
    let mut others = Vec::new();
    for tool in body["tools"].as_array().into_iter().flatten() {
        match tool["functionDeclarations"].as_array() {
            Some(own) => functions.extend(own.iter().cloned()),
            None => others.push(tool.clone()),
        }
    }
    functions.append(&mut others);
    meaning.insert("tools".into(), functions.into());
    read_config(&mut meaning);
    meaning.into()
}

fn read_config(meaning: &mut Map<String, Value>) {
    if let Some(config) = meaning.get_mut("generationConfig").and_then(Value::as_object_mut) {
        for name in NOT_IN_THE_FORM {
            config.remove(name);
        }
        if let Some(level) =
            config.get_mut("thinkingConfig").and_then(|thinking| thinking.get_mut("thinkingLevel"))
        {
            *level = level.as_str().unwrap_or_default().to_lowercase().into();
        }
        // The media type of a text is the default.
        config.retain(|name, value| name != "responseMimeType" || *value != "text/plain");
    }
    if let Some(config) = meaning.get_mut("toolConfig").and_then(Value::as_object_mut) {
        config.remove("includeServerSideToolInvocations");
        let has_names = config
            .get("functionCallingConfig")
            .is_some_and(|config| config.get("allowedFunctionNames").is_some());
        if let Some(mode) = config.get_mut("functionCallingConfig").and_then(|config| config.get_mut("mode"))
        {
            // Without names, the model decides in both modes.
            let name = mode.as_str().unwrap_or_default().to_uppercase();
            let is_auto = name == "VALIDATED" && !has_names;
            *mode = if is_auto { "AUTO".into() } else { name.into() };
        }
    }
    meaning.retain(|_, value| !is_empty(value));
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// Returns what a part means; `None` for an empty text.
fn part_meaning(part: &Value) -> Option<Value> {
    const PLACEHOLDERS: [&str; 2] =
        ["skip_thought_signature_validator", "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="];
    let mut part = part.clone();
    let members = part.as_object_mut()?;
    members.retain(|name, value| {
        name != "thoughtSignature" || !PLACEHOLDERS.iter().any(|placeholder| value == placeholder)
    });
    let is_empty_text = members.len() == 1 && members.get("text").is_some_and(|text| text == "");
    (!is_empty_text).then_some(part)
}
