use super::*;
use crate::chat::parse_request;
use crate::form::{CacheHint, CacheLifetime, Message, MessageRole, Part, PartContent, ToolResult};

/// A provider that expresses everything.
const FULL: ChatQuirks = ChatQuirks { allowed_tools: true, custom_tools: true, ..ChatQuirks::OPENROUTER };

fn render(request: &ConversationRequest, quirks: &ChatQuirks) -> (String, Vec<String>) {
    let mut losses = Losses::default();
    let body = render_request_for(request, quirks, &mut losses);
    let losses = losses.iter().map(|loss| loss.member.clone()).collect();
    (String::from_utf8(body.to_vec()).unwrap(), losses)
}

/// Checks that a request is the same after it was parsed and rendered.
#[track_caller]
fn check_round_trip(body: &str) {
    let (request, losses) = parse_request(body.as_bytes()).unwrap();
    assert!(losses.is_empty(), "{losses:?}");
    let (rendered, losses) = render(&request, &FULL);
    assert!(losses.is_empty(), "{losses:?}");
    let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
    assert_eq!(value(&rendered), value(body), "{rendered}");
}

/// Checks the messages that a conversation is rendered with, and the losses.
#[track_caller]
fn check_messages(messages: Vec<Message>, quirks: &ChatQuirks, expected: &str, losses: &[&str]) {
    let request = ConversationRequest { model: "m".to_owned(), messages, ..ConversationRequest::default() };
    let (body, lost) = render(&request, quirks);
    assert_eq!(body, format!(r#"{{"model":"m","messages":[{expected}]}}"#));
    assert_eq!(lost, losses);
}

#[test]
fn a_round_trip_loses_nothing() {
    check_round_trip(
        r#"{"model":"m","messages":[
            {"role":"system","content":"be brief"},
            {"role":"developer","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}}]},
            {"role":"user","name":"bob","content":[
                {"type":"text","text":"look"},
                {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"high"}},
                {"type":"image_url","image_url":{"url":"https://example.com/a.png"}},
                {"type":"input_audio","input_audio":{"data":"BBBB","format":"mp3"}},
                {"type":"video_url","video_url":{"url":"https://example.com/a.mp4"}},
                {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,CCCC"}}]},
            {"role":"assistant","content":null,"reasoning_content":"hm","reasoning_details":[
                {"type":"reasoning.text","text":"hm","signature":"S","format":"anthropic-claude-v1","index":0}],
             "tool_calls":[
                {"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\": 1}"},
                 "extra_content":{"google":{"thought_signature":"G"}}},
                {"id":"b","type":"custom","custom":{"name":"g","input":"hey"}}]},
            {"role":"tool","tool_call_id":"a","content":"1"},
            {"role":"tool","tool_call_id":"b","content":"2"},
            {"role":"assistant","content":null,"refusal":"no"}],
         "tools":[
            {"type":"function","function":{"name":"f","description":"d","parameters":{"b":1,"a":2},"strict":true}},
            {"type":"custom","custom":{"name":"g","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: A"}}}},
            {"type":"custom","custom":{"name":"h"}}],
         "tool_choice":{"type":"custom","custom":{"name":"g"}},"parallel_tool_calls":false,
         "max_tokens":7,"temperature":0.5,"top_p":1,"top_k":3,"presence_penalty":0.1,"frequency_penalty":0.2,
         "seed":1,"stop":["a","b"],"user":"u","reasoning":{"effort":"low","exclude":true},
         "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":false}},
         "stream":true,"stream_options":{"include_usage":true},
         "n":2,"service_tier":"flex","metadata":{"k":"v"}}"#,
    );
    check_round_trip(
        r#"{"model":"m","messages":[],"response_format":{"type":"json_object"},
         "tools":[{"type":"function","function":{"name":"f"}}],
         "tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}}}"#,
    );
}

#[test]
fn a_provider_that_does_not_know_a_member_does_not_get_it() {
    let body = r#"{"model":"m","messages":[
        {"role":"developer","content":"a"},
        {"role":"assistant","content":[{"type":"text","text":"b","cache_control":{"type":"ephemeral"}},{"type":"text","text":"c"}],"reasoning_content":"r"}],
        "top_k":1,"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}],
        "tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}}}"#;
    let (request, _) = parse_request(body.as_bytes()).unwrap();
    let strict = ChatQuirks { text_parts: false, ..ChatQuirks::of_host("api.groq.com") };
    let (body, losses) = render(&request, &strict);
    let expected = r#"{"model":"m","messages":[{"role":"system","content":"a"},{"role":"assistant","content":"b\nc"}],"tools":[{"type":"function","function":{"name":"g"}}],"tool_choice":"required"}"#;
    assert_eq!(body, expected);
    assert_eq!(losses, ["messages[1].content[0]", "messages[1].content[1].cache_control", "top_k"]);
}

