use bytes::Bytes;
use pointsman_domain::model::Modalities;
use pointsman_domain::plan::{ComposedPart, ContentRef, TaskInput, TaskProposal};
use serde_json::{Value, json};

use crate::openai::client::ChatRequest;
use crate::openai::pass_through::CallMembers;
use crate::openai::sample_task::{chat, checked, original, output, outputs_of, request, text, user};
use crate::task_outputs::TaskOutputs;

mod properties;

const OUTPUTS: [Option<&str>; 3] = [Some("a \"quoted\"\nline"), None, Some("")];

pub(super) fn call(max_output_tokens: Option<u32>) -> CallMembers<'static> {
    CallMembers { upstream_name: "up", max_output_tokens, stream_usage: true }
}

fn outputs() -> TaskOutputs {
    outputs_of(OUTPUTS)
}

fn body(request: &ChatRequest, proposal: TaskProposal, answers: bool) -> String {
    let task = checked(request, proposal);
    let pieces = request.render_chat_task(&task, &outputs(), answers).body_for(&call(task.max_output_tokens));
    String::from_utf8(pieces.concat()).unwrap()
}

#[track_caller]
fn check_messages(request: &ChatRequest, input: Vec<TaskInput>, expected: &str) {
    let expected = format!(r#"{{"model":"up","messages":[{expected}]}}"#);
    assert_eq!(body(request, chat(input), false), expected);
}

const SYSTEM: &str = r#"{"role":"system", "content":"Be brief."}"#;
const TEXT_PART: &str = r#"{"type":"text","text":"What \u00e9?\n","cache_control":{"type":"ephemeral"}}"#;
const IMAGE: &str = r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}"#;
const ODD: &str = r#"{"type":"hologram","url":"x"}"#;
const CALL: &str = r#"{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"look","arguments":"{}"}}]}"#;
const RESULT: &str = r#"{"role":"tool","tool_call_id":"1","content":"seen"}"#;
const PICTURE: &str =
    r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://h/a.png"}}],"name":"ada"}"#;

