use super::*;
use crate::form::{CacheHint, CacheLifetime, PartContent, SignatureOrigin, ToolChoice};

fn parse(rest: &str) -> (ConversationRequest, Losses) {
    let body =
        format!(r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"hi"}}]{rest}}}"#);
    parse_request(body.as_bytes()).expect("a request")
}

fn error_of(body: &str) -> (String, Option<String>) {
    let error = parse_request(body.as_bytes()).expect_err("invalid");
    (error.kind.code().to_owned(), error.parameter)
}

#[test]
fn an_error_names_the_member_at_fault() {
    let cases = [
        ("[]", "invalid_type", None),
        ("{", "invalid_json", None),
        (r#"{"model":"m","messages":[]}"#, "missing_required_parameter", Some("max_tokens")),
        (r#"{"model":"m","max_tokens":0,"messages":[]}"#, "invalid_value", Some("max_tokens")),
        (r#"{"max_tokens":9,"messages":[]}"#, "missing_required_parameter", Some("model")),
        (r#"{"model":"m","max_tokens":9}"#, "missing_required_parameter", Some("messages")),
        (r#"{"model":"m","max_tokens":9,"messages":[]}"#, "empty_array", Some("messages")),
        (
            r#"{"model":"m","max_tokens":9,"messages":[{"role":"tool","content":"x"}]}"#,
            "invalid_value",
            Some("messages[0].role"),
        ),
        (
            r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64"}}]}]}"#,
            "missing_required_parameter",
            Some("messages[0].content[0].source.media_type"),
        ),
        (
            r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"tool_result","tool_use_id":"b"}]}]}]}"#,
            "invalid_value",
            Some("messages[0].content[0].content[0].type"),
        ),
        (
            r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"tools":[{"name":"t"}]}"#,
            "missing_required_parameter",
            Some("tools[0].input_schema"),
        ),
    ];
    for (body, code, parameter) in cases {
        assert_eq!(error_of(body), (code.to_owned(), parameter.map(str::to_owned)), "{body}");
    }
}

#[test]
fn blocks_become_parts_with_their_hints_and_signatures() {
    let body = r#"{"model":"m","max_tokens":9,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],
        "messages":[
        {"role":"user","content":[{"type":"image","source":{"type":"url","url":"data:image/png;base64,AA=="}}]},
        {"role":"assistant","content":[
            {"type":"thinking","thinking":"t","signature":"sig"},
            {"type":"tool_use","id":"1","name":"f","input":{"b": 1.0}},
            {"type":"server_tool_use","id":"2","name":"web_search","input":{}}]},
        {"role":"user","content":[
            {"type":"tool_result","tool_use_id":"1","content":[{"type":"text","text":"r"},
                {"type":"search_result","source":"https://x","title":"T","content":[{"type":"text","text":"c"}],"citations":{"enabled":true}}]},
            {"type":"container_upload","file_id":"f"}]}]}"#;
    let (request, losses) = parse_request(body.as_bytes()).expect("a request");
    assert!(losses.is_empty(), "{losses:?}");
    let hour = CacheHint { lifetime: Some(CacheLifetime::OneHour) };
    assert_eq!(request.messages[0].parts[0].cache, Some(hour));
    let PartContent::Image { source, .. } = &request.messages[1].parts[0].content else { panic!() };
    assert_eq!(format!("{source:?}"), r#"Base64 { media_type: "image/png", data: "AA==" }"#);
    let [thinking, call, search] = &request.messages[2].parts[..] else { panic!() };
    assert_eq!(
        thinking.signature.as_ref().map(|signature| signature.origin),
        Some(SignatureOrigin::Anthropic)
    );
    let PartContent::ToolCall(call) = &call.content else { panic!() };
    assert_eq!(format!("{:?}", call.input), r#"Json("{\"b\": 1.0}")"#);
    let PartContent::Provider(search) = &search.content else { panic!() };
    assert_eq!(search.weight, crate::form::LossWeight::Advisory);
    let [result, upload] = &request.messages[3].parts[..] else { panic!() };
    let PartContent::ToolResult(result) = &result.content else { panic!() };
    assert_eq!(result.tool_name.as_deref(), Some("f"));
    let PartContent::Document(found) = &result.content[1].content else { panic!() };
    assert_eq!(found.search_source.as_deref(), Some("https://x"));
    assert!(found.with_citations);
    let PartContent::Provider(upload) = &upload.content else { panic!() };
    assert_eq!(upload.weight, crate::form::LossWeight::Binding);
}

#[test]
fn thinking_and_effort_become_a_request_for_reasoning() {
    let reasoning = |rest: &str| parse(rest).0.reasoning.expect("reasoning");
    let budget = reasoning(r#","thinking":{"type":"enabled","budget_tokens":2000,"display":"omitted"}"#);
    assert_eq!((budget.budget_tokens, budget.is_visible), (Some(2000), Some(false)));
    assert!(reasoning(r#","thinking":{"type":"disabled"}"#).is_off());
    let adaptive = reasoning(r#","thinking":{"type":"adaptive"},"output_config":{"effort":"max"}"#);
    assert_eq!((adaptive.is_adaptive, adaptive.effort), (true, Some(ReasoningEffort::Max)));
    let (later, losses) = parse(r#","thinking":{"type":"between_tools"}"#);
    assert!(later.reasoning.expect("reasoning").is_adaptive);
    assert_eq!(members(&losses), ["thinking.type"]);
}

#[test]
fn members_of_this_api_alone_keep_their_weight() {
    let (request, losses) =
        parse(r#","container":"c","mcp_servers":[],"service_tier":"auto","new":{"b":1,"a":2}"#);
    assert!(losses.is_empty());
    let extra: Vec<_> =
        request.extra.iter().map(|extra| (&*extra.name, extra.weight, extra.value.get())).collect();
    let (binding, advisory) = (crate::form::LossWeight::Binding, crate::form::LossWeight::Advisory);
    assert_eq!(
        extra,
        [
            ("container", binding, r#""c""#),
            ("mcp_servers", binding, "[]"),
            ("service_tier", advisory, r#""auto""#),
            ("new", advisory, r#"{"b":1,"a":2}"#),
        ]
    );
}

#[test]
fn a_choice_may_exclude_parallel_calls() {
    let tools = r#","tools":[{"name":"f","input_schema":{"type":"object"}},{"type":"web_search_20250305","name":"web_search"}]"#;
    let (request, _) = parse(&format!(
        r#"{tools},"tool_choice":{{"type":"tool","name":"f","disable_parallel_tool_use":true}}"#
    ));
    assert_eq!(request.tool_choice, Some(ToolChoice::Tool("f".to_owned())));
    assert_eq!(request.parallel_tool_calls, Some(false));
    assert_eq!(request.provider_tools[0].path, "tools[1]");
}

#[test]
fn a_request_to_count_tokens_needs_no_limit() {
    let body = br#"{"model":"m","messages":[{"role":"user","content":"hi"}],"tool_choice":{"type":"none"}}"#;
    let (request, losses) = parse_count_tokens(body).expect("a request");
    assert_eq!((request.max_output_tokens, losses.is_empty()), (None, true));
}
