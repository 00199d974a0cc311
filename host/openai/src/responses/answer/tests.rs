use serde_json::{Value, json};

use super::*;
use crate::form::{Citation, MediaSource, Reasoning, Signature, SignatureOrigin, StopReason, ToolCall};
use crate::responses::parse_request;

const TOOLS: &str = r#"[{"type":"function","name":"f","parameters":{}},{"type":"custom","name":"patch"},
    {"type":"namespace","name":"crm","tools":[{"type":"function","name":"find"}]},
    {"type":"tool_search","execution":"client"}]"#;

fn identity() -> AnswerIdentity {
    AnswerIdentity { id: "1".to_owned(), created: 7, model: "m".to_owned() }
}

fn render(answer: &ConversationAnswer, request: &str) -> Value {
    let (_, echoed, _) = parse_request(request.as_bytes()).unwrap();
    let usage = Usage { cached_input_tokens: 3, reasoning_tokens: 2, ..Usage::counted(10, 5) };
    serde_json::from_slice(&render_answer(answer, &identity(), &echoed, usage)).unwrap()
}

/// Returns the output for these parts.
fn output(parts: Vec<Part>) -> Value {
    let answer = ConversationAnswer { parts, ..ConversationAnswer::default() };
    let request = format!(r#"{{"model":"r","input":"x","tools":{TOOLS}}}"#);
    render(&answer, &request)["output"].take()
}

fn call(id: &str, name: &str, input: ToolInput) -> Part {
    Part::new(PartContent::ToolCall(ToolCall { id: id.to_owned(), name: name.to_owned(), input }))
}

fn signature(origin: SignatureOrigin) -> Signature {
    Signature { origin, value: "sig".to_owned() }
}

#[test]
fn a_response_repeats_the_request_and_states_that_it_is_not_stored() {
    let answer = ConversationAnswer { parts: vec![Part::text("Hi")], ..ConversationAnswer::default() };
    let response = render(
        &answer,
        r#"{"model":"r","input":"x","instructions":"I","temperature":0.50,"store":true,"metadata":{"k":"v"},
        "tools":[{"type":"function","name":"f","parameters":{"b":1,"a":2},"strict":true}],"tool_choice":"required",
        "text":{"verbosity":"low"},"reasoning":{"effort":"low"},"parallel_tool_calls":false,"max_output_tokens":9}"#,
    );
    let expected = json!({
        "id": "resp_1", "object": "response", "created_at": 7, "status": "completed", "background": false,
        "error": null, "incomplete_details": null, "instructions": "I", "max_output_tokens": 9,
        "max_tool_calls": null, "model": "m",
        "output": [{"type": "message", "id": "msg_1_0", "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": "Hi"}]}],
        "parallel_tool_calls": false, "previous_response_id": null, "prompt_cache_key": null,
        "reasoning": {"effort": "low"}, "safety_identifier": null, "service_tier": "default", "store": false,
        "temperature": 0.5, "text": {"format": {"type": "text"}, "verbosity": "low"},
        "tool_choice": "required",
        "tools": [{"type": "function", "name": "f", "parameters": {"b": 1, "a": 2}, "strict": true}],
        "top_logprobs": 0, "top_p": null, "truncation": "disabled",
        "usage": {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
            "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 15},
        "metadata": {"k": "v"},
    });
    assert_eq!(response, expected);
}