/// 0: system; 1: text, picture and something odd; 2: a call; 3: its result; 4: a picture.
fn conversation() -> ChatRequest {
    let user = format!(r#"{{"content":[{TEXT_PART}, {IMAGE} ,{ODD}],"role":"user"}}"#);
    request(&format!(r#"{{"messages":[{SYSTEM},{user},{CALL},{RESULT},{PICTURE}],"model":"auto"}}"#))
}

#[test]
fn a_conversation_is_sent_unchanged() {
    let user = format!(r#"{{"content":[{TEXT_PART}, {IMAGE} ,{ODD}],"role":"user"}}"#);
    let all = [SYSTEM, &user, CALL, RESULT, PICTURE].join(",");
    check_messages(&conversation(), vec![TaskInput::Conversation(Modalities::all())], &all);
}

#[test]
fn only_parts_of_the_requested_kinds_are_sent() {
    let texts = format!(r#"{{"content":[{TEXT_PART}],"role":"user"}}"#);
    check_messages(
        &conversation(),
        vec![TaskInput::Conversation(Modalities::TEXT)],
        &[SYSTEM, &texts, CALL, RESULT].join(","),
    );
    let pictures = format!(r#"{{"content":[{IMAGE}],"role":"user"}}"#);
    check_messages(
        &conversation(),
        vec![TaskInput::Conversation(Modalities::IMAGE)],
        &[&pictures, CALL, PICTURE].join(","),
    );
    check_messages(&conversation(), vec![TaskInput::Conversation(Modalities::AUDIO)], CALL);
}

#[test]
fn a_message_that_calls_tools_is_sent_without_its_parts() {
    let call =
        |content: &str| format!(r#"{{"role":"assistant","content":{content},"tool_calls":[{{"id":"1"}}]}}"#);
    let request = request(&format!(r#"{{"model":"m","messages":[{}]}}"#, call(&format!("[{IMAGE}]"))));
    check_messages(&request, vec![TaskInput::Conversation(Modalities::TEXT)], &call("null"));
}

#[test]
fn a_message_of_texts_is_sent_as_a_string() {
    let excerpt = ComposedPart::Original(ContentRef { message: 1, part: 0, excerpt: Some((3, 7)) });
    check_messages(
        &conversation(),
        vec![user(vec![text("<\"\u{1}"), output(0, None), original(1, 0), excerpt])],
        r#"{"role":"user","content":"<\"\u0001a \"quoted\"\nlineWhat \u00e9?\nt \u00e9"}"#,
    );
}

#[test]
fn media_are_sent_unchanged_between_the_texts() {
    let content = vec![
        original(1, 1),
        text("a"),
        output(1, Some("b")),
        original(4, 0),
        output(2, None),
        original(1, 2),
    ];
    let picture = r#"{"type":"image_url","image_url":{"url":"https://h/a.png"}}"#;
    check_messages(
        &conversation(),
        vec![user(content), user(vec![text("c")])],
        &format!(
            r#"{{"role":"user","content":[{IMAGE},{{"type":"text","text":"ab"}},{picture},{ODD}]}},{{"role":"user","content":"c"}}"#
        ),
    );
}

#[test]
fn a_missing_output_is_replaced_by_its_fallback() {
    let content = vec![output(1, Some("nothing")), text("-"), output(1, None)];
    check_messages(&conversation(), vec![user(content)], r#"{"role":"user","content":"nothing-"}"#);
}

#[test]
fn a_reference_to_nothing_is_empty() {
    let many = request(
        r#"{"model":"m","messages":[{"role":"user","content":"a"},{"role":"user","content":[{"type":"text","text":"long enough"},{"type":"text","text":"c"}]}]}"#,
    );
    let excerpt =
        |from, to| ComposedPart::Original(ContentRef { message: 1, part: 0, excerpt: Some((from, to)) });
    let content = vec![original(1, 1), excerpt(0, 4), excerpt(2, 9), original(0, 0)];
    let task = checked(&many, chat(vec![user(content)]));
    let one = request(
        r#"{"model":"m","messages":[{"role":"user","content":"x"},{"role":"user","content":"\u00e9\u00e9"}]}"#,
    );
    let body = one.render_chat_task(&task, &TaskOutputs::default(), false).body_for(&call(None)).concat();
    assert_eq!(body, br#"{"model":"up","messages":[{"role":"user","content":"\u00e9\u00e9x"}]}"#);
}

#[test]
fn a_task_that_does_not_answer_has_only_its_own_members() {
    let request = request(
        r#"{"model":"m","stream":true,"temperature":2,"max_completion_tokens":50,"tools":[],"messages":[{"role":"user","content":"Hi"}]}"#,
    );
    let mut proposal = chat(vec![user(vec![text("a")])]);
    proposal.options = [("temperature", "0.5"), ("response_format", "\"json_object\""), ("seed", "7")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    proposal.max_output_tokens = Some(80);
    assert_eq!(
        body(&request, proposal, false),
        r#"{"model":"up","max_completion_tokens":50,"messages":[{"role":"user","content":"a"}],"temperature":0.5,"response_format":{"type":"json_object"},"seed":7}"#
    );
}

#[test]
fn the_task_that_answers_has_the_clients_members_except_those_it_sets() {
    let request = request(
        r#"{ "stream" : true, "temperature":2, "messages":[{"role":"user","content":"Hi"}], "response_format":{"type":"text"}, "model":"m", "tools":[1e5] }"#,
    );
    let mut proposal = chat(vec![user(vec![text("a")])]);
    proposal.options = [("temperature", "0.5"), ("response_format", "\"json_object\""), ("seed", "7")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    proposal.max_output_tokens = Some(80);
    assert_eq!(
        body(&request, proposal, true),
        r#"{ "stream" : true, "temperature":0.5, "messages":[{"role":"user","content":"a"}], "response_format":{"type":"json_object"}, "model":"up","stream_options":{"include_usage":true},"seed":7,"max_tokens":80, "tools":[1e5] }"#
    );
}

#[test]
fn the_lower_limit_is_sent_under_the_clients_name_for_it() {
    let limited = |members: &str, limit: Option<u32>, answers: bool| {
        let request =
            request(&format!(r#"{{"model":"m","messages":[{{"role":"user","content":"Hi"}}]{members}}}"#));
        let proposal = TaskProposal { max_output_tokens: limit, ..chat(vec![user(vec![text("a")])]) };
        let body: Value = serde_json::from_str(&body(&request, proposal, answers)).unwrap();
        json!([body["max_tokens"], body["max_completion_tokens"]])
    };
    for answers in [true, false] {
        assert_eq!(limited("", Some(5), answers), json!([5, null]));
        assert_eq!(limited(r#","max_tokens":9"#, Some(5), answers), json!([5, null]));
        assert_eq!(limited(r#","max_tokens":3"#, Some(5), answers), json!([3, null]));
        assert_eq!(limited(r#","max_tokens":-1"#, Some(5), answers), json!([5, null]));
        assert_eq!(limited(r#","max_completion_tokens":9"#, Some(5), answers), json!([null, 5]));
        assert_eq!(limited(r#","max_completion_tokens":4,"max_tokens":9"#, Some(5), answers), json!([4, 4]));
    }
    assert_eq!(limited(r#","max_tokens":9"#, None, true), json!([9, null]));
    assert_eq!(limited(r#","max_tokens":9"#, None, false), json!([null, null]));
}

#[test]
fn input_tokens_are_estimated_from_the_call() {
    let tools = r#""tools":[{"type":"function","function":{"name":"look","description":"Looks at it."}}]"#;
    let user_message =
        format!(r#"{{"role":"user","content":[{{"type":"text","text":"12345678"}},{IMAGE}]}}"#);
    let request = request(&format!(r#"{{"model":"m","messages":[{user_message}],{tools}}}"#));
    let tokens = |input, answers| {
        request.render_chat_task(&checked(&request, chat(input)), &outputs(), answers).input_tokens
    };
    assert_eq!(tokens(vec![TaskInput::Conversation(Modalities::all())], true), request.input_tokens);
    assert_eq!(tokens(vec![TaskInput::Conversation(Modalities::all())], false), 2 + 765 + 4 + 3);
    assert_eq!(tokens(vec![TaskInput::Conversation(Modalities::TEXT)], false), 2 + 4 + 3);
    assert_eq!(tokens(vec![user(vec![original(0, 1), text("1234")])], false), 1 + 765 + 4 + 3);
}

#[test]
fn an_answer_is_composed_of_texts() {
    let excerpt = ComposedPart::Original(ContentRef { message: 1, part: 0, excerpt: Some((3, 7)) });
    let parts = [text("a"), original(1, 0), original(1, 1), excerpt, output(0, None), output(1, Some("b"))];
    assert_eq!(conversation().compose_text(&parts, &outputs()), "aWhat é?\nt éa \"quoted\"\nlineb");
}

#[test]
fn a_picture_is_not_copied() {
    let picture = Bytes::from(vec![b'A'; 1_000_000]);
    let mut scan = crate::openai::client::RequestScan::default();
    let before = br#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,"#;
    for piece in [Bytes::from_static(before), picture.clone(), Bytes::from_static(br#""}}]}]}"#)] {
        scan.push(piece).unwrap();
    }
    let request = scan.finish().unwrap();
    for input in [TaskInput::Conversation(Modalities::all()), user(vec![text("a"), original(0, 0)])] {
        let task = checked(&request, chat(vec![input]));
        for answers in [true, false] {
            let pieces = request.render_chat_task(&task, &outputs(), answers).body_for(&call(None));
            assert!(pieces.iter().any(|piece| piece.as_ptr() == picture.as_ptr()));
            assert!(serde_json::from_slice::<Value>(&pieces.concat()).is_ok());
        }
    }
}

#[test]
fn an_example_is_filtered_by_kind_of_content() {
    let example = include_str!("../../../../tests/fixtures/picture.request.json");
    let original: Value = serde_json::from_str(example).unwrap();
    let request = request(example);
    let sent = |kinds, answers| -> Value {
        serde_json::from_str(&body(&request, chat(vec![TaskInput::Conversation(kinds)]), answers)).unwrap()
    };
    let mut whole = original.clone();
    whole["model"] = json!("up");
    assert_eq!(sent(Modalities::all(), true), whole);
    let content = &original["messages"][0]["content"];
    assert_eq!(
        sent(Modalities::IMAGE, false)["messages"],
        json!([{ "role": "user", "content": [content[1]] }])
    );
    assert_eq!(
        sent(Modalities::TEXT, false)["messages"],
        json!([{ "role": "user", "content": [content[0]] }])
    );
}
