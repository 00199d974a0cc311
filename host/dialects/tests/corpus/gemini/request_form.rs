//! Requests of the API in one spelling, and in the common form.

use pointsman_dialects::form::{
    ConversationRequest, ExtraMember, LossWeight, MediaSource, Message, MessageRole, OutputFormat, Part,
    PartContent, ProviderPart, ProviderTool, RawJson, Reasoning, ReasoningEffort, ReasoningRequest,
    Signature, SignatureOrigin, ToolCall, ToolChoice, ToolDefinition, ToolInput, ToolResult,
};
use serde_json::{Value, json};

/// Members whose content is not the API's own.
const OPAQUE: [&str; 3] = ["args", "response", "jsonSchema"];

/// Returns a request in one spelling: names in camel case, lists as arrays, and one name for both
/// kinds of schemas.
pub fn normalized(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| {
                let name = match &*camel_case(name) {
                    "parameters" | "parametersJsonSchema" => "jsonSchema".to_owned(),
                    "responseSchema" | "responseJsonSchema" => "jsonSchema".to_owned(),
                    other => other.to_owned(),
                };
                let value = match (&*name, value) {
                    (name, value) if OPAQUE.contains(&name) => value.clone(),
                    ("tools" | "parts", Value::Object(_)) => normalized(&json!([value])),
                    _ => normalized(value),
                };
                (name, value)
            });
            Value::Object(members.collect())
        }
        Value::Array(elements) => elements.iter().map(normalized).collect(),
        other => other.clone(),
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        name + &head.to_uppercase() + tail
    })
}

