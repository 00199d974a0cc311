use super::*;
use crate::form::{
    CacheHint, ExtraMember, LossWeight, OutputFormat, PartContent, RawJson, Reasoning, Sampling, Signature,
    SignatureOrigin, ToolCall, ToolChoice, ToolDefinition, ToolInput, ToolResult,
};

fn raw(json: &str) -> RawJson {
    RawJson::parse(json).expect("JSON")
}

fn call(id: &str, input: &str) -> Part {
    let input = ToolInput::Json(input.to_owned());
    Part::new(PartContent::ToolCall(ToolCall { id: id.to_owned(), name: "f".to_owned(), input }))
}

fn result(id: &str, content: Vec<Part>) -> Part {
    let call_id = id.to_owned();
    Part::new(PartContent::ToolResult(ToolResult { call_id, tool_name: None, content, is_error: false }))
}

fn tool() -> ToolDefinition {
    ToolDefinition {
        name: "f".to_owned(),
        description: None,
        schema: Some(raw(r#"{"type":"object"}"#)),
        strict: None,
        takes_text: false,
        grammar: None,
        cache: None,
    }
}

#[test]
fn a_request_survives_to_the_byte() {
    let body = concat!(
        r#"{"model":"claude-sonnet-4-5","system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"5m"}}],"#,
        r#""messages":[{"role":"user","content":[{"type":"image","source":{"type":"file","file_id":"f"}},"#,
        r#"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"},"title":"T","context":"c","citations":{"enabled":true}}]},"#,
        r#"{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"redacted_thinking","data":"x"},"#,
        r#"{"type":"text","text":"a","citations":[{"type":"char_location","cited_text":"d","document_index":0,"document_title":null,"start_char_index":0,"end_char_index":1}]},"#,
        r#"{"type":"tool_use","id":"1","name":"f","input":{"b":1.0,"a":2}}]},"#,
        r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":[{"type":"text","text":"r"}],"is_error":true}]}],"#,
        r#""tools":[{"name":"f","description":"d","input_schema":{"type":"object","z":1,"a":2},"strict":true,"cache_control":{"type":"ephemeral"}}],"#,
        r#""tool_choice":{"type":"auto","disable_parallel_tool_use":true},"max_tokens":4000,"#,
        r#""thinking":{"type":"enabled","budget_tokens":2000},"#,
        r#""output_config":{"format":{"type":"json_schema","schema":{"type":"object","b":1,"a":2}}},"#,
        r#""stop_sequences":["x"],"metadata":{"user_id":"u"},"service_tier":"auto","stream":true}"#,
    );
    assert_eq!(again(body), (body.to_owned(), Vec::new()));
}

#[test]
fn messages_alternate_and_results_come_first() {
    let mut request = request("claude-sonnet-4-5");
    request.messages = vec![
        Message::new(MessageRole::System, vec![Part::text("s1")]),
        Message::new(MessageRole::Assistant, vec![call("a:1", ""), call("b", "[1]"), call("c", "{\"x\"")]),
        Message::new(MessageRole::User, vec![result("a:1", vec![Part::text("")])]),
        Message::new(MessageRole::User, vec![Part::text("go on")]),
        Message::new(MessageRole::User, vec![result("b", vec![Part::text("r")])]),
        Message::new(MessageRole::Developer, vec![Part::text("s2")]),
        Message {
            name: Some("n".to_owned()),
            ..Message::new(MessageRole::Assistant, vec![Part::text("so \n")])
        },
    ];
    let (body, losses) = render(&request);
    let id = crate::anthropic::request::tool_ids::valid_id("a:1");
    let expected = format!(
        concat!(
            r#"{{"model":"claude-sonnet-4-5","system":[{{"type":"text","text":"s1"}},{{"type":"text","text":"s2"}}],"#,
            r#""messages":[{{"role":"user","content":"."}},"#,
            r#"{{"role":"assistant","content":[{{"type":"tool_use","id":"{id}","name":"f","input":{{}}}},"#,
            r#"{{"type":"tool_use","id":"b","name":"f","input":{{"arguments":"[1]"}}}},"#,
            r#"{{"type":"tool_use","id":"c","name":"f","input":{{"arguments":"{{\"x\""}}}}]}},"#,
            r#"{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"{id}"}},"#,
            r#"{{"type":"tool_result","tool_use_id":"b","content":[{{"type":"text","text":"r"}}]}},"#,
            r#"{{"type":"text","text":"go on"}}]}},"#,
            r#"{{"role":"assistant","content":"so"}}],"max_tokens":4096}}"#,
        ),
        id = id
    );
    assert_eq!(body, expected);
    assert_eq!(losses, ["messages[6].name"]);
}

#[test]
fn later_instructions_follow_the_user_where_the_model_takes_them() {
    let mut request = request("claude-opus-4-8");
    request.messages.extend([
        Message::new(MessageRole::Assistant, vec![Part::text("a")]),
        Message::new(MessageRole::System, vec![Part::text("s")]),
        Message::new(MessageRole::User, vec![Part::text("u")]),
    ]);
    let expected = concat!(
        r#""messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"a"},"#,
        r#"{"role":"user","content":"u"},{"role":"system","content":"s"}]"#,
    );
    assert!(render(&request).0.contains(expected), "{}", render(&request).0);
}

#[test]
fn reasoning_is_written_as_the_model_takes_it() {
    let check = |request: ConversationRequest, expected: &str, lost: &[&str]| {
        let (body, losses) = render(&request);
        let options = body.split_once(r#""content":"hi"}],"#).expect("options").1.to_owned();
        assert_eq!(options, format!("{expected}}}"), "{}", request.model);
        assert_eq!(losses, lost);
    };
    let (old, new) = ("claude-sonnet-4-5", "claude-opus-4-7");
    let limited = |limit, request| ConversationRequest { max_output_tokens: Some(limit), ..request };
    check(
        with_effort(old, ReasoningEffort::High),
        r#""max_tokens":20480,"thinking":{"type":"enabled","budget_tokens":16384}"#,
        &[],
    );
    check(
        limited(8000, with_effort(old, ReasoningEffort::High)),
        r#""max_tokens":8000,"thinking":{"type":"enabled","budget_tokens":6000}"#,
        &[],
    );
    check(
        limited(1024, with_effort(old, ReasoningEffort::High)),
        r#""max_tokens":1024"#,
        &["reasoning_effort"],
    );
    check(
        with_effort(new, ReasoningEffort::ExtraHigh),
        r#""max_tokens":4096,"thinking":{"type":"adaptive"},"output_config":{"effort":"xhigh"}"#,
        &[],
    );
    check(
        with_effort("claude-opus-4-6", ReasoningEffort::Minimal),
        r#""max_tokens":4096,"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}"#,
        &[],
    );
    check(
        with_effort(new, ReasoningEffort::None),
        r#""max_tokens":4096,"thinking":{"type":"disabled"}"#,
        &[],
    );
    let visible = ReasoningRequest { is_adaptive: true, is_visible: Some(true), ..Default::default() };
    check(
        ConversationRequest { reasoning: Some(visible), ..request(new) },
        r#""max_tokens":4096,"thinking":{"type":"adaptive","display":"summarized"}"#,
        &[],
    );
}

#[test]
fn a_forced_call_and_a_turn_without_its_reasoning_exclude_a_budget() {
    let mut forced = with_effort("claude-sonnet-4-5", ReasoningEffort::Low);
    forced.tools = vec![tool()];
    forced.tool_choice = Some(ToolChoice::Required);
    assert_eq!(render(&forced).1, ["reasoning_effort"]);

    let mut turn = with_effort("claude-sonnet-4-5", ReasoningEffort::Low);
    let reasoning = Reasoning { text: "t".to_owned(), ..Reasoning::default() };
    let reasoning = Part::new(PartContent::Reasoning(reasoning));
    turn.messages.extend([
        Message::new(MessageRole::Assistant, vec![reasoning, call("1", "{}")]),
        Message::new(MessageRole::User, vec![result("1", Vec::new())]),
    ]);
    assert_eq!(render(&turn).1, ["messages[1].content[0]", "reasoning_effort"]);
    let own = Signature { origin: SignatureOrigin::Anthropic, value: "s".to_owned() };
    turn.messages[1].parts[0].signature = Some(own);
    assert_eq!(render(&turn).1, Vec::<String>::new());
}

#[test]
fn sampling_is_limited_to_what_the_model_takes() {
    let sampled = |model: &str| {
        let sampling = Sampling {
            temperature: Some(raw("1.5")),
            top_p: Some(raw("0.90")),
            top_k: Some(raw("4")),
            seed: Some(raw("7")),
            ..Sampling::default()
        };
        ConversationRequest { sampling, ..request(model) }
    };
    let (body, losses) = render(&sampled("claude-3-5-haiku-20241022"));
    assert!(body.contains(r#""temperature":1,"top_p":0.90,"top_k":4"#), "{body}");
    assert_eq!(losses, ["seed", "temperature"]);
    let (body, losses) = render(&sampled("claude-sonnet-4-5"));
    assert!(body.contains(r#""temperature":1,"top_k":4"#), "{body}");
    assert_eq!(losses, ["seed", "top_p", "temperature"]);
    let (body, losses) = render(&sampled("claude-opus-4-7"));
    assert!(!body.contains("temperature") && !body.contains("top_"), "{body}");
    assert_eq!(losses, ["seed", "temperature", "top_p", "top_k"]);
    let mut reasoning = sampled("claude-3-7-sonnet-latest");
    reasoning.reasoning = with_effort("", ReasoningEffort::Low).reasoning;
    assert_eq!(render(&reasoning).1, ["seed", "temperature", "top_p", "top_k"]);
}

#[test]
fn what_the_api_cannot_express_is_lost_by_name() {
    let mut request = request("claude-sonnet-4-5");
    let gemini = Signature { origin: SignatureOrigin::Gemini, value: "g".to_owned() };
    let source = crate::form::MediaSource::Base64 { media_type: "audio/wav".to_owned(), data: String::new() };
    request.messages[0].parts.extend([
        Part::new(PartContent::Audio(source)),
        Part { signature: Some(gemini), ..Part::text("x") },
        Part { cache: Some(CacheHint::default()), ..Part::text("") },
    ]);
    request.output_format = OutputFormat::JsonObject;
    request.stop = vec!["\n".to_owned(), "END".to_owned()];
    request.extra = vec![ExtraMember {
        origin: SignatureOrigin::OpenAi,
        name: "n".to_owned(),
        path: "n".to_owned(),
        value: raw("2"),
        weight: LossWeight::Binding,
    }];
    let (body, losses) = render(&request);
    assert!(body.contains(r#""stop_sequences":["END"]"#), "{body}");
    let expected = [
        "messages[0].content[1]!",
        "messages[0].content[2].signature",
        "messages[0].content[3].cache_control",
        "response_format!",
        "stop[0]!",
        "n!",
    ];
    assert_eq!(losses, expected);
}

#[test]
fn a_choice_among_some_tools_offers_those_alone() {
    let mut request = request("claude-sonnet-4-5");
    let other =
        ToolDefinition { name: "g".to_owned(), schema: Some(raw(r#"{ "properties":{} }"#)), ..tool() };
    request.tools = vec![tool(), other];
    let names = vec!["g".to_owned()];
    request.tool_choice = Some(ToolChoice::Among { names, is_required: true });
    let (body, losses) = render(&request);
    let expected = r#""tools":[{"name":"g","input_schema":{"type":"object","properties":{} }}],"tool_choice":{"type":"any"}"#;
    assert!(body.contains(expected), "{body}");
    assert!(losses.is_empty());
}

#[test]
fn a_request_to_count_tokens_has_no_options_of_the_answer() {
    let mut request = with_effort("claude-opus-4-7", ReasoningEffort::Low);
    request.stop = vec!["x".to_owned()];
    request.streaming = true;
    request.end_user = Some("u".to_owned());
    let body = render_count_tokens_request(&request, &mut Losses::default());
    let expected = concat!(
        r#"{"model":"claude-opus-4-7","messages":[{"role":"user","content":"hi"}],"#,
        r#""thinking":{"type":"adaptive"},"output_config":{"effort":"low"}}"#,
    );
    assert_eq!(body, expected);
}

#[test]
fn members_of_openai_with_a_counterpart_are_translated() {
    let extra = |name: &str, value: &str| ExtraMember {
        origin: SignatureOrigin::OpenAi,
        name: name.to_owned(),
        path: name.to_owned(),
        value: raw(value),
        weight: LossWeight::Advisory,
    };
    let mut request = request("claude-sonnet-4-5");
    request.extra = vec![extra("safety_identifier", r#""u""#), extra("service_tier", r#""default""#)];
    let (body, losses) = render(&request);
    assert!(body.ends_with(r#""metadata":{"user_id":"u"},"service_tier":"standard_only"}"#), "{body}");
    assert!(losses.is_empty());
    request.end_user = Some("v".to_owned());
    request.extra[1] = extra("service_tier", r#""flex""#);
    let (body, losses) = render(&request);
    assert!(body.ends_with(r#""metadata":{"user_id":"v"}}"#), "{body}");
    assert_eq!(losses, ["safety_identifier", "service_tier"]);
}
