//! Requests.

use pointsman_dialects::chat::{ChatQuirks, parse_request, render_request_for};
use serde_json::{Map, Value, json};

use crate::recorded;

/// A provider that expresses everything.
pub(super) const FULL: ChatQuirks =
    ChatQuirks { allowed_tools: true, custom_tools: true, ..ChatQuirks::OPENROUTER };

/// Members that do not come back, by the ends of their paths in the losses of the first step.
const NOT_IN_THE_FORM: [&str; 3] = ["functions", "eager_input_streaming", "clear_thinking"];

/// Requests that come back in another form, by a part of their ids, with the reason.
const CHANGED: [(&str, &str); 9] = [
    ("direct-url-document-mistral", "a document is a file"),
    ("sonar-pro_understands_docx_documents", "a document is a file"),
    ("test_open_ai_function_calls", "functions are tools"),
    ("openai_chat_completions_post_", "functions are tools"),
    ("chatCompletionsSystemCacheControlParam", "a cache hint has one form"),
    ("test_openai_chat_prompt_cache_e2e", "a cache hint has one form"),
    ("docs-providers-open_router-pdf", "a file has a name"),
    ("test_openrouter_advisor_tool", "a tool that the provider runs"),
    ("test_openrouter_web_search", "a tool that the provider runs"),
];

#[test]
fn every_request_parses_and_comes_back() {
    let Some(calls) = recorded::calls("openai.chat") else { return };
    let mut seen = 0;
    let mut problems = Vec::new();
    for call in calls {
        let Some(body) =
            call.request_body().filter(|body| body["messages"].is_array() && body["model"].is_string())
        else {
            continue;
        };
        if call.status >= 400 {
            continue;
        }
        seen += 1;
        let bytes = serde_json::to_vec(body).expect("JSON");
        let (request, mut losses) =
            parse_request(&bytes).unwrap_or_else(|error| panic!("{}: {error}", call.id));
        for loss in losses.iter() {
            let is_known = NOT_IN_THE_FORM.iter().any(|member| loss.member.ends_with(member));
            if !is_known {
                problems.push(format!("{}: {loss:?}", call.id));
            }
        }
        let rendered = render_request_for(&request, &FULL, &mut losses);
        let rendered: Value = serde_json::from_slice(&rendered).expect("JSON");
        let (expected, rendered) = (normalized(body), normalized(&rendered));
        let is_known = CHANGED.iter().any(|(id, _)| call.id.contains(id));
        if (expected == rendered) == is_known {
            problems.push(format!("{}\n{expected}\n{rendered}\n{losses:?}", call.id));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(seen >= 200, "{seen} requests");
}

/// Returns the request in one of its equivalent forms.
pub(super) fn normalized(body: &Value) -> Value {
    let mut body = body.clone();
    remove_nulls(&mut body);
    let request = body.as_object_mut().expect("an object");
    normalize_reasoning_request(request);
    rename(request, "max_completion_tokens", "max_tokens");
    rename(request, "random_seed", "seed");
    let defaults = [
        ("stream", json!(false)),
        ("n", json!(1)),
        ("logprobs", json!(false)),
        ("response_format", json!({ "type": "text" })),
        ("logit_bias", json!({})),
        ("tools", json!([])),
        ("stream_options", json!({ "include_usage": false })),
    ];
    for (name, value) in defaults {
        if request.get(name) == Some(&value) {
            request.remove(name);
        }
    }
    if let Some(format) = request.get_mut("response_format").and_then(Value::as_object_mut)
        && let Some(schema) = format.get_mut("json_schema").and_then(Value::as_object_mut)
    {
        schema.entry("name").or_insert_with(|| json!("response"));
    }
    for tool in request.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        tool.as_object_mut().expect("an object").remove("eager_input_streaming");
    }
    match request.get_mut("tool_choice") {
        Some(Value::Object(choice)) => {
            choice.entry("type").or_insert_with(|| json!("function"));
        }
        Some(mode) if *mode == "any" => *mode = json!("required"),
        Some(mode) if *mode == "auto" => {
            request.remove("tool_choice");
        }
        _ => {}
    }
    if let Some(Value::String(stop)) = request.get("stop") {
        let stop = json!([stop]);
        request.insert("stop".to_owned(), stop);
    }
    if let Some(tools) = request.get_mut("tools").and_then(Value::as_array_mut) {
        for tool in tools {
            let tool = tool.as_object_mut().expect("an object");
            tool.entry("type").or_insert_with(|| json!("function"));
        }
    }
    for message in request["messages"].as_array_mut().expect("messages") {
        normalize_message(message.as_object_mut().expect("an object"));
    }
    body
}

fn normalize_message(message: &mut Map<String, Value>) {
    normalize_reasoning(message);
    for detail in message.get_mut("reasoning_details").and_then(Value::as_array_mut).into_iter().flatten() {
        let detail = detail.as_object_mut().expect("an object");
        detail.entry("format").or_insert_with(|| json!("anthropic-claude-v1"));
        detail.remove("index");
    }
    if message.get("prefix") == Some(&json!(false)) {
        message.remove("prefix");
    }
    if message.get("content") == Some(&json!([])) {
        message.remove("content");
    }
    if let Some(Value::String(text)) = message.get("content") {
        let content = json!([{ "type": "text", "text": text }]);
        message.insert("content".to_owned(), content);
    }
    for part in message.get_mut("content").and_then(Value::as_array_mut).into_iter().flatten() {
        let part = part.as_object_mut().expect("an object");
        if let Some(Value::String(url)) = part.get("image_url") {
            let url = json!({ "url": url });
            part.insert("image_url".to_owned(), url);
        }
    }
    for call in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
        let call = call.as_object_mut().expect("an object");
        call.remove("index");
        call.entry("type").or_insert_with(|| json!("function"));
    }
    let is_empty = |value: &Value| *value == json!([]) || *value == json!("");
    for name in ["annotations", "tool_calls", "reasoning_content"] {
        if message.get(name).is_some_and(is_empty) {
            message.remove(name);
        }
    }
}