/// Returns a [normalized] request in the common form.
pub fn parse(model: &str, body: &Value) -> ConversationRequest {
    let mut request = ConversationRequest { model: model.to_owned(), ..ConversationRequest::default() };
    if let Some(system) = body.get("systemInstruction") {
        request.messages.push(Message::new(MessageRole::System, parts(system)));
    }
    for content in body["contents"].as_array().into_iter().flatten() {
        let role = if content["role"] == "model" { MessageRole::Assistant } else { MessageRole::User };
        request.messages.push(Message::new(role, parts(content)));
    }
    for tool in body["tools"].as_array().into_iter().flatten() {
        match tool["functionDeclarations"].as_array() {
            Some(functions) => request.tools.extend(functions.iter().map(function)),
            None => request.provider_tools.push(ProviderTool {
                origin: SignatureOrigin::Gemini,
                path: "tools".into(),
                definition: raw(tool),
            }),
        }
    }
    request.tool_choice = choice(&body["toolConfig"]["functionCallingConfig"]);
    let empty = json!({});
    read_generation(&mut request, body.get("generationConfig").unwrap_or(&empty));
    let known = ["contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "model"];
    for (name, value) in body.as_object().into_iter().flatten() {
        if !known.contains(&&**name) {
            request.extra.push(ExtraMember {
                origin: SignatureOrigin::Gemini,
                name: name.clone(),
                path: name.clone(),
                value: raw(value),
                weight: LossWeight::Binding,
            });
        }
    }
    request
}

fn read_generation(request: &mut ConversationRequest, config: &Value) {
    let number = |name: &str| config.get(name).map(raw);
    request.max_output_tokens = config["maxOutputTokens"].as_u64().and_then(|limit| limit.try_into().ok());
    let sampling = &mut request.sampling;
    (sampling.temperature, sampling.top_p, sampling.top_k) =
        (number("temperature"), number("topP"), number("topK"));
    (sampling.presence_penalty, sampling.frequency_penalty) =
        (number("presencePenalty"), number("frequencyPenalty"));
    sampling.seed = number("seed");
    let stop = config["stopSequences"].as_array().into_iter().flatten();
    request.stop = stop.filter_map(Value::as_str).map(Into::into).collect();
    request.output_format = match (config.get("jsonSchema"), config["responseMimeType"].as_str()) {
        (Some(schema), _) => {
            OutputFormat::JsonSchema { name: None, description: None, schema: raw(schema), strict: None }
        }
        (None, Some("application/json")) => OutputFormat::JsonObject,
        _ => OutputFormat::Text,
    };
    if let Some(thinking) = config.get("thinkingConfig") {
        let budget = thinking["thinkingBudget"].as_i64();
        let level = thinking["thinkingLevel"].as_str().map(str::to_lowercase);
        request.reasoning = Some(ReasoningRequest {
            effort: level.and_then(|level| ReasoningEffort::from_name(&level)),
            budget_tokens: budget.and_then(|budget| budget.try_into().ok()),
            is_adaptive: budget == Some(-1),
            is_visible: thinking["includeThoughts"].as_bool(),
        });
    }
}

fn function(function: &Value) -> ToolDefinition {
    ToolDefinition {
        name: text(&function["name"]),
        description: function["description"].as_str().map(Into::into),
        schema: function.get("jsonSchema").map(raw),
        strict: None,
        takes_text: false,
        grammar: None,
        cache: None,
    }
}

fn choice(config: &Value) -> Option<ToolChoice> {
    let names = config["allowedFunctionNames"].as_array();
    let names: Option<Vec<String>> = names.map(|names| names.iter().map(text).collect());
    Some(match (&*config["mode"].as_str()?.to_uppercase(), names) {
        ("AUTO", _) => ToolChoice::Auto,
        ("NONE", _) => ToolChoice::None,
        (mode, Some(names)) => ToolChoice::Among { names, is_required: mode == "ANY" },
        ("ANY", None) => ToolChoice::Required,
        // The model decides; calls are validated.
        ("VALIDATED", None) => ToolChoice::Auto,
        (other, _) => panic!("{other}"),
    })
}

fn parts(content: &Value) -> Vec<Part> {
    content["parts"].as_array().into_iter().flatten().map(part).collect()
}

fn part(part: &Value) -> Part {
    let members: Vec<&str> = part.as_object().into_iter().flatten().map(|(name, _)| &**name).collect();
    let known =
        ["text", "thought", "thoughtSignature", "functionCall", "functionResponse", "inlineData", "fileData"];
    let content = if members.iter().any(|name| !known.contains(name)) {
        PartContent::Provider(ProviderPart {
            origin: SignatureOrigin::Gemini,
            value: raw(part),
            weight: LossWeight::Binding,
        })
    } else if let Some(call) = part.get("functionCall") {
        PartContent::ToolCall(ToolCall {
            id: text(&call["id"]),
            name: text(&call["name"]),
            input: ToolInput::Json(call["args"].to_string()),
        })
    } else if let Some(response) = part.get("functionResponse") {
        let media = response["parts"].as_array().into_iter().flatten().map(self::part);
        let own = Part::text(response["response"].to_string());
        PartContent::ToolResult(ToolResult {
            call_id: text(&response["id"]),
            tool_name: Some(text(&response["name"])),
            content: [own].into_iter().chain(media).collect(),
            is_error: false,
        })
    } else if let Some(blob) = part.get("inlineData") {
        let source = MediaSource::Base64 { media_type: text(&blob["mimeType"]), data: text(&blob["data"]) };
        PartContent::Image { source, detail: None }
    } else if let Some(file) = part.get("fileData") {
        let media_type = file["mimeType"].as_str().map(Into::into);
        PartContent::Image {
            source: MediaSource::Url { url: text(&file["fileUri"]), media_type },
            detail: None,
        }
    } else if part["thought"] == true {
        PartContent::Reasoning(Reasoning {
            text: text(&part["text"]),
            is_summary: true,
            ..Reasoning::default()
        })
    } else {
        PartContent::Text { text: text(&part["text"]), citations: Vec::new() }
    };
    let signature = match &content {
        PartContent::Provider(_) => None,
        _ => part["thoughtSignature"].as_str(),
    };
    let signature = signature.map(|value| Signature { origin: SignatureOrigin::Gemini, value: value.into() });
    Part { signature, ..Part::new(content) }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn raw(value: &Value) -> RawJson {
    RawJson::of(value).expect("JSON")
}
