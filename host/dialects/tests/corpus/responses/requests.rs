//! Requests: each is read, and has the texts, calls, results and tools that its JSON has.

use pointsman_dialects::form::{ConversationRequest, LossWeight, MessageRole, Part, PartContent, ToolInput};
use pointsman_dialects::responses::parse_request;
use serde_json::Value;

use crate::recorded;

/// Items of tools that the provider runs, and of state that it keeps, by their type.
const BINDING_ITEMS: [&str; 5] =
    ["compaction", "program", "code_interpreter_call", "mcp_call", "item_reference"];

#[test]
fn every_request_is_read_whole() {
    let Some(calls) = recorded::calls("openai.responses") else { return };
    let mut read = 0;
    for call in &calls {
        // A few are recorded without the model: a route needs it.
        let Some(body) = call.request_body().filter(|body| body["model"].is_string()) else { continue };
        let (request, _, losses) =
            parse_request(body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", call.id));
        assert_eq!(texts_of_form(&request), texts_of_json(body), "{}", call.id);
        assert_eq!(tools_of_form(&request), tools_of_json(body), "{}", call.id);
        assert_eq!(request.model, body["model"], "{}", call.id);
        assert_eq!(request.streaming, body["stream"] == true, "{}", call.id);
        let binding: Vec<_> = losses
            .iter()
            .filter(|loss| loss.weight == LossWeight::Binding)
            .map(|loss| &*loss.member)
            .collect();
        assert_eq!(binding, binding_members(body), "{}", call.id);
        read += 1;
    }
    assert!(read >= 150, "{read}");
}

/// Returns what is said in a request: texts with their author, reasoning, calls and results.
fn texts_of_form(request: &ConversationRequest) -> Vec<String> {
    let mut texts = Vec::new();
    for message in &request.messages {
        let role = match message.role {
            MessageRole::System => "system",
            MessageRole::Developer => "developer",
            MessageRole::User => "user",
            MessageRole::Assistant => "assistant",
        };
        message.parts.iter().for_each(|part| texts.push(text_of_part(role, part)));
    }
    texts
}

fn text_of_part(role: &str, part: &Part) -> String {
    match &part.content {
        PartContent::Text { text, .. } => format!("{role}: {text}"),
        PartContent::Refusal(text) => format!("{role} refuses: {text}"),
        PartContent::Reasoning(reasoning) => {
            let encrypted = reasoning.encrypted.as_ref().map(|signature| &*signature.value);
            format!("reasoning: {} {}", reasoning.text, encrypted.unwrap_or_default())
        }
        PartContent::ToolCall(call) => {
            let (ToolInput::Json(input) | ToolInput::Text(input)) = &call.input;
            format!("call {}: {} {input}", call.id, call.name)
        }
        PartContent::ToolResult(result) => {
            let content: Vec<_> = result.content.iter().map(|part| text_of_part("tool", part)).collect();
            format!("result {}: {}", result.call_id, content.join(" "))
        }
        PartContent::Image { .. } => "image".to_owned(),
        PartContent::Document(_) => "file".to_owned(),
        PartContent::Audio(_) => "audio".to_owned(),
        PartContent::Video(_) | PartContent::Provider(_) => "other".to_owned(),
    }
}

fn texts_of_json(body: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    if let Some(text) = body["instructions"].as_str().filter(|text| !text.is_empty()) {
        texts.push(format!("system: {text}"));
    }
    match &body["input"] {
        Value::String(text) => texts.push(format!("user: {text}")),
        Value::Array(items) => items.iter().for_each(|item| texts.extend(texts_of_item(item))),
        _ => {}
    }
    texts
}

fn texts_of_item(item: &Value) -> Vec<String> {
    let text = |name: &str| item[name].as_str().unwrap_or_default();
    match item["type"].as_str().unwrap_or("message") {
        "message" => content_of_json(text("role"), &item["content"]),
        "function_call" => {
            let namespace = item["namespace"].as_str().map(|name| format!("{name}__")).unwrap_or_default();
            vec![format!("call {}: {namespace}{} {}", text("call_id"), text("name"), text("arguments"))]
        }
        "function_call_output" => {
            let output = content_of_json("tool", &item["output"]).join(" ");
            vec![format!("result {}: {output}", text("call_id"))]
        }
        "reasoning" => {
            let joined = |name: &str| {
                let parts = item[name].as_array().into_iter().flatten();
                parts.filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n\n")
            };
            let (content, encrypted) = (joined("content"), text("encrypted_content"));
            let shown = if content.is_empty() { joined("summary") } else { content };
            if shown.is_empty() && encrypted.is_empty() {
                return Vec::new();
            }
            vec![format!("reasoning: {shown} {encrypted}")]
        }
        "tool_search_call" if item["execution"] == "client" => {
            vec![format!("call {}: tool_search {}", text("call_id"), item["arguments"])]
        }
        "tool_search_output" if item["execution"] == "client" => {
            let found = names_of_tools(&item["tools"]).join(", ");
            vec![format!("result {}: tool: Tools found: {found}", text("call_id"))]
        }
        _ => Vec::new(),
    }
}

fn content_of_json(role: &str, content: &Value) -> Vec<String> {
    let Some(parts) = content.as_array() else {
        return vec![format!("{role}: {}", content.as_str().unwrap_or_default())];
    };
    let text = |part: &Value| match part["type"].as_str() {
        Some("input_image") => "image".to_owned(),
        Some("input_file") => "file".to_owned(),
        Some("input_audio") => "audio".to_owned(),
        _ => format!("{role}: {}", part["text"].as_str().unwrap_or_default()),
    };
    parts.iter().map(text).collect()
}

fn tools_of_form(request: &ConversationRequest) -> Vec<(String, String)> {
    let tools = request.tools.iter().map(|tool| {
        let schema = tool.schema.as_ref().map_or("null", |schema| schema.get());
        (tool.name.clone(), schema.to_owned())
    });
    let provider =
        request.provider_tools.iter().map(|tool| (String::new(), tool.definition.get().to_owned()));
    tools.chain(provider).collect()
}

fn tools_of_json(body: &Value) -> Vec<(String, String)> {
    let (mut own, mut provider) = (Vec::<(String, String)>::new(), Vec::new());
    let items = body["input"].as_array().into_iter().flatten();
    let lists = std::iter::once(&body["tools"]).chain(items.map(|item| &item["tools"]));
    for tool in lists.filter_map(Value::as_array).flatten() {
        let names = names_of_tools(&Value::Array(vec![tool.clone()]));
        match tool["type"].as_str() {
            Some("namespace") => {
                let tools = tool["tools"].as_array().into_iter().flatten();
                own.extend(names.into_iter().zip(tools).map(|(name, tool)| (name, schema_of_json(tool))));
            }
            Some("function" | "custom") => own.push((names.concat(), schema_of_json(tool))),
            Some("tool_search") if tool["execution"] != "client" => {}
            Some("tool_search") => own.push(("tool_search".to_owned(), schema_of_json(tool))),
            _ if tool["type"].is_string() => provider.push((String::new(), tool.to_string())),
            _ => {}
        }
    }
    let mut once: Vec<(String, String)> = Vec::new();
    for tool in own {
        if !once.iter().any(|known| known.0 == tool.0) {
            once.push(tool);
        }
    }
    once.into_iter().chain(provider).collect()
}

fn schema_of_json(tool: &Value) -> String {
    tool["parameters"].to_string()
}

fn names_of_tools(tools: &Value) -> Vec<String> {
    let names = |tool: &Value| {
        let name = tool["name"].as_str().unwrap_or_default();
        let inner = tool["tools"].as_array().into_iter().flatten();
        match tool["type"].as_str() {
            Some("namespace") => inner
                .map(|inner| format!("{name}__{}", inner["name"].as_str().unwrap_or_default()))
                .collect::<Vec<_>>(),
            _ => vec![name.to_owned()],
        }
    };
    tools.as_array().into_iter().flatten().flat_map(names).collect()
}

fn binding_members(body: &Value) -> Vec<String> {
    let mut members: Vec<String> = ["previous_response_id", "conversation", "prompt"]
        .into_iter()
        .filter(|name| !body[name].is_null())
        .map(str::to_owned)
        .collect();
    if body["background"] == true {
        members.push("background".to_owned());
    }
    for (index, item) in body["input"].as_array().into_iter().flatten().enumerate() {
        if item["type"].as_str().is_some_and(|kind| BINDING_ITEMS.iter().any(|known| kind.starts_with(known)))
        {
            members.push(format!("input[{index}]"));
        }
    }
    for (index, value) in body["include"].as_array().into_iter().flatten().enumerate() {
        if value == "message.output_text.logprobs" {
            members.push(format!("include[{index}]"));
        }
    }
    if body["top_logprobs"].as_u64().is_some_and(|count| count > 0) {
        members.push("top_logprobs".to_owned());
    }
    if !body["moderation"].is_null() {
        members.push("moderation".to_owned());
    }
    members
}