/// Puts the reasoning into `reasoning_content`, but for the details that have a signature.
fn normalize_reasoning(message: &mut Map<String, Value>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut reasoning: Vec<String> = Vec::new();
    for part in message.get("content").and_then(Value::as_array).into_iter().flatten() {
        reasoning.extend(part["thinking"].as_array().into_iter().flatten().map(|chunk| text(&chunk["text"])));
    }
    if let Some(content) = message.get_mut("content").and_then(Value::as_array_mut) {
        content.retain(|part| part["type"] != "thinking");
    }
    for detail in message.get("reasoning_details").and_then(Value::as_array).into_iter().flatten() {
        reasoning.push(text(&detail["text"]) + &text(&detail["summary"]));
    }
    let members = ["reasoning_content", "reasoning"].map(|name| message.remove(name));
    let member = members.iter().flatten().map(text).find(|text| !text.is_empty());
    let reasoning = member.unwrap_or_else(|| reasoning.concat());
    if !reasoning.is_empty() {
        message.insert("reasoning_content".to_owned(), json!(reasoning));
    }
}

/// Puts the request for reasoning into one member.
fn normalize_reasoning_request(request: &mut Map<String, Value>) {
    if let Some(effort) = request.remove("reasoning_effort") {
        request.insert("reasoning".to_owned(), json!({ "effort": effort }));
    }
    let switches = [("thinking", json!("enabled")), ("enable_thinking", json!(true))];
    for (name, on) in switches {
        let Some(value) = request.remove(name) else { continue };
        let is_on = value == on || value["type"] == on;
        if !is_on || !request.contains_key("reasoning") {
            request.insert("reasoning".to_owned(), json!({ "enabled": is_on }));
        }
    }
    if let Some(reasoning) = request.get_mut("reasoning").and_then(Value::as_object_mut)
        && reasoning.contains_key("effort")
    {
        reasoning.remove("enabled");
    }
}

fn rename(members: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = members.remove(from) {
        members.insert(to.to_owned(), value);
    }
}

/// Removes members that are `null`, but for those of schemas.
fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, value| !value.is_null());
            members
                .iter_mut()
                .filter(|(name, _)| *name != "parameters")
                .for_each(|(_, value)| remove_nulls(value));
        }
        Value::Array(elements) => elements.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}
