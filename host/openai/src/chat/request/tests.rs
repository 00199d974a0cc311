use pointsman_domain::serving_error::ErrorKind;

use super::*;
use crate::form::{
    DocumentContent, MediaSource, OutputFormat, PartContent, ReasoningEffort, SignatureOrigin, ToolChoice,
    ToolInput,
};

fn parse(body: &str) -> ConversationRequest {
    let (request, losses) = parse_request(body.as_bytes()).unwrap();
    assert!(losses.is_empty(), "{losses:?}");
    request
}

/// Parses a request with these members beside its model and a message.
fn with(members: &str) -> (ConversationRequest, Losses) {
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}}],{members}}}"#);
    parse_request(body.as_bytes()).unwrap()
}

/// Parses a request with these messages.
fn with_messages(messages: &str) -> ConversationRequest {
    parse(&format!(r#"{{"model":"m","messages":[{messages}]}}"#))
}

#[track_caller]
fn check_losses(members: &str, expected: &[(&str, bool)]) {
    let (request, losses) = with(members);
    let extra = request.extra.iter().map(|member| (&*member.path, member.weight));
    let all = losses.iter().map(|loss| (&*loss.member, loss.weight)).chain(extra);
    let all: Vec<_> = all.map(|(name, weight)| (name, weight == crate::form::LossWeight::Binding)).collect();
    assert_eq!(all, expected);
}

#[track_caller]
fn check_error(body: &str, kind: ErrorKind, parameter: Option<&str>) {
    let error = parse_request(body.as_bytes()).unwrap_err();
    assert_eq!((error.kind, error.parameter.as_deref()), (kind, parameter), "{}", error.message);
}

#[test]
fn a_member_of_the_wrong_type_is_named() {
    check_error("[]", ErrorKind::InvalidType, None);
    check_error("{", ErrorKind::InvalidJson, None);
    check_error(r#"{"messages":[]}"#, ErrorKind::MissingParameter, Some("model"));
    check_error(r#"{"model":"m"}"#, ErrorKind::MissingParameter, Some("messages"));
    let message = |message: &str| format!(r#"{{"model":"m","messages":[{{"role":"user"}},{message}]}}"#);
    check_error(&message("7"), ErrorKind::InvalidType, Some("messages[1]"));
    check_error(&message("{}"), ErrorKind::MissingParameter, Some("messages[1].role"));
    check_error(&message(r#"{"role":"bot"}"#), ErrorKind::InvalidValue, Some("messages[1].role"));
    check_error(
        &message(r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":7}}]}"#),
        ErrorKind::InvalidType,
        Some("messages[1].content[0].image_url.url"),
    );
    check_error(
        &message(r#"{"role":"tool","content":"x"}"#),
        ErrorKind::MissingParameter,
        Some("messages[1].tool_call_id"),
    );
    check_error(
        r#"{"model":"m","messages":[],"tools":[{"type":"function","function":{}}]}"#,
        ErrorKind::MissingParameter,
        Some("tools[0].function.name"),
    );
    check_error(
        r#"{"model":"m","messages":[],"max_tokens":1.5}"#,
        ErrorKind::InvalidType,
        Some("max_tokens"),
    );
    check_error(
        r#"{"model":"m","messages":[],"stream_options":{"include_usage":1}}"#,
        ErrorKind::InvalidType,
        Some("stream_options.include_usage"),
    );
}

#[test]
fn numbers_keep_their_digits() {
    let (request, _) = with(r#""temperature":0.70,"top_p":1,"seed":12345678901234567890,"max_tokens":5.0"#);
    let digits = |number: &Option<crate::form::RawJson>| number.as_ref().unwrap().get().to_owned();
    assert_eq!(digits(&request.sampling.temperature), "0.70");
    assert_eq!(digits(&request.sampling.seed), "12345678901234567890");
    assert_eq!(request.max_output_tokens, Some(5));
    assert_eq!(with(r#""max_tokens":5,"max_completion_tokens":3"#).0.max_output_tokens, Some(3));
    assert_eq!(with(r#""max_tokens":-1"#).0.max_output_tokens, None);
}

#[test]
fn members_without_a_counterpart_have_a_weight() {
    check_losses(
        r#""n":2,"logprobs":true,"top_logprobs":3"#,
        &[("n", true), ("logprobs", true), ("top_logprobs", true)],
    );
    check_losses(r#""n":1,"logprobs":false,"top_logprobs":0,"logit_bias":{},"modalities":["text"]"#, &[]);
    check_losses(
        r#""logit_bias":{"5":-100},"modalities":["text","audio"],"audio":{"voice":"alloy"}"#,
        &[("logit_bias", true), ("modalities", true), ("audio", true)],
    );
    check_losses(
        r#""service_tier":"flex","metadata":{"a":"b"},"verbosity":"low","unknown":1"#,
        &[("service_tier", false), ("metadata", false), ("verbosity", false), ("unknown", false)],
    );
    check_losses(r#""response_format":{"type":"grammar","grammar":"x"}"#, &[("response_format", true)]);
    check_losses(
        r#""stream_options":{"include_usage":true,"include_obfuscation":false}"#,
        &[("stream_options.include_obfuscation", false)],
    );
    check_losses(r#""functions":[{"name":"f"}]"#, &[("functions", true)]);
    check_losses(r#""store":null,"tools":[]"#, &[]);
}

#[test]
fn members_of_messages_that_are_left_out_are_named() {
    let body = r#"{"model":"m","messages":[
        {"role":"user","content":[{"type":"text","text":"a","x":1},{"type":"hologram"}]},
        {"role":"assistant","content":"b","prefix":true,"audio":{"id":"audio_1"},"refusal":null}]}"#;
    let (request, losses) = parse_request(body.as_bytes()).unwrap();
    let names: Vec<_> = losses.iter().map(|loss| &*loss.member).collect();
    let expected =
        ["messages[0].content[0].x", "messages[0].content[1]", "messages[1].audio", "messages[1].prefix"];
    assert_eq!(names, expected);
    assert_eq!(losses.first_binding(), Some("messages[0].content[1]"));
    assert_eq!(request.messages[0].parts.len(), 1);
}

#[test]
fn media_are_parsed_in_the_shapes_of_all_providers() {
    let request = with_messages(
        r#"{"role":"user","content":[
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},
            {"type":"image_url","image_url":"https://example.com/a.png"},
            {"type":"input_audio","input_audio":{"data":"BBBB","format":"mp3"}},
            {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,CCCC"}},
            {"type":"file","file":{"file_id":"file-1"}},
            {"type":"document_url","document_url":"https://example.com/a.pdf"},
            {"type":"video_url","video_url":{"url":"https://example.com/a.mp4"}}]}"#,
    );
    let base64 = |media_type: &str, data: &str| MediaSource::Base64 {
        media_type: media_type.to_owned(),
        data: data.to_owned(),
    };
    let url = |url: &str| MediaSource::Url { url: url.to_owned(), media_type: None };
    let sources: Vec<_> = request.messages[0]
        .parts
        .iter()
        .map(|part| match &part.content {
            PartContent::Image { source, .. } | PartContent::Audio(source) | PartContent::Video(source) => {
                source
            }
            PartContent::Document(document) => match &document.content {
                DocumentContent::Media(source) => source,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .cloned()
        .collect();
    assert_eq!(
        sources,
        [
            base64("image/png", "AAAA"),
            url("https://example.com/a.png"),
            base64("audio/mpeg", "BBBB"),
            base64("application/pdf", "CCCC"),
            MediaSource::File { id: "file-1".to_owned(), media_type: None },
            url("https://example.com/a.pdf"),
            url("https://example.com/a.mp4"),
        ]
    );
}

#[test]
fn reasoning_is_requested_in_the_members_of_all_providers() {
    let reasoning = |members: &str| {
        let (request, losses) = with(members);
        assert!(losses.is_empty() && request.extra.is_empty(), "{losses:?}");
        request.reasoning.unwrap()
    };
    assert_eq!(reasoning(r#""reasoning_effort":"high""#).effort, Some(ReasoningEffort::High));
    assert_eq!(reasoning(r#""reasoning":{"max_tokens":2000}"#).budget_tokens, Some(2000));
    assert_eq!(reasoning(r#""reasoning":{"effort":"low","exclude":true}"#).is_visible, Some(false));
    assert!(reasoning(r#""thinking":{"type":"enabled"}"#).is_adaptive);
    assert_eq!(reasoning(r#""thinking":{"type":"enabled","budget_tokens":9}"#).budget_tokens, Some(9));
    assert!(reasoning(r#""thinking":{"type":"disabled"}"#).is_off());
    assert!(reasoning(r#""enable_thinking":false"#).is_off());
    assert!(with(r#""temperature":1"#).0.reasoning.is_none());
    assert_eq!(with(r#""reasoning_effort":"default""#).0.extra[0].name, "reasoning_effort");
}

#[test]
fn reasoning_is_read_with_its_signatures() {
    let request = with_messages(
        r#"{"role":"assistant","content":"x","reasoning":"ab","reasoning_content":"ab","reasoning_details":[
            {"type":"reasoning.text","text":"ab","signature":"S1","format":"anthropic-claude-v1","index":0},
            {"type":"reasoning.encrypted","data":"E1","format":"anthropic-claude-v1","index":1},
            {"type":"reasoning.summary","summary":"c","format":"openai-responses-v1","index":2},
            {"type":"reasoning.encrypted","data":"E2","format":"openai-responses-v1","id":"rs_1","index":2},
            {"type":"reasoning.encrypted","data":"E3","format":"google-gemini-v1","id":"call_1","index":3}],
          "tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]}"#,
    );
    let seen: Vec<_> = request.messages[0]
        .parts
        .iter()
        .map(|part| {
            let signature = part.signature.as_ref().map(|signature| (signature.origin, &*signature.value));
            let (text, encrypted) = match &part.content {
                PartContent::Reasoning(own) => (&*own.text, own.encrypted.as_ref().map(|own| &*own.value)),
                PartContent::Text { text, .. } => (&**text, None),
                PartContent::ToolCall(call) => (&*call.id, None),
                other => panic!("{other:?}"),
            };
            (text, signature, encrypted)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("ab", Some((SignatureOrigin::Anthropic, "S1")), None),
            ("", None, Some("E1")),
            ("c", None, Some("E2")),
            ("x", None, None),
            ("call_1", Some((SignatureOrigin::Gemini, "E3")), None),
        ]
    );
}

#[test]
fn results_of_tools_are_parts_of_the_user_with_the_name_of_their_tool() {
    let request = with_messages(
        r#"{"role":"assistant","content":null,"tool_calls":[
            {"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
            {"id":"b","type":"custom","custom":{"name":"g","input":"hey"}}]},
        {"role":"tool","tool_call_id":"a","content":"1"},
        {"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"2"}]}"#,
    );
    let [call, first, second] = &*request.messages else { panic!() };
    let inputs: Vec<_> = call
        .parts
        .iter()
        .map(|part| match &part.content {
            PartContent::ToolCall(call) => call.input.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(inputs, [ToolInput::Json(r#"{"x":1}"#.to_owned()), ToolInput::Text("hey".to_owned())]);
    for (message, name, text) in [(first, "f", "1"), (second, "g", "2")] {
        let PartContent::ToolResult(result) = &message.parts[0].content else { panic!() };
        assert_eq!((result.tool_name.as_deref(), result.content[0].as_text()), (Some(name), Some(text)));
    }
}

#[test]
fn legacy_functions_become_tools() {
    let request = with_messages(
        r#"{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},
        {"role":"function","name":"f","content":"1"}"#,
    );
    let PartContent::ToolCall(call) = &request.messages[0].parts[0].content else { panic!() };
    let PartContent::ToolResult(result) = &request.messages[1].parts[0].content else { panic!() };
    assert_eq!(result.call_id, call.id);
    let (request, _) = with(r#""functions":[{"name":"f","parameters":{}}],"function_call":{"name":"f"}"#);
    assert_eq!(request.tool_choice, Some(ToolChoice::Tool("f".to_owned())));
    assert_eq!(request.tools[0].name, "f");
}

#[test]
fn tool_choice_has_many_forms() {
    let choice = |choice: &str| with(&format!(r#""tool_choice":{choice}"#)).0.tool_choice.unwrap();
    assert_eq!(choice(r#""any""#), ToolChoice::Required);
    assert_eq!(choice(r#"{"type":"function","function":{"name":"f"}}"#), ToolChoice::Tool("f".to_owned()));
    assert_eq!(choice(r#"{"type":"custom","custom":{"name":"f"}}"#), ToolChoice::Tool("f".to_owned()));
    let allowed = r#"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[
        {"type":"function","function":{"name":"f"}}]}}"#;
    let expected = ToolChoice::Among { names: vec!["f".to_owned()], is_required: true };
    assert_eq!(choice(allowed), expected);
}

#[test]
fn a_schema_stays_as_it_was_written() {
    let (request, _) = with(
        r#""response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"b":1.0,"a": 2}}}"#,
    );
    let OutputFormat::JsonSchema { schema, strict, .. } = request.output_format else { panic!() };
    assert_eq!((schema.get(), strict), (r#"{"b":1.0,"a": 2}"#, Some(true)));
}
