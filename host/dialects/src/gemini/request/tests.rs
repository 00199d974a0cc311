use serde_json::{Value, json};

use super::*;
use crate::form::*;

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
    check(&request, expected, &["tools[0].function.strict", "tools[0].cache_control", "!tools[2]"]);
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
        check(&request, expected, &["!parallel_tool_calls"]);
    }
}

#[test]
fn results_of_parallel_calls_are_one_content() {
    let results = |id: &str, text: &str, is_error| {
        Message::new(MessageRole::User, vec![result(id, vec![Part::text(text)], is_error)])
    };
    let messages = vec![
        user("hi"),
        model(vec![call("1", r#"{"a": 1.0}"#, None), call("2", "", None), call("3", "oops", None)]),
        results("1", r#" {"temperature": 20} "#, false),
        results("2", "[1]", false),
        results("3", "no", true),
        user("go on"),
    ];
    let expected = json!({"contents": [
        {"role": "user", "parts": [{"text": "hi"}]},
        {"role": "model", "parts": [
            {"functionCall": {"id": "1", "name": "f", "args": {"a": 1.0}}},
            {"functionCall": {"id": "2", "name": "f", "args": {}}},
            {"functionCall": {"id": "3", "name": "f", "args": {"input": "oops"}}},
        ]},
        {"role": "user", "parts": [
            {"functionResponse": {"id": "1", "name": "f", "response": {"temperature": 20}}},
            {"functionResponse": {"id": "2", "name": "f", "response": {"result": "[1]"}}},
            {"functionResponse": {"id": "3", "name": "f", "response": {"error": "no"}}},
        ]},
        {"role": "user", "parts": [{"text": "go on"}]},
    ]});
    check(&request("gemini-2.5-pro", messages), expected, &[]);
}

#[test]
fn images_of_a_result_are_within_it_or_follow_it() {
    let content = vec![Part::text("see"), image(png()), Part::text("this")];
    let messages = vec![Message::new(MessageRole::User, vec![result("1", content, false)])];
    let media = json!({"inlineData": {"mimeType": "image/png", "data": "AA=="}});
    let response = json!({"result": "see\nthis"});
    let within = json!({"contents": [{"role": "user", "parts": [
        {"functionResponse": {"id": "1", "name": "f", "response": response, "parts": [media]}}]}]});
    check(&request("gemini-3-pro", messages.clone()), within, &[]);
    let beside = json!({"contents": [{"role": "user", "parts": [
        {"functionResponse": {"id": "1", "name": "f", "response": response}}, media]}]});
    check(&request("gemini-2.5-pro", messages), beside, &[]);
}

#[test]
fn a_result_that_is_an_image_alone_has_no_text() {
    let url = MediaSource::Url { url: "https://a.b/c.png".into(), media_type: None };
    let messages = vec![Message::new(MessageRole::User, vec![result("1", vec![image(url)], false)])];
    let expected = json!({"contents": [{"role": "user", "parts": [
        {"functionResponse": {"id": "1", "name": "f", "response": {}}},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://a.b/c.png"}},
    ]}]});
    check(&request("gemini-3-pro", messages), expected, &[]);
}

#[test]
fn the_first_call_of_a_turn_has_a_signature_from_the_third_generation_on() {
    let calls = vec![call("1", "{}", None), call("2", "{}", None)];
    let rendered =
        |first: Value| turn(json!([first, {"functionCall": {"id": "2", "name": "f", "args": {}}}]));
    let plain = json!({"functionCall": {"id": "1", "name": "f", "args": {}}});
    check(&request("gemini-2.5-pro", vec![model(calls.clone())]), rendered(plain.clone()), &[]);
    let mut placeholder = plain.clone();
    placeholder["thoughtSignature"] = "skip_thought_signature_validator".into();
    check(&request("gemini-3-pro", vec![model(calls)]), rendered(placeholder.clone()), &[]);
    let mut own = plain;
    own["thoughtSignature"] = "sig".into();
    let calls = vec![call("1", "{}", signature(SignatureOrigin::Gemini)), call("2", "{}", None)];
    check(&request("gemini-3-pro", vec![model(calls)]), rendered(own), &[]);
    let calls = vec![call("1", "{}", signature(SignatureOrigin::Anthropic)), call("2", "{}", None)];
    let losses = ["messages[0].content[0].signature"];
    check(&request("gemini-3-pro", vec![model(calls)]), rendered(placeholder), &losses);
}

#[test]
fn a_signature_beside_a_call_goes_back_to_it() {
    let beside = || {
        let encrypted = signature(SignatureOrigin::Gemini);
        Part::new(PartContent::Reasoning(Reasoning { encrypted, ..Reasoning::default() }))
    };
    let signed = json!({"functionCall": {"id": "1", "name": "f", "args": {}}, "thoughtSignature": "sig"});
    for parts in [vec![beside(), call("1", "{}", None)], vec![call("1", "{}", None), beside()]] {
        check(&request("gemini-3-pro", vec![model(parts)]), turn(json!([signed])), &[]);
    }
    let text = json!([{"text": "a"}, {"text": "", "thoughtSignature": "sig"}]);
    check(&request("gemini-3-pro", vec![model(vec![Part::text("a"), beside()])]), turn(text), &[]);
}

#[test]
fn reasoning_goes_back_as_thought_without_foreign_signatures() {
    let thought = |signature, encrypted| {
        let reasoning = Reasoning { text: "hm".into(), is_summary: true, encrypted, id: None };
        Part { signature, ..Part::new(PartContent::Reasoning(reasoning)) }
    };
    let parts = vec![
        thought(signature(SignatureOrigin::Gemini), None),
        thought(signature(SignatureOrigin::Anthropic), None),
        thought(None, signature(SignatureOrigin::OpenAi)),
        Part { signature: signature(SignatureOrigin::Gemini), ..Part::text("a") },
    ];
    let expected = turn(json!([
        {"text": "hm", "thought": true, "thoughtSignature": "sig"},
        {"text": "hm", "thought": true},
        {"text": "hm", "thought": true},
        {"text": "a", "thoughtSignature": "sig"},
    ]));
    let losses = ["messages[0].content[1].signature", "messages[0].content[2].signature"];
    check(&request("gemini-3-pro", vec![model(parts)]), expected, &losses);
}

#[test]
fn media_and_documents_are_parts() {
    let document = |content| Document {
        content,
        title: Some("t".into()),
        context: Some("c".into()),
        with_citations: true,
        search_source: None,
    };
    let pdf = MediaSource::Base64 { media_type: "application/pdf".into(), data: "AA==".into() };
    let wav = MediaSource::Base64 { media_type: "audio/wav".into(), data: "AA==".into() };
    let foreign = MediaSource::File { id: "file-1".into(), media_type: None };
    let parts = vec![
        image(png()),
        Part::new(PartContent::Audio(wav)),
        Part::new(PartContent::Document(document(DocumentContent::Media(pdf)))),
        Part::new(PartContent::Document(document(DocumentContent::Parts(vec![Part::text("x")])))),
        image(foreign),
        Part { cache: Some(CacheHint::default()), ..Part::text("") },
    ];
    let expected = json!({"contents": [{"role": "user", "parts": [
        {"inlineData": {"mimeType": "image/png", "data": "AA=="}},
        {"inlineData": {"mimeType": "audio/wav", "data": "AA=="}},
        {"text": "c"},
        {"inlineData": {"mimeType": "application/pdf", "data": "AA=="}},
        {"text": "c"},
        {"text": "x"},
    ]}]});
    let losses = [
        "messages[0].content[2].title",
        "messages[0].content[2].citations",
        "messages[0].content[3].title",
        "messages[0].content[3].citations",
        "!messages[0].content[4]",
        "messages[0].content[5].cache_control",
    ];
    check(&request("gemini-2.5-pro", vec![Message::new(MessageRole::User, parts)]), expected, &losses);
}

#[test]
fn parts_of_the_family_are_as_written_and_others_are_losses() {
    let part = |origin| {
        let value = raw(r#"{"executableCode":{"language":"PYTHON","code":"1"}}"#);
        Part::new(PartContent::Provider(ProviderPart { origin, value, weight: LossWeight::Binding }))
    };
    let parts = vec![part(SignatureOrigin::Gemini), part(SignatureOrigin::OpenAi)];
    let expected = turn(json!([{"executableCode": {"language": "PYTHON", "code": "1"}}]));
    check(&request("gemini-3-pro", vec![model(parts)]), expected, &["!messages[0].content[1]"]);
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
