use super::*;
use crate::form::{
    CacheHint, CacheLifetime, DocumentContent, MediaSource, PartContent, Reasoning, Signature,
    SignatureOrigin, ToolChoice, ToolInput,
};

/// Parses a request with these members beside the model.
fn parse(members: &str) -> Result<(ConversationRequest, EchoedMembers, Losses), ServingError> {
    parse_request(format!(r#"{{"model":"m",{members}}}"#).as_bytes())
}

fn parsed(members: &str) -> ConversationRequest {
    parse(members).unwrap().0
}

fn losses(members: &str) -> Vec<(String, LossWeight)> {
    let (_, _, losses) = parse(members).unwrap();
    losses.iter().map(|loss| (loss.member.clone(), loss.weight)).collect()
}

#[track_caller]
fn check_losses(members: &str, binding: &[&str], advisory: &[&str]) {
    let of = |names: &[&str], weight| names.iter().map(move |name| ((*name).to_owned(), weight)).collect();
    let mut expected: Vec<_> = of(binding, LossWeight::Binding);
    expected.extend::<Vec<_>>(of(advisory, LossWeight::Advisory));
    assert_eq!(losses(members), expected);
}

fn roles(request: &ConversationRequest) -> Vec<(MessageRole, usize)> {
    request.messages.iter().map(|message| (message.role, message.parts.len())).collect()
}

#[test]
fn a_text_is_a_message_of_the_user() {
    let request = parsed(r#""input":"Hi","instructions":"Be brief.","stream":true,"max_output_tokens":16"#);
    let expected = [
        Message::new(MessageRole::System, vec![Part::text("Be brief.")]),
        Message::new(MessageRole::User, vec![Part::text("Hi")]),
    ];
    assert_eq!(request.messages, expected);
    assert!(request.streaming && request.wants_stream_usage);
    assert_eq!((&*request.model, request.max_output_tokens), ("m", Some(16)));
}

#[test]
fn items_of_one_turn_become_one_message() {
    let request = parsed(
        r#""input":[
        {"role":"user","content":"Weather?"},
        {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}],"encrypted_content":"gAAA"},
        {"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Looking.","annotations":[]}]},
        {"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{\"a\": 1}","status":"completed"},
        {"type":"function_call","call_id":"c2","name":"g","arguments":"{}"},
        {"type":"function_call_output","call_id":"c1","output":"1"},
        {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"2"}]},
        {"role":"user","content":"So?"}]"#,
    );
    let expected =
        [(MessageRole::User, 1), (MessageRole::Assistant, 4), (MessageRole::User, 2), (MessageRole::User, 1)];
    assert_eq!(roles(&request), expected);
    let parts = &request.messages[1].parts;
    let reasoning = Reasoning {
        text: "a\n\nb".to_owned(),
        is_summary: true,
        encrypted: Some(Signature { origin: SignatureOrigin::OpenAi, value: "gAAA".to_owned() }),
        id: Some("rs_1".to_owned()),
    };
    assert_eq!(parts[0].content, PartContent::Reasoning(reasoning));
    let PartContent::ToolCall(call) = &parts[2].content else { panic!("{:?}", parts[2]) };
    assert_eq!(call.input, ToolInput::Json(r#"{"a": 1}"#.to_owned()));
    let PartContent::ToolResult(result) = &request.messages[2].parts[1].content else { panic!() };
    assert_eq!((&*result.call_id, result.tool_name.as_deref()), ("c2", Some("g")));
}

#[test]
fn answers_without_calls_stay_messages_of_their_own() {
    let request = parsed(
        r#""input":[{"role":"assistant","content":"1"},{"role":"assistant","content":"2"},
        {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"role":"assistant","content":"3"},
        {"type":"function_call","call_id":"d","name":"f","arguments":"{}"}]"#,
    );
    assert_eq!(roles(&request), [(MessageRole::Assistant, 1), (MessageRole::Assistant, 4)]);
}