#[test]
fn media_in_results_follow_the_results() {
    let image = || {
        let url = "https://example.com/a.png".to_owned();
        let source = crate::form::MediaSource::Url { url, media_type: None };
        Part::new(PartContent::Image { source, detail: None })
    };
    let result = |call_id: &str, content: Vec<Part>| {
        let call_id = call_id.to_owned();
        Part::new(PartContent::ToolResult(ToolResult { call_id, tool_name: None, content, is_error: true }))
    };
    let user = |parts| Message::new(MessageRole::User, parts);
    check_messages(
        vec![
            user(vec![result("a", vec![Part::text("x"), image()])]),
            user(vec![Part::text("go on"), result("b", vec![image()])]),
        ],
        &ChatQuirks::OPENAI,
        concat!(
            r#"{"role":"tool","tool_call_id":"a","content":"x"},"#,
            r#"{"role":"tool","tool_call_id":"b","content":"The content is in the next message of the user."},"#,
            r#"{"role":"user","content":[{"type":"text","text":"Content of the result of tool call a:"},"#,
            r#"{"type":"image_url","image_url":{"url":"https://example.com/a.png"}},"#,
            r#"{"type":"text","text":"Content of the result of tool call b:"},"#,
            r#"{"type":"image_url","image_url":{"url":"https://example.com/a.png"}},"#,
            r#"{"type":"text","text":"go on"}]}"#
        ),
        &["messages[0].content[0].is_error", "messages[1].content[1].is_error"],
    );
}

#[test]
fn documents_that_are_texts_are_rendered_as_texts() {
    let document = |content| {
        let title = Some("notes".to_owned());
        Part::new(PartContent::Document(crate::form::Document {
            content,
            title,
            context: None,
            with_citations: true,
            search_source: None,
        }))
    };
    let base64 = |data: &str| crate::form::MediaSource::Base64 {
        media_type: "text/plain".to_owned(),
        data: data.to_owned(),
    };
    check_messages(
        vec![Message::new(
            MessageRole::User,
            vec![
                document(crate::form::DocumentContent::Text("a".to_owned())),
                document(crate::form::DocumentContent::Media(base64("Yg=="))),
            ],
        )],
        &ChatQuirks::OPENAI,
        concat!(
            r#"{"role":"user","content":[{"type":"text","text":"notes"},{"type":"text","text":"a"},"#,
            r#"{"type":"text","text":"notes"},{"type":"text","text":"b"}]}"#
        ),
        &["messages[0].content[0].citations", "messages[0].content[1].citations"],
    );
}

#[test]
fn a_cache_hint_is_a_loss_where_there_is_no_place_for_it() {
    let mut part = Part::text("a");
    part.cache = Some(CacheHint { lifetime: Some(CacheLifetime::FiveMinutes) });
    let messages = || vec![Message::new(MessageRole::User, vec![part.clone()])];
    let plain = r#"{"role":"user","content":"a"}"#;
    check_messages(messages(), &ChatQuirks::UNKNOWN, plain, &["messages[0].content[0].cache_control"]);
    let cached = r#"{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"5m"}}]}"#;
    check_messages(messages(), &ChatQuirks::OPENROUTER, cached, &[]);
}

#[test]
fn a_request_for_no_reasoning_without_an_effort_is_left_out() {
    let effort = |reasoning: ReasoningRequest| {
        let mut losses = Losses::default();
        (reasoning_effort(Some(&reasoning), &mut losses), losses.is_empty())
    };
    let budget = |tokens| ReasoningRequest { budget_tokens: Some(tokens), ..ReasoningRequest::default() };
    assert_eq!(effort(budget(0)), (None, false));
    assert_eq!(effort(budget(5_000)), (Some("medium"), true));
    let none = ReasoningRequest { effort: Some(ReasoningEffort::None), ..ReasoningRequest::default() };
    assert_eq!(effort(none), (Some("none"), true));
}

#[test]
fn a_model_that_does_not_reason_with_tools_gets_no_effort() {
    let body = r#"{"model":"gpt-5.6","messages":[],"reasoning_effort":"high","tools":[{"type":"function","function":{"name":"f"}}]}"#;
    let (request, _) = parse_request(body.as_bytes()).unwrap();
    let (body, losses) = render(&request, &ChatQuirks::OPENAI);
    assert!(body.contains(r#""reasoning_effort":"none""#), "{body}");
    assert_eq!(losses, ["reasoning_effort"]);
}

#[test]
fn tools_of_another_provider_are_binding() {
    let body = r#"{"model":"m","messages":[],"tools":[{"type":"web_search"}],"tool_choice":"auto"}"#;
    let (request, _) = parse_request(body.as_bytes()).unwrap();
    let (body, losses) = render(&request, &FULL);
    assert_eq!(body, r#"{"model":"m","messages":[]}"#);
    assert_eq!(losses, ["tools[0]"]);
}
