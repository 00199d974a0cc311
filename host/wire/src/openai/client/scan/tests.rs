use pointsman_domain::model::{Abilities, Modalities};
use pointsman_domain::serving_error::{ErrorClass, ErrorKind};

use super::*;
use crate::openai::pass_through::CallMembers;

/// Reads a body whole and byte by byte, which must come to the same.
fn read(body: &str) -> Result<ChatRequest, BadRequest> {
    let scanned = |pieces: &[&[u8]]| {
        let mut scan = RequestScan::default();
        pieces.iter().try_for_each(|piece| scan.push(Bytes::copy_from_slice(piece)))?;
        scan.finish()
    };
    let whole = scanned(&[body.as_bytes()]);
    let pieces: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
    let in_pieces = scanned(&pieces);
    let facts = |request: &Result<ChatRequest, BadRequest>| {
        request
            .as_ref()
            .map(|request| {
                format!(
                    "{:?}",
                    (
                        &request.model,
                        request.input_tokens,
                        request.needs,
                        request.inputs,
                        &request.stream_options,
                        &request.index
                    )
                )
            })
            .map_err(Clone::clone)
    };
    assert_eq!(facts(&in_pieces), facts(&whole));
    whole
}

/// A request with these further members.
fn with(members: &str) -> ChatRequest {
    let comma = if members.is_empty() { "" } else { "," };
    read(&format!(r#"{{"model":"auto","messages":[{{"role":"user","content":"Hi"}}]{comma}{members}}}"#))
        .unwrap()
}

/// A request whose messages have these contents.
fn saying(contents: &[&str]) -> ChatRequest {
    let messages: Vec<String> =
        contents.iter().map(|content| format!(r#"{{"role":"user","content":{content}}}"#)).collect();
    read(&format!(r#"{{"model":"auto","messages":[{}]}}"#, messages.join(","))).unwrap()
}

#[track_caller]
fn check_error(body: &str, message: &str, param: Option<&str>, code: &str) {
    let error = read(body).unwrap_err();
    assert_eq!((error.message.as_str(), error.param.as_deref(), error.kind.code()), (message, param, code));
    assert_eq!(error.kind.class(), ErrorClass::InvalidRequest);
}

#[track_caller]
fn check_type(member: &str, param: &str, expected_but_got: &str) {
    let body = format!(r#"{{"model":"auto","messages":[{{"role":"user","content":"Hi"}}],{member}}}"#);
    let message = format!("Invalid type for '{param}': expected {expected_but_got} instead.");
    check_error(&body, &message, Some(param), "invalid_type");
}

#[test]
fn a_request_has_defaults() {
    let request = with("");
    assert_eq!(request.model, "auto");
    assert_eq!((request.streaming, request.wants_usage), (false, false));
    assert_eq!((request.max_output_tokens, request.answers, request.turns), (None, 1, 1));
    assert_eq!((request.inputs, request.needs), (Modalities::TEXT, Abilities::empty()));
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_request() {
    const BODY: &str = r#"{"model":"auto","messages":[{"role":"user","content":"Hi"}],"max_tokens":5}"#;
    let marked = format!("\u{feff}{BODY}");
    let request = read(&marked).unwrap();
    assert_eq!(request.body_len(), BODY.len());
    let call = |max_output_tokens| CallMembers { upstream_name: "x", max_output_tokens, stream_usage: true };
    assert_eq!(request.body_for(&call(None)).concat(), BODY.replace("auto", "x").as_bytes());
    assert_eq!(
        request.body_for(&call(Some(4))).concat(),
        BODY.replace("auto", "x").replace('5', "4").as_bytes()
    );
    assert_eq!(read(&format!("\u{feff} \n{BODY}")).unwrap().model, "auto");

    for wrong in [format!("\u{feff}{marked}"), format!(" {marked}"), format!("{BODY}\u{feff}")] {
        assert!(read(&wrong).is_err(), "{wrong:?}");
    }
    assert!(read("\u{feff}").is_err());
    // It begins as the mark does.
    assert!(read("\u{fe8f}{}").is_err());
}

#[test]
fn the_limit_on_output_is_read_from_both_members() {
    assert_eq!(with(r#""max_tokens":5"#).max_output_tokens, Some(5));
    assert_eq!(with(r#""max_completion_tokens":6,"max_tokens":5"#).max_output_tokens, Some(6));
    assert_eq!(with(r#""max_tokens":null"#).max_output_tokens, None);
    assert_eq!(with(r#""max_tokens":-1"#).max_output_tokens, None);
    assert_eq!(with(r#""max_tokens":99999999999"#).max_output_tokens, Some(u32::MAX));
    assert_eq!(with(r#""max_tokens":256.0"#).max_output_tokens, Some(256));
    assert_eq!(with(r#""max_tokens":-1.0"#).max_output_tokens, None);
    assert_eq!(with(r#""max_completion_tokens":2.56e2"#).max_output_tokens, Some(256));
    assert_eq!(with(r#""n":3"#).answers, 3);
}

#[test]
fn needs_follow_from_the_requested_features() {
    let needs = |members: &str| with(members).needs;
    assert_eq!(needs(r#""stream":true"#), Abilities::STREAMING);
    assert_eq!(needs(r#""tools":[{"type":"function","function":{"name":"f"}}]"#), Abilities::TOOLS);
    assert_eq!(needs(r#""functions":[{"name":"f"}]"#), Abilities::TOOLS);
    assert_eq!(needs(r#""tools":[],"functions":null"#), Abilities::empty());
    assert_eq!(
        needs(r#""response_format":{"type":"json_schema","json_schema":{}}"#),
        Abilities::STRUCTURED_OUTPUT
    );
    assert_eq!(needs(r#""response_format":{"type":"json_object"}"#), Abilities::empty());
    assert_eq!(needs(r#""reasoning_effort":"low""#), Abilities::REASONING);
    assert_eq!(needs(r#""reasoning_effort":"minimal""#), Abilities::empty());
    assert_eq!(needs(r#""reasoning_effort":"none""#), Abilities::empty());
    assert_eq!(needs(r#""logprobs":true"#), Abilities::LOG_PROBABILITIES);
    assert_eq!(needs(r#""logprobs":false"#), Abilities::empty());
}

#[test]
fn earlier_tool_calls_need_tools_but_negotiably() {
    let needs = |message: &str| {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}},{message}]}}"#);
        let request = read(&body).unwrap();
        (request.needs, request.negotiable_needs)
    };
    let negotiable = (Abilities::TOOLS, Abilities::TOOLS);
    for message in [
        r#"{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function"}]}"#,
        r#"{"role":"assistant","tool_calls":[{"id":"1"},{"id":"2"}]}"#,
        r#"{"role":"assistant","function_call":{"name":"f","arguments":"{}"}}"#,
        r#"{"role":"tool","tool_call_id":"1","content":"sunny"}"#,
        r#"{"content":[],"role":"tool"}"#,
        r#"{"role":"function","name":"f","content":null}"#,
    ] {
        assert_eq!(needs(message), negotiable, "{message}");
    }
    let nothing = (Abilities::empty(), Abilities::empty());
    for message in [
        r#"{"role":"assistant","content":"hi","tool_calls":[],"function_call":null}"#,
        r#"{"role":"assistant","content":"hi","tool_calls":null}"#,
        r#"{"role":"assistant","content":[{"type":"text","text":"tool_calls"}],"extra":{"tool_calls":[{}]}}"#,
    ] {
        assert_eq!(needs(message), nothing, "{message}");
    }
    let offered = r#"{"model":"m","messages":[{"role":"tool","content":"x"}],"tools":[{"type":"function"}]}"#;
    let offered = read(offered).unwrap();
    assert_eq!((offered.needs, offered.negotiable_needs), (Abilities::TOOLS, Abilities::empty()));
}

#[test]
fn the_least_number_of_tokens_is_below_that_of_any_tokenizer() {
    // 128 blanks are one token of `cl100k_base` and `o200k_base`.
    let blanks = |count: usize| {
        let body = serde_json::json!({ "model": "m", "messages": [{ "role": "user", "content": " ".repeat(count) }] });
        read(&body.to_string()).unwrap().least_input_tokens
    };
    assert_eq!([0, 127, 128, 12_800].map(blanks), [0, 0, 1, 100]);
}

#[test]
fn usage_is_reported_to_clients_that_request_it() {
    assert!(with(r#""stream":true,"stream_options":{"include_usage":true}"#).wants_usage);
    assert!(!with(r#""stream":true,"stream_options":{"include_usage":false}"#).wants_usage);
    assert!(!with(r#""stream":true,"stream_options":{}"#).wants_usage);
    assert!(!with(r#""stream":true,"stream_options":null"#).wants_usage);
}

#[test]
fn modalities_follow_from_the_parts() {
    let inputs = |part: &str| saying(&[&format!("[{part}]")]).inputs;
    assert_eq!(inputs(r#"{"type":"text","text":"Hi"}"#), Modalities::TEXT);
    assert_eq!(inputs(r#"{"type":"image_url","image_url":{"url":"https://a/b.png"}}"#), Modalities::IMAGE);
    assert_eq!(inputs(r#"{"image_url":"https://a/b.png"}"#), Modalities::IMAGE);
    assert_eq!(
        inputs(r#"{"input_audio":{"data":"AAAA","format":"wav"},"type":"input_audio"}"#),
        Modalities::AUDIO
    );
    assert_eq!(inputs(r#"{"type":"video_url","video_url":{"url":"https://a/b.mp4"}}"#), Modalities::VIDEO);
    assert_eq!(inputs(r#"{"type":"file","file":{"file_id":"x"}}"#), Modalities::DOCUMENT);
    assert_eq!(inputs(r#"{"type":"text","text":"Hi","image_url":null,"file":null}"#), Modalities::TEXT);
    assert_eq!(saying(&["null"]).inputs, Modalities::empty());
}

#[test]
fn tokens_are_estimated_from_text_messages_and_media() {
    let empty = 4 + 3;
    assert_eq!(saying(&[r#""""#]).input_tokens, empty);
    assert_eq!(saying(&[r#""12345678""#]).input_tokens, empty + 2);
    assert_eq!(saying(&[r#""1234""#, r#""5678""#]).input_tokens, empty + 4 + 2);
    // An escape counts as what it stands for.
    assert_eq!(saying(&[r#""\u4e2d\u6587\n\n""#]).input_tokens, empty + 2);
    let image = r#"[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]"#;
    assert_eq!(saying(&[image]).input_tokens, empty + 765);
    let low = r#"[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}}]"#;
    assert_eq!(saying(&[low]).input_tokens, empty + 85);
    let second_of_mp3 = "A".repeat(16_000 / 3 * 4);
    let audio =
        format!(r#"[{{"type":"input_audio","input_audio":{{"data":"{second_of_mp3}","format":"mp3"}}}}]"#);
    assert_eq!(saying(&[&audio]).input_tokens, empty + 10);
}

#[test]
fn tools_and_calls_of_tools_count_as_input() {
    let schema =
        r#""tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}}]"#;
    assert!(with(schema).input_tokens > with("").input_tokens + 15);
    let call = r#"{"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Rome\"}"}}]}]}"#;
    assert!(read(call).unwrap().input_tokens > 15);
}

#[test]
fn instructions_are_no_turns() {
    let body = r#"{"model":"m","messages":[{"role":"system","content":"a"},{"content":"b","role":"developer"},{"role":"user","content":"c"},{"role":"assistant","content":"d"},{"role":"tool","tool_call_id":"1","content":"e"}]}"#;
    assert_eq!(read(body).unwrap().turns, 3);
}

#[test]
fn a_missing_member_is_named() {
    let messages = r#""messages":[{"role":"user","content":"Hi"}]"#;
    let code = "missing_required_parameter";
    check_error(&format!("{{{messages}}}"), "Missing required parameter: 'model'.", Some("model"), code);
    check_error(r#"{"model":"m"}"#, "Missing required parameter: 'messages'.", Some("messages"), code);
    check_error(
        r#"{"model":"m","messages":[{"role":"user","content":"a"},{"content":"b"}]}"#,
        "Missing required parameter: 'messages[1].role'.",
        Some("messages[1].role"),
        code,
    );
    check_error(
        r#"{"model":"m","messages":[]}"#,
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        Some("messages"),
        "empty_array",
    );
    check_error(
        r#"{"model":"","messages":[{"role":"user","content":"a"}]}"#,
        "Invalid 'model': expected a string of 1 to 512 bytes.",
        Some("model"),
        "invalid_value",
    );
}

#[test]
fn a_wrong_type_is_reported_with_the_expected_one() {
    check_type(r#""stream":"yes""#, "stream", "a boolean, but got a string");
    check_type(r#""stream":{}"#, "stream", "a boolean, but got an object");
    check_type(r#""stream_options":true"#, "stream_options", "an object, but got a boolean");
    check_type(
        r#""stream_options":{"include_usage":1}"#,
        "stream_options.include_usage",
        "a boolean, but got a number",
    );
    check_type(r#""max_tokens":"5""#, "max_tokens", "an integer, but got a string");
    check_type(r#""max_tokens":5.5"#, "max_tokens", "an integer, but got a number that is none");
    check_type(r#""tools":{}"#, "tools", "an array of objects, but got an object");
    check_type(r#""logprobs":[1]"#, "logprobs", "a boolean, but got an array");
    check_type(r#""reasoning_effort":3"#, "reasoning_effort", "a string, but got a number");
}

#[test]
fn a_wrong_type_in_a_message_is_reported_with_its_path() {
    let check = |messages: &str, param: &str, expected_but_got: &str| {
        let message = format!("Invalid type for '{param}': expected {expected_but_got} instead.");
        check_error(
            &format!(r#"{{"model":"m","messages":{messages}}}"#),
            &message,
            Some(param),
            "invalid_type",
        );
    };
    check(r#""Hi""#, "messages", "an array of objects, but got a string");
    check("null", "messages", "an array of objects, but got null");
    check(r#"["Hi"]"#, "messages[0]", "an object, but got a string");
    check(r#"[{"role":1}]"#, "messages[0].role", "a string, but got a number");
    check(
        r#"[{"role":"user","content":1}]"#,
        "messages[0].content",
        "a string or an array of objects, but got a number",
    );
    check(
        r#"[{"role":"user","content":{}}]"#,
        "messages[0].content",
        "a string or an array of objects, but got an object",
    );
}

#[test]
fn a_known_member_that_is_given_twice_is_rejected() {
    let check = |body: &str, param: &str| {
        let message = format!("Duplicate parameter: '{param}' must be given once.");
        check_error(body, &message, Some(param), "duplicate_parameter");
    };
    check(r#"{"model":"cheap","model":"dear","messages":[]}"#, "model");
    check(r#"{"model":"cheap","mod\u0065l":"dear","messages":[]}"#, "model");
    check(r#"{"model":"m","stream":false,"stream":true}"#, "stream");
    check(r#"{"model":"m","messages":[{"role":"user"}],"messages":[]}"#, "messages");
    check(r#"{"model":"m","messages":[{"role":"user","content":"a","content":"b"}]}"#, "messages[0].content");
    check(
        r#"{"stream_options":{"include_usage":false,"include_usage":true}}"#,
        "stream_options.include_usage",
    );
}

#[test]
fn unknown_members_are_left_to_the_backend() {
    let request = with(r#""user":1,"user":2,"model_":null,"metadata":{"model":1,"stream":"x","messages":5}"#);
    assert_eq!((request.model.as_str(), request.streaming), ("auto", false));
}

#[test]
fn invalid_json_is_rejected_with_its_offset() {
    check_error(
        r#"{"model":"m","messages":[}"#,
        "The request body is not valid JSON: expected a value or ']' at byte 25.",
        None,
        "invalid_json",
    );
    check_error("[]", "The request body must be a JSON object.", None, "invalid_type");
    check_error("7", "The request body must be a JSON object.", None, "invalid_type");
}

#[test]
fn the_first_error_wins_however_the_body_is_cut() {
    check_error(
        r#"{"model":7,"messages":[}"#,
        "Invalid type for 'model': expected a string, but got a number instead.",
        Some("model"),
        "invalid_type",
    );
}

#[test]
fn a_body_above_the_limit_is_rejected_before_it_is_parsed() {
    let mut scan = RequestScan::new(ScanLimits { body_bytes: 10 });
    assert_eq!(scan.push(Bytes::from_static(b"{\"model\":")), Ok(()));
    let error = scan.push(Bytes::from_static(b"\"m\"")).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::RequestTooLarge, "The request body is larger than 10 bytes.")
    );
}