#[test]
fn media_are_read_from_urls_data_and_files() {
    let request = parsed(
        r#""input":[{"role":"user","content":[
        {"type":"input_image","image_url":"data:image/png;base64,iVBO","detail":"low"},
        {"type":"input_image","image_url":"https://x.org/a.png"},
        {"type":"input_file","filename":"a.txt","file_data":"aGk="},
        {"type":"input_file","file_url":"https://x.org/a.pdf"},
        {"type":"input_file","file_id":"file-1"},
        {"type":"input_audio","input_audio":{"data":"UklG","format":"mp3"}}]}]"#,
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
            PartContent::Image { source, .. } | PartContent::Audio(source) => source.clone(),
            PartContent::Document(document) => match &document.content {
                DocumentContent::Media(source) => source.clone(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        base64("image/png", "iVBO"),
        url("https://x.org/a.png"),
        base64("text/plain", "aGk="),
        url("https://x.org/a.pdf"),
        MediaSource::File { id: "file-1".to_owned(), media_type: None },
        base64("audio/mpeg", "UklG"),
    ];
    assert_eq!(sources, expected);
}

#[test]
fn a_mark_of_the_cache_is_a_hint() {
    let hint = |mark: &str| {
        let part = format!(r#"{{"type":"input_text","text":"a","prompt_cache_breakpoint":{mark}}}"#);
        parsed(&format!(r#""input":[{{"role":"user","content":[{part}]}}]"#)).messages[0].parts[0].cache
    };
    assert_eq!(hint(r#"{"mode":"explicit"}"#), Some(CacheHint { lifetime: None }));
    let hour = CacheHint { lifetime: Some(CacheLifetime::OneHour) };
    assert_eq!(hint(r#"{"mode":"explicit","ttl":"30m"}"#), Some(hour));
}

#[test]
fn tools_keep_their_schemas_grammars_and_namespaces() {
    let (request, echoed, losses) = parse(
        r#""input":"x","tools":[
        {"type":"function","name":"f","description":"d","parameters":{"z":1.0,"a":2},"strict":true},
        {"type":"custom","name":"apply_patch","format":{"type":"grammar","syntax":"lark","definition":"start: A"}},
        {"type":"namespace","name":"crm","description":"d","tools":[{"type":"function","name":"find","parameters":{}}]},
        {"type":"tool_search","execution":"client","description":"Search","parameters":{"type":"object"}},
        {"type":"tool_search"},
        {"type":"web_search"}],
        "tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"}]}"#,
    )
    .unwrap();
    let names: Vec<_> = request.tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["f", "apply_patch", "crm__find", "tool_search"]);
    assert_eq!(request.tools[0].schema.as_ref().unwrap().get(), r#"{"z":1.0,"a":2}"#);
    assert_eq!(request.tools[0].strict, Some(true));
    assert!(request.tools[1].takes_text);
    assert_eq!(request.tools[1].grammar.as_ref().unwrap().syntax, "lark");
    assert_eq!(request.provider_tools[0].path, "tools[5]");
    let among = ToolChoice::Among { names: vec!["f".to_owned()], is_required: true };
    assert_eq!(request.tool_choice, Some(among));
    let tool = echoed.offered.find("crm__find");
    assert_eq!((tool.namespace.as_deref(), &*tool.name), (Some("crm"), "find"));
    let dropped: Vec<_> = losses.iter().map(|loss| &*loss.member).collect();
    assert_eq!(dropped, ["tools[2].description", "tools[4]"]);
}

#[test]
fn tools_that_a_search_found_are_offered() {
    let request = parsed(
        r#""tools":[{"type":"tool_search","execution":"client"}],"input":[
        {"type":"tool_search_call","execution":"client","call_id":"s","status":"completed","arguments":{"query":"crm"}},
        {"type":"tool_search_output","execution":"client","call_id":"s","status":"completed","tools":[
            {"type":"namespace","name":"crm","tools":[{"type":"function","name":"find","defer_loading":false}]}]},
        {"type":"function_call","call_id":"c","namespace":"crm","name":"find","arguments":"{}"},
        {"type":"function_call_output","call_id":"c","output":"nobody"},
        {"type":"additional_tools","role":"developer","tools":[{"type":"function","name":"g"}]}]"#,
    );
    let names: Vec<_> = request.tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["tool_search", "crm__find", "g"]);
    let PartContent::ToolResult(found) = &request.messages[1].parts[0].content else { panic!() };
    assert_eq!(found.content, [Part::text("Tools found: crm__find")]);
    let PartContent::ToolResult(result) = &request.messages[3].parts[0].content else { panic!() };
    assert_eq!(result.tool_name.as_deref(), Some("crm__find"));
}

#[test]
fn signatures_return_to_their_parts() {
    let request = parsed(
        r#""input":[
        {"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"think"}],"encrypted_content":"anthropic:EqQ"},
        {"role":"assistant","content":"Hi"},
        {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
        {"type":"reasoning","id":"s","summary":[],"encrypted_content":"gemini-call:Cs:c"},
        {"type":"reasoning","id":"t","summary":[],"encrypted_content":"gemini-text:Ct"}]"#,
    );
    let parts = &request.messages[0].parts;
    let signatures: Vec<_> = parts.iter().map(|part| part.signature.as_ref().map(|s| &*s.value)).collect();
    assert_eq!(signatures, [Some("EqQ"), Some("Ct"), Some("Cs")]);
    let PartContent::Reasoning(reasoning) = &parts[0].content else { panic!() };
    assert!(!reasoning.is_summary);
}

#[test]
fn options_of_the_format_the_reasoning_and_the_account_are_kept() {
    let request = parsed(
        r#""input":"x","temperature":0.70,"reasoning":{"effort":"xhigh","summary":"auto"},"service_tier":"flex",
        "text":{"verbosity":"low","format":{"type":"json_schema","name":"n","schema":{"b":1,"a":2},"strict":true}}"#,
    );
    assert_eq!(request.sampling.temperature.unwrap().get(), "0.70");
    let reasoning = request.reasoning.unwrap();
    assert_eq!((reasoning.effort, reasoning.is_visible), (Some(ReasoningEffort::ExtraHigh), Some(true)));
    let OutputFormat::JsonSchema { schema, strict, .. } = request.output_format else { panic!() };
    assert_eq!((schema.get(), strict), (r#"{"b":1,"a":2}"#, Some(true)));
    let extra: Vec<_> = request.extra.iter().map(|member| (&*member.name, &*member.path)).collect();
    assert_eq!(extra, [("verbosity", "text.verbosity"), ("service_tier", "service_tier")]);
}

#[test]
fn members_that_need_kept_state_are_binding() {
    check_losses(r#""previous_response_id":"resp_1""#, &["previous_response_id"], &[]);
    check_losses(r#""conversation":"conv_1""#, &["conversation"], &[]);
    check_losses(r#""prompt":{"id":"pmpt_1"}"#, &["prompt"], &[]);
    check_losses(r#""input":"x","background":true"#, &["background"], &[]);
    check_losses(r#""input":[{"type":"item_reference","id":"msg_1"}]"#, &["input[0]"], &[]);
    check_losses(r#""input":[{"id":"msg_1"}]"#, &["input[0]"], &[]);
    let with_reasoning = r#""input":[{"role":"user","content":"a"},{"type":"item_reference","id":"rs_1"}]"#;
    check_losses(with_reasoning, &[], &["input[1]"]);
    check_losses(r#""input":"x","store":true"#, &[], &["store"]);
    check_losses(r#""input":"x","store":false,"background":false"#, &[], &[]);
}

#[test]
fn a_conversation_of_the_provider_has_an_empty_message() {
    let empty = [Message::new(MessageRole::User, vec![Part::text("")])];
    for state in [r#""conversation":"c""#, r#""prompt":{"id":"p"},"input":[]"#] {
        assert_eq!(parsed(state).messages, empty);
    }
    for list in ["[]", "[ ]"] {
        let error = parse(&format!(r#""input":{list}"#)).unwrap_err();
        assert_eq!((error.kind, error.parameter.as_deref()), (ErrorKind::EmptyArray, Some("input")));
    }
}

#[test]
fn a_limit_of_tokens_is_a_whole_number() {
    let limit = |limit: &str| parse(&format!(r#""input":"x","max_output_tokens":{limit}"#));
    for (json, expected) in [("16.0", 16), ("1.6e1", 16), ("99999999999999", u32::MAX)] {
        assert_eq!(limit(json).unwrap().0.max_output_tokens, Some(expected));
    }
    for json in ["16.5", "-1", "\"16\""] {
        let message = "Invalid type for 'max_output_tokens': expected a whole number.";
        assert_eq!(limit(json).unwrap_err().message, message);
    }
}

#[test]
fn what_the_common_form_has_no_place_for_is_recorded() {
    check_losses(r#""input":"x","top_logprobs":3"#, &["top_logprobs"], &[]);
    check_losses(r#""input":"x","top_logprobs":0,"truncation":"disabled""#, &[], &[]);
    let include = r#""input":"x","include":["reasoning.encrypted_content","message.output_text.logprobs"]"#;
    check_losses(include, &["include[1]"], &[]);
    check_losses(r#""input":"x","tool_choice":{"type":"web_search_preview"}"#, &["tool_choice"], &[]);
    check_losses(
        r#""input":"x","metadata":{},"truncation":"auto","client_metadata":{"a":"b"},"reasoning":{"summary":"detailed"}"#,
        &[],
        &["reasoning.summary", "truncation", "metadata", "client_metadata"],
    );
    let part = r#""input":[{"role":"user","content":[{"type":"hologram"}]}]"#;
    check_losses(part, &["input[0].content[0]"], &[]);
    let items = r#""input":[{"role":"user","content":"x"},{"type":"compaction","encrypted_content":"e"},{"type":"web_search_call","id":"ws","status":"completed"}]"#;
    let (_, _, losses) = parse(items).unwrap();
    assert_eq!(losses.first_binding(), Some("input[1]"));
    assert_eq!(losses.iter().last().unwrap().member, "input[2]");
}

#[test]
fn errors_name_the_member_at_fault() {
    let check = |members: &str, parameter: &str| {
        assert_eq!(parse(members).unwrap_err().parameter.as_deref(), Some(parameter), "{members}");
    };
    check(r#""stream":false"#, "input");
    check(r#""input":{}"#, "input");
    check(r#""input":[{"role":"robot","content":"x"}]"#, "input[0].role");
    check(r#""input":[{"role":"user","content":[{"type":"input_image"}]}]"#, "input[0].content[0].image_url");
    check(r#""input":[{"type":"function_call","name":"f","arguments":"{}"}]"#, "input[0].call_id");
    check(r#""input":"x","max_output_tokens":0"#, "max_output_tokens");
    check(r#""input":"x","temperature":"hot""#, "temperature");
    check(r#""input":"x","tools":[{"type":"function"}]"#, "tools[0].name");
    check(r#""input":"x","text":{"format":{"type":"xml"}}"#, "text.format.type");
    assert_eq!(parse_request(b"[]").unwrap_err().kind, ErrorKind::InvalidType);
    assert_eq!(parse_request(b"{").unwrap_err().kind, ErrorKind::InvalidJson);
}

#[test]
fn the_time_to_parse_is_linear_in_the_items() {
    let list = |item: &str| vec![item; 50_000].join(",");
    let reasoning = list(r#"{"type":"reasoning","summary":[],"encrypted_content":"e"}"#);
    let calls = list(r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#);
    let signatures = list(r#"{"type":"reasoning","summary":[],"encrypted_content":"gemini-text:e"}"#);
    let outputs = list(r#"{"type":"function_call_output","call_id":"c","output":""}"#);
    let tools: Vec<_> = (0..50_000).map(|n| format!(r#"{{"type":"function","name":"f{n}"}}"#)).collect();
    let started = std::time::Instant::now();
    parsed(&format!(r#""input":[{reasoning},{calls},{signatures},{outputs}],"tools":[{}]"#, tools.join(",")));
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
}
