//! Requests.

use pointsman_dialects::anthropic::{
    parse_count_tokens, parse_request, render_count_tokens_request, render_request,
};
use serde_json::{Value, json};

use crate::recorded;

/// Members that do not come back, by the path in the losses of the first step.
const NOT_IN_THE_FORM: [&str; 5] =
    ["defer_loading", "allowed_callers", "task_budget", "caller", "toolset_name"];

/// Requests that come back in another form, with the reason.
const CHANGED: [(&str, &str); 2] = [
    ("test_anthropic_opus_46_features-effort", "an effort requests reasoning in other APIs"),
    ("test_anthropic_task_budget_coexists_with_effort", "an effort requests reasoning in other APIs"),
];

#[test]
fn every_request_parses_and_comes_back() {
    let Some(calls) = recorded::calls("anthropic.messages") else { return };
    let mut seen = 0;
    for call in calls {
        let Some(body) = call.request_body().filter(|body| call.status < 400 && body.get("model").is_some())
        else {
            continue;
        };
        seen += 1;
        let bytes = serde_json::to_vec(body).expect("JSON");
        let (request, mut losses) =
            parse_request(&bytes).unwrap_or_else(|error| panic!("{}: {error}", call.id));
        for loss in losses.iter() {
            let is_known = NOT_IN_THE_FORM.iter().any(|member| loss.member.ends_with(member));
            assert!(is_known, "{}: {loss:?}", call.id);
        }
        let rendered = render_request(&request, &mut losses);
        let rendered: Value = serde_json::from_slice(&rendered).expect("JSON");
        let expected = normalized(body);
        let rendered = normalized(&rendered);
        let is_known = CHANGED.iter().any(|(id, _)| call.id.contains(id));
        assert_eq!(rendered == expected, !is_known, "{}\n{expected}\n{rendered}\n{losses:?}", call.id);
    }
    assert!(seen >= 165, "{seen} requests");
}

#[test]
fn every_request_to_count_tokens_parses_and_comes_back() {
    let Some(calls) = recorded::calls("anthropic.count_tokens") else { return };
    let mut seen = 0;
    for call in calls {
        let Some(body) = call.request_body() else { continue };
        seen += 1;
        let (request, mut losses) = parse_count_tokens(&serde_json::to_vec(body).expect("JSON"))
            .unwrap_or_else(|error| panic!("{}: {error}", call.id));
        let rendered = render_count_tokens_request(&request, &mut losses);
        let rendered: Value = serde_json::from_slice(&rendered).expect("JSON");
        assert_eq!(normalized(&rendered), normalized(body), "{}", call.id);
        assert!(losses.is_empty(), "{}: {losses:?}", call.id);
    }
    assert!(seen > 3, "{seen} requests");
}

/// Returns the request in one of its equivalent forms, without what the common form does not hold.
pub(super) fn normalized(body: &Value) -> Value {
    let mut body = body.clone();
    let request = body.as_object_mut().expect("an object");
    request.retain(|_, value| !value.is_null());
    if let Some(format) = request.remove("output_format") {
        request.insert("output_config".to_owned(), json!({ "format": format }));
    }
    if request.get("stream") == Some(&json!(false)) {
        request.remove("stream");
    }
    if let Some(system) = request.get_mut("system") {
        normalize_content(system);
        system.as_array_mut().expect("blocks").retain(|block| block["text"] != "");
        if *system == json!([]) {
            request.remove("system");
        }
    }
    if let Some(tools) = request.get_mut("tools").and_then(Value::as_array_mut) {
        // Tools that the provider runs come last.
        tools.sort_by_key(|tool| tool.get("input_schema").is_none());
        for tool in tools {
            let tool = tool.as_object_mut().expect("an object");
            if tool.contains_key("input_schema") {
                tool.retain(|name, value| !value.is_null() && !NOT_IN_THE_FORM.contains(&&**name));
            }
        }
    }
    if let Some(config) = request.get_mut("output_config").and_then(Value::as_object_mut) {
        config.remove("task_budget");
        if config.is_empty() {
            request.remove("output_config");
        }
    }
    let messages = request["messages"].as_array_mut().expect("messages");
    for message in messages {
        normalize_content(&mut message["content"]);
    }
    body
}

fn normalize_content(content: &mut Value) {
    if let Value::String(text) = content {
        *content = json!([{ "type": "text", "text": text }]);
    }
    for block in content.as_array_mut().into_iter().flatten() {
        let is_original = block["type"].as_str().is_some_and(|kind| {
            !["text", "tool_use", "tool_result", "image", "document", "thinking"].contains(&kind)
        });
        let block = block.as_object_mut().expect("an object");
        block.retain(|name, value| {
            let is_default = name == "is_error" && *value == json!(false)
                || name == "citations" && *value == json!({ "enabled": false });
            is_original || !value.is_null() && name != "caller" && !is_default
        });
        if block["type"] == "tool_result"
            && let Some(content) = block.get_mut("content")
        {
            normalize_content(content);
        }
    }
}