#[test]
fn calls_are_items_of_the_kind_of_their_tools() {
    let json = |input: &str| ToolInput::Json(input.to_owned());
    let output = output(vec![
        call("c0", "f", json("{\"a\": 1}")),
        call("c1", "f", json("")),
        call("c2", "patch", ToolInput::Text("*** Begin".to_owned())),
        call("c3", "patch", json(r#"{"input":"*** \"Begin\""}"#)),
        call("c4", "crm__find", json("{}")),
        call("c5", "tool_search", json(r#"{"query":"q"}"#)),
    ]);
    let head = |kind: &str, prefix: &str, index: usize| json!({"type": kind, "id": format!("{prefix}_1_{index}"), "status": "completed", "call_id": format!("c{index}")});
    let item = |mut head: Value, members: Value| {
        head.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        head
    };
    let expected = json!([
        item(head("function_call", "fc", 0), json!({"name": "f", "arguments": "{\"a\": 1}"})),
        item(head("function_call", "fc", 1), json!({"name": "f", "arguments": "{}"})),
        item(head("custom_tool_call", "ctc", 2), json!({"name": "patch", "input": "*** Begin"})),
        item(head("custom_tool_call", "ctc", 3), json!({"name": "patch", "input": "*** \"Begin\""})),
        item(head("function_call", "fc", 4), json!({"name": "find", "namespace": "crm", "arguments": "{}"})),
        item(head("tool_search_call", "tsc", 5), json!({"execution": "client", "arguments": {"query": "q"}})),
    ]);
    assert_eq!(output, expected);
}

#[test]
fn reasoning_carries_every_signature() {
    let reasoning = |text: &str, is_summary, encrypted| {
        let reasoning = Reasoning { text: text.to_owned(), is_summary, encrypted, id: None };
        Part::new(PartContent::Reasoning(reasoning))
    };
    let signed = |part: Part, origin| Part { signature: Some(signature(origin)), ..part };
    let output = output(vec![
        signed(reasoning("think", false, None), SignatureOrigin::Anthropic),
        reasoning("", false, Some(signature(SignatureOrigin::Anthropic))),
        reasoning("sum", true, Some(signature(SignatureOrigin::OpenAi))),
        signed(Part::text("Hi"), SignatureOrigin::Gemini),
        signed(call("c", "f", ToolInput::Json("{}".to_owned())), SignatureOrigin::Gemini),
    ]);
    let kinds: Vec<_> =
        output.as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
    let expected =
        ["reasoning", "reasoning", "reasoning", "message", "reasoning", "function_call", "reasoning"];
    assert_eq!(kinds, expected);
    let expected = json!({"type": "reasoning", "id": "rs_1_0", "summary": [],
        "content": [{"type": "reasoning_text", "text": "think"}], "encrypted_content": "anthropic:sig"});
    assert_eq!(output[0], expected);
    assert_eq!(output[1]["encrypted_content"], "anthropic-encrypted:sig");
    assert_eq!(output[2]["summary"], json!([{"type": "summary_text", "text": "sum"}]));
    assert_eq!(output[2]["encrypted_content"], "sig");
    assert_eq!(output[4]["encrypted_content"], "gemini-text:sig");
    assert_eq!(output[6]["encrypted_content"], "gemini-call:sig:c");
}

#[test]
fn reasoning_is_shown_as_a_summary_to_a_client_that_requested_one() {
    let reasoning = Reasoning { text: "t".to_owned(), ..Reasoning::default() };
    let parts = vec![Part::new(PartContent::Reasoning(reasoning))];
    let answer = ConversationAnswer { parts, ..ConversationAnswer::default() };
    let response = render(&answer, r#"{"model":"r","input":"x","reasoning":{"summary":"auto"}}"#);
    assert_eq!(response["output"][0]["summary"][0]["text"], "t");
    assert_eq!(response["output"][0]["content"], Value::Null);
}

#[test]
fn texts_and_refusals_are_parts_of_one_message_with_their_sources() {
    let citation = Citation {
        url: Some("https://x.org".to_owned()),
        title: Some("X".to_owned()),
        answer_range: Some((0, 2)),
        ..Citation::default()
    };
    let cited = PartContent::Text { text: "Hi".to_owned(), citations: vec![citation] };
    let refusal = Part::new(PartContent::Refusal("No.".to_owned()));
    let output = output(vec![Part::new(cited), refusal]);
    let annotation = json!({"type": "url_citation", "start_index": 0, "end_index": 2, "url": "https://x.org", "title": "X"});
    let expected = json!([
        {"type": "output_text", "annotations": [annotation], "logprobs": [], "text": "Hi"},
        {"type": "refusal", "refusal": "No."},
    ]);
    assert_eq!(output[0]["content"], expected);
    assert_eq!(output.as_array().unwrap().len(), 1);
}

#[test]
fn an_image_is_a_result_of_image_generation() {
    let source = MediaSource::Base64 { media_type: "image/png".to_owned(), data: "iVBO".to_owned() };
    let output = output(vec![Part::new(PartContent::Image { source, detail: None })]);
    let expected = json!([{"type": "image_generation_call", "id": "ig_1_0", "status": "completed", "result": "iVBO", "output_format": "png"}]);
    assert_eq!(output, expected);
}

#[test]
fn an_answer_that_was_cut_off_is_incomplete() {
    let check = |stop: StopReason, status: &str, reason: Value| {
        let parts = vec![Part::text("Hi")];
        let answer = ConversationAnswer { parts, stop, ..ConversationAnswer::default() };
        let response = render(&answer, r#"{"model":"r","input":"x"}"#);
        assert_eq!(response["status"], status);
        assert_eq!(response["incomplete_details"], reason);
        assert_eq!(response["output"][0]["status"], status);
    };
    check(StopReason::MaxTokens, "incomplete", json!({"reason": "max_output_tokens"}));
    check(StopReason::ContentFilter, "incomplete", json!({"reason": "content_filter"}));
    check(StopReason::Refusal, "incomplete", json!({"reason": "content_filter"}));
    check(StopReason::ToolCalls, "completed", Value::Null);
    check(StopReason::StopSequence(None), "completed", Value::Null);
}

#[test]
fn calls_without_an_id_of_their_own_get_one() {
    let json = || ToolInput::Json("{}".to_owned());
    let output = output(vec![call("", "f", json()), call("c", "f", json()), call("c", "f", json())]);
    let ids: Vec<_> =
        output.as_array().unwrap().iter().map(|item| item["call_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["call_1_0", "c", "call_1_2"]);
}

#[test]
fn an_answer_that_the_client_sends_back_is_the_same() {
    let reasoning = |text: &str, encrypted| {
        let reasoning = Reasoning { text: text.to_owned(), encrypted, ..Reasoning::default() };
        Part::new(PartContent::Reasoning(reasoning))
    };
    let signed = |part: Part, origin| Part { signature: Some(signature(origin)), ..part };
    let json = |input: &str| ToolInput::Json(input.to_owned());
    let parts = vec![
        signed(reasoning("think", None), SignatureOrigin::Anthropic),
        reasoning("", Some(signature(SignatureOrigin::Anthropic))),
        reasoning("", Some(signature(SignatureOrigin::OpenAi))),
        signed(Part::text("Hi"), SignatureOrigin::Gemini),
        signed(call("a", "f", json("{\"a\": 1}")), SignatureOrigin::Gemini),
        call("b", "crm__find", json("{}")),
        call("c", "patch", ToolInput::Text("x".to_owned())),
        call("d", "tool_search", json(r#"{"query":"q"}"#)),
    ];
    let items = output(parts.clone());
    let request = format!(r#"{{"model":"m","input":{items},"tools":{TOOLS}}}"#);
    let (request, _, losses) = parse_request(request.as_bytes()).unwrap();
    assert_eq!(request.messages.len(), 1);
    let mut read = request.messages[0].parts.clone();
    for part in &mut read {
        if let PartContent::Reasoning(reasoning) = &mut part.content {
            // An item that has nothing to show is a summary as much as a text.
            (reasoning.id, reasoning.is_summary) = (None, false);
        }
    }
    assert_eq!(read, parts);
    assert!(losses.iter().all(|loss| loss.member.starts_with("tools")), "{losses:?}");
}
