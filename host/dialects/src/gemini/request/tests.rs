use serde_json::{Value, json};

use super::*;
use crate::form::*;

mod messages;

/// Renders a request, and compares the body and the losses: `!` marks those that are binding.
fn check(request: &ConversationRequest, expected: Value, expected_losses: &[&str]) {
    let mut losses = Losses::default();
    let body = render_request(request, &mut losses);
    assert_eq!(serde_json::from_slice::<Value>(&body).expect("JSON"), expected);
    let weight = |weight| if weight == LossWeight::Binding { "!" } else { "" };
    let losses: Vec<_> =
        losses.iter().map(|loss| format!("{}{}", weight(loss.weight), loss.member)).collect();
    assert_eq!(losses, expected_losses);
}

fn request(model: &str, messages: Vec<Message>) -> ConversationRequest {
    ConversationRequest { model: model.into(), messages, ..ConversationRequest::default() }
}

fn user(text: &str) -> Message {
    Message::new(MessageRole::User, vec![Part::text(text)])
}

fn model(parts: Vec<Part>) -> Message {
    Message::new(MessageRole::Assistant, parts)
}

fn call(id: &str, input: &str, signature: Option<Signature>) -> Part {
    let input = ToolInput::Json(input.into());
    let content = PartContent::ToolCall(ToolCall { id: id.into(), name: "f".into(), input });
    Part { signature, ..Part::new(content) }
}

fn result(id: &str, content: Vec<Part>, is_error: bool) -> Part {
    let tool_name = Some("f".into());
    Part::new(PartContent::ToolResult(ToolResult { call_id: id.into(), tool_name, content, is_error }))
}

fn image(source: MediaSource) -> Part {
    Part::new(PartContent::Image { source, detail: None })
}

fn png() -> MediaSource {
    MediaSource::Base64 { media_type: "image/png".into(), data: "AA==".into() }
}

fn signature(origin: SignatureOrigin) -> Option<Signature> {
    Some(Signature { origin, value: "sig".into() })
}

fn raw(text: &str) -> RawJson {
    RawJson::parse(text).expect("JSON")
}

/// Contents of a turn of the model.
fn turn(parts: Value) -> Value {
    json!({"contents": [{"role": "model", "parts": parts}]})
}

#[test]
fn instructions_are_apart_from_the_conversation() {
    let system = |role, text: &str| Message::new(role, vec![Part::text(text)]);
    let messages = vec![
        system(MessageRole::System, "a"),
        user("hi"),
        model(vec![Part::text("yes?")]),
        system(MessageRole::Developer, "b"),
    ];
    let expected = json!({
        "systemInstruction": {"parts": [{"text": "a"}, {"text": "b"}]},
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}, {"role": "model", "parts": [{"text": "yes?"}]}],
    });
    check(&request("gemini-2.5-pro", messages), expected, &[]);
}

#[test]
fn instructions_alone_are_the_message_of_the_user() {
    let messages = vec![Message::new(MessageRole::System, vec![Part::text("a")])];
    let expected = json!({"contents": [{"role": "user", "parts": [{"text": "a"}]}]});
    check(&request("gemini-2.5-pro", messages), expected, &[]);
}

#[test]
fn every_setting_has_its_member() {
    let sampling = Sampling {
        temperature: Some(raw("0.70")),
        top_p: Some(raw("0.9")),
        top_k: Some(raw("40")),
        presence_penalty: Some(raw("0.1")),
        frequency_penalty: Some(raw("-0.2")),
        seed: Some(raw("42")),
    };
    let request = ConversationRequest {
        max_output_tokens: Some(100),
        sampling,
        stop: vec!["END".into()],
        output_format: OutputFormat::JsonObject,
        reasoning: Some(ReasoningRequest {
            effort: Some(ReasoningEffort::Low),
            is_visible: Some(true),
            ..ReasoningRequest::default()
        }),
        streaming: true,
        wants_stream_usage: true,
        ..request("gemini-3-flash", vec![user("hi")])
    };
    let expected = json!({
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {
            "maxOutputTokens": 100, "temperature": 0.70, "topP": 0.9, "topK": 40, "stopSequences": ["END"],
            "seed": 42, "presencePenalty": 0.1, "frequencyPenalty": -0.2,
            "responseMimeType": "application/json",
            "thinkingConfig": {"includeThoughts": true, "thinkingLevel": "low"},
        },
    });
    check(&request, expected, &[]);
    let body = render_request(&request, &mut Losses::default());
    assert!(std::str::from_utf8(&body).is_ok_and(|body| body.contains("\"temperature\":0.70,")));
}

#[test]
fn what_the_api_has_no_member_for_is_a_loss() {
    let extra = |origin, name: &str, weight| ExtraMember {
        origin,
        name: name.into(),
        path: name.into(),
        value: raw("1"),
        weight,
    };
    let request = ConversationRequest {
        end_user: Some("u".into()),
        stop: ["a", "b", "c", "d", "e", "f"].map(Into::into).to_vec(),
        sampling: Sampling { seed: Some(raw("5000000000")), ..Sampling::default() },
        extra: vec![
            extra(SignatureOrigin::OpenAi, "n", LossWeight::Binding),
            extra(SignatureOrigin::OpenAi, "store", LossWeight::Advisory),
            extra(SignatureOrigin::Gemini, "cachedContent", LossWeight::Binding),
        ],
        ..request("gemini-2.5-pro", vec![user("hi")])
    };
    let expected = json!({
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {"stopSequences": ["a", "b", "c", "d", "e"]},
        "cachedContent": 1,
    });
    check(&request, expected, &["!stop", "seed", "user", "!n", "store"]);
}

#[test]
fn tools_keep_their_schema_to_the_letter() {
    let schema = r#"{"type":"object", "properties":{"z":{"const":1.50},"a":{}},"$defs":{}}"#;
    let tool = ToolDefinition {
        name: "f".into(),
        description: Some("d".into()),
        schema: Some(raw(schema)),
        strict: Some(true),
        takes_text: false,
        grammar: None,
        cache: Some(CacheHint::default()),
    };
    let request = ConversationRequest {
        tools: vec![tool],
        provider_tools: vec![
            ProviderTool {
                origin: SignatureOrigin::Gemini,
                path: "tools[1]".into(),
                definition: raw(r#"{"googleSearch":{}}"#),
            },
            ProviderTool { origin: SignatureOrigin::OpenAi, path: "tools[2]".into(), definition: raw("{}") },
        ],
        ..request("gemini-2.5-pro", vec![user("hi")])
    };
    let body = render_request(&request, &mut Losses::default());
    assert!(std::str::from_utf8(&body).is_ok_and(|body| body.contains(schema)));
    let expected = json!({
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "tools": [
            {"functionDeclarations": [{"name": "f", "description": "d",
                "parametersJsonSchema": serde_json::from_str::<Value>(schema).expect("JSON")}]},
            {"googleSearch": {}},
        ],
    });
    check(&request, expected, &["tools[0].function.strict", "tools[0].cache_control", "tools[2]"]);
}

#[test]
fn a_tool_that_takes_text_takes_an_object_with_it() {
    let tool = ToolDefinition {
        name: "f".into(),
        description: None,
        schema: None,
        strict: None,
        takes_text: true,
        grammar: Some(ToolGrammar { syntax: "regex".into(), definition: "a+".into() }),
        cache: None,
    };
    let input = ToolInput::Text("ls \"x\"".into());
    let part = Part::new(PartContent::ToolCall(ToolCall { id: "1".into(), name: "f".into(), input }));
    let request =
        ConversationRequest { tools: vec![tool], ..request("gemini-2.5-pro", vec![model(vec![part])]) };
    let expected = json!({
        "contents": [{"role": "model", "parts": [
            {"functionCall": {"id": "1", "name": "f", "args": {"input": "ls \"x\""}}}]}],
        "tools": [{"functionDeclarations": [{
            "name": "f",
            "description": "The input must match this grammar (regex):\na+",
            "parametersJsonSchema": serde_json::from_str::<Value>(ToolDefinition::TEXT_SCHEMA).expect("JSON"),
        }]}],
    });
    check(&request, expected, &["tools[0].custom.format"]);
}

#[test]
fn each_choice_among_the_tools_has_its_mode() {
    let names = vec!["f".to_owned(), "g".to_owned()];
    let cases = [
        (ToolChoice::Auto, json!({"mode": "AUTO"})),
        (ToolChoice::None, json!({"mode": "NONE"})),
        (ToolChoice::Required, json!({"mode": "ANY"})),
        (ToolChoice::Tool("f".into()), json!({"mode": "ANY", "allowedFunctionNames": ["f"]})),
        (
            ToolChoice::Among { names: names.clone(), is_required: true },
            json!({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}),
        ),
        (
            ToolChoice::Among { names, is_required: false },
            json!({"mode": "VALIDATED", "allowedFunctionNames": ["f", "g"]}),
        ),
    ];
    let tool = ToolDefinition {
        name: "f".into(),
        description: None,
        schema: None,
        strict: None,
        takes_text: false,
        grammar: None,
        cache: None,
    };
    for (choice, config) in cases {
        let request = ConversationRequest {
            tools: vec![tool.clone()],
            tool_choice: Some(choice),
            parallel_tool_calls: Some(false),
            ..request("gemini-2.5-pro", vec![user("hi")])
        };
        let expected = json!({
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "tools": [{"functionDeclarations": [{"name": "f"}]}],
            "toolConfig": {"functionCallingConfig": config},
        });
        // The API has no switch for parallel calls: the answer is limited to one.
        check(&request, expected, &[]);
    }
}

#[test]
fn a_schema_of_the_answer_keeps_its_name() {
    let format = OutputFormat::JsonSchema {
        name: Some("person".into()),
        description: None,
        schema: raw(r#"{"type":"object","properties":{}}"#),
        strict: Some(true),
    };
    let request =
        ConversationRequest { output_format: format, ..request("gemini-2.5-pro", vec![user("hi")]) };
    let expected = json!({
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseJsonSchema": {"title": "person", "type": "object", "properties": {}},
        },
    });
    check(&request, expected, &[]);
}
