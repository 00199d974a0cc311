use pointsman_domain::failure::ErrorCause;
use proptest::collection::vec;

use super::*;
use proptest::prelude::*;

/// Result of relaying a stream.
#[derive(Debug, PartialEq)]
struct Relayed {
    sent: String,
    usage: Option<(u64, u64)>,
    output_bytes: u64,
    ending: Result<(), BrokenStream>,
}

fn relay<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, hide_usage: bool) -> Relayed {
    let mut relay = StreamRelay::new(hide_usage, 1);
    let mut out = Vec::new();
    for piece in pieces {
        relay.push(Bytes::copy_from_slice(piece), &mut out);
    }
    let ending = relay.finish(&mut out);
    Relayed {
        sent: String::from_utf8(out.concat()).unwrap(),
        usage: counted(&relay),
        output_bytes: relay.output_bytes(),
        ending,
    }
}

/// The backend's count of input and output tokens, if it stated both.
fn counted(relay: &StreamRelay) -> Option<(u64, u64)> {
    let usage = relay.usage_or_estimate(0);
    (!usage.estimated).then_some((usage.input_tokens, usage.output_tokens))
}

fn event(data: &str) -> String {
    format!("data: {data}\n\n")
}

fn content(text: &str, more: &str) -> String {
    event(&format!(
        r#"{{"id":"1","choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}]{more}}}"#
    ))
}

const ROLE: &str = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
const FINISH: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

/// Relays a stream whole and cut in pieces of all sizes, which must come to the same.
#[track_caller]
fn check(stream: &str, hide_usage: bool, expected: &Relayed) {
    assert_eq!(&relay([stream.as_bytes()], hide_usage), expected);
    for size in 1..40 {
        assert_eq!(&relay(stream.as_bytes().chunks(size), hide_usage), expected, "in pieces of {size}");
    }
}

#[track_caller]
fn check_passed(stream: &str, ending: Result<(), BrokenStream>) {
    for hide_usage in [true, false] {
        let relayed = relay([stream.as_bytes()], hide_usage);
        assert_eq!((relayed.sent.as_str(), &relayed.ending), (stream, &ending));
    }
}

#[test]
fn a_stream_is_forwarded_byte_for_byte() {
    let stream =
        [ROLE, &content("Hi", ""), ": ping\n\n", &content(" there\\n", ""), FINISH, USAGE, DONE].concat();
    let expected = Relayed { sent: stream.clone(), usage: Some((3, 2)), output_bytes: 9, ending: Ok(()) };
    check(&stream, false, &expected);
    let windows = stream.replace('\n', "\r\n");
    check(&windows, false, &Relayed { sent: windows.clone(), ..expected });
}

#[test]
fn further_comments_before_the_first_content_are_omitted() {
    let comments = ": ping\n\n:\r\n\r\n\n: a\n: b\n\n";
    let begins = |beginning: &str| [beginning, &content("Hi", ""), comments, FINISH, DONE].concat();
    let greeting = format!(": {}\n\n", "x".repeat(MAX_COMMENTS_BEFORE_CONTENT - 4));
    let sent = begins(&[&greeting, ROLE].concat());
    let expected = Relayed { sent, usage: None, output_bytes: 2, ending: Ok(()) };
    check(&begins(&[&greeting, comments, ROLE, comments].concat()), true, &expected);
    let retry = "retry: 10\n\n";
    let sent = begins(retry);
    check(&sent, true, &Relayed { sent: sent.clone(), ..expected });
}

#[test]
fn usage_that_the_client_did_not_request_is_hidden() {
    let null = r#","usage":null"#;
    let stream = [ROLE, &content("Hi", null), &content(" there", null), FINISH, USAGE, DONE].concat();
    let sent = [ROLE, &content("Hi", ""), &content(" there", ""), FINISH, DONE].concat();
    check(&stream, true, &Relayed { sent, usage: Some((3, 2)), output_bytes: 8, ending: Ok(()) });
}

#[test]
fn usage_is_cut_out_at_any_position_and_nothing_else_is() {
    let hidden = |data: &str| relay([event(data).as_bytes()], true).sent;
    assert_eq!(hidden(r#"{"choices":[{}],"usage":null,"x":1}"#), event(r#"{"choices":[{}],"x":1}"#));
    assert_eq!(hidden(r#"{ "usage" : null , "choices":[{}]}"#), event(r#"{  "choices":[{}]}"#));
    assert_eq!(hidden(r#"{"choices":[{}] , "usage": null}"#), event(r#"{"choices":[{}] }"#));
    assert_eq!(
        hidden(r#"{"usage":{"prompt_tokens":{"x":[1]}},"choices":[{}]}"#),
        event(r#"{"choices":[{}]}"#)
    );
    assert_eq!(
        hidden("{\"choices\":\ndata: [{}],\"usage\":{\ndata: \"prompt_tokens\":3}}"),
        event(r#"{"choices":[{}]}"#)
    );
    for dropped in [
        r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
        r#"{"choices":null,"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
        r#"{"usage":{}}"#,
        "{\"choices\":[],\ndata: \"usage\":{}}",
    ] {
        assert_eq!(hidden(dropped), "");
    }
    for kept in [
        r#"{"choices":[{"delta":{"content":"\"usage\":null, \"usage\""}}]}"#,
        r#"{"choices":[{"delta":{"content":"usage"},"usage":null}]}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":3},"error":{"message":"x"}}"#,
    ] {
        assert_eq!(hidden(kept), event(kept));
    }
}

#[test]
fn an_unchanged_chunk_is_forwarded_without_a_copy() {
    let chunk = Bytes::from([content("a", ""), content("b", ""), content("c", "")].concat());
    let mut out = Vec::new();
    StreamRelay::new(true, 1).push(chunk.clone(), &mut out);
    assert_eq!(out.len(), 1);
    assert_eq!((out[0].as_ptr(), out[0].len()), (chunk.as_ptr(), chunk.len()));
}

#[test]
fn complete_events_are_forwarded_at_once() {
    let (mut relay, mut out) = (StreamRelay::new(true, 1), Vec::new());
    relay.push(Bytes::from([&content("a", ""), "data: {"].concat()), &mut out);
    assert_eq!(out.concat(), content("a", "").as_bytes());
}

#[test]
fn a_role_is_no_content_and_everything_that_the_model_wrote_is() {
    let meaningful = |data: &str| {
        let mut relay = StreamRelay::new(true, 1);
        relay.push(event(data).into(), &mut Vec::new());
        relay.state() != StreamState::Waiting
    };
    assert!(!meaningful(r#"{"choices":[{"delta":{"role":"assistant","content":"","refusal":null}}]}"#));
    assert!(!meaningful(r#"{"choices":[{"delta":{"role":"assistant","tool_calls":[]}}]}"#));
    assert!(!meaningful(r#"{"choices":[],"prompt_filter_results":[{"content":"x"}]}"#));
    assert!(!meaningful("no json"));
    assert!(meaningful(r#"{"choices":[{"delta":{"content":"a"}}]}"#));
    assert!(meaningful(r#"{"choices":[{"delta":{"reasoning_content":"a"}}]}"#));
    assert!(meaningful(r#"{"choices":[{"delta":{"refusal":"a"}}]}"#));
    assert!(!meaningful(
        r#"{"choices":[{"delta":{"role":"assistant","thinking":"","x":{"type":"text","y":[]}}}]}"#
    ));
    assert!(!meaningful(r#"{"choices":[{"delta":{"role":"assistant"},"finish_reason":""}]}"#));
    assert!(meaningful(r#"{"choices":[{"delta":{"thinking":"a"}}]}"#));
    assert!(meaningful(
        r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]}]}}]}"#
    ));
    assert!(meaningful(
        r#"{"choices":[{"delta":{"reasoning_details":[{"type":"reasoning.encrypted","data":"a"}]}}]}"#
    ));
    assert!(meaningful(r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","type":"function"}]}}]}"#));
    assert!(meaningful(
        r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":""}}]}}]}"#
    ));
    assert!(meaningful(r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#));
}

#[test]
fn a_stream_that_ends_early_is_incomplete() {
    check_passed(&[ROLE, &content("Hi", "")].concat(), Err(BrokenStream::Truncated));
    check_passed("", Err(BrokenStream::Truncated));
    check_passed(&[ROLE, FINISH].concat(), Ok(()));
}

fn reported(message: &str, status: Option<u16>) -> BrokenStream {
    let error = ReportedError { status, cause: ErrorCause::Server };
    BrokenStream::Reported(error, message.to_owned())
}

#[test]
fn an_error_in_the_stream_is_forwarded_and_reported() {
    let broken = |message: &str, status| Err(reported(message, status));
    check_passed(
        &[ROLE, &event(r#"{"error":{"message":"out of memory","code":500}}"#)].concat(),
        broken("out of memory", Some(500)),
    );
    check_passed(&[&event(r#"{"error":"out of memory"}"#), DONE].concat(), broken("out of memory", None));
    check_passed(&event(r#"{"error":{"code":500}}"#), broken("", Some(500)));
    check_passed(&[&event(r#"{"error":null,"choices":[]}"#), FINISH, DONE].concat(), Ok(()));
    check_passed(&[&event(r#"{"error":"","choices":[]}"#), FINISH, DONE].concat(), Ok(()));
}

#[test]
fn an_event_that_only_lacks_its_empty_line_is_forwarded_at_the_end() {
    let relayed = relay([content("Hi", "").as_bytes(), FINISH.as_bytes(), b"data: [DONE]"], true);
    assert_eq!(relayed.sent, [&content("Hi", ""), FINISH, DONE].concat());
    let relayed = relay([FINISH.as_bytes(), b"data: {\"choices\":[{\"del"], true);
    assert_eq!((relayed.sent.as_str(), relayed.ending), (FINISH, Ok(())));
}

#[test]
fn missing_usage_is_estimated() {
    let mut relay = StreamRelay::new(true, 1);
    relay.push(content("123456789", "").into(), &mut Vec::new());
    let expected = Usage::counted(7, 3).estimated();
    assert_eq!(relay.usage_or_estimate(7), expected);
}

#[test]
fn events_that_match_the_pattern_are_counted_alike() {
    let stream: String =
        ["a", "", r"\n", "é", r#"\"}"#, "usage", "zz"].map(|text| content(text, "")).concat();
    let relayed = relay([stream.as_bytes()], true);
    assert_eq!((relayed.sent, relayed.output_bytes), (stream, 1 + 1 + 2 + 2 + 5 + 2));
}

#[test]
fn texts_of_legacy_completions_are_counted() {
    let text = |text: &str, reason: &str| {
        event(&format!(
            r#"{{"object":"text_completion","choices":[{{"text":"{text}","index":0,"finish_reason":{reason}}}]}}"#
        ))
    };
    let stream = [&text("a", "null"), &text("é", "null"), &text("", "\"stop\""), USAGE, DONE].concat();
    let expected =
        Relayed { sent: stream.replace(USAGE, ""), usage: Some((3, 2)), output_bytes: 3, ending: Ok(()) };
    check(&stream, true, &expected);
    check_passed(&text("a", "null"), Err(BrokenStream::Truncated));
}

#[test]
fn padding_makes_no_difference() {
    let padded =
        |text: &str, padding: &str| content(text, &format!(r#","usage":null,"obfuscation":"{padding}""#));
    let stream = [padded("a", "xyz"), padded("bc", ""), padded("é", r"\n"), padded("d", "q")].concat();
    let relayed = relay([stream.as_bytes()], true);
    assert_eq!((relayed.sent, relayed.output_bytes), (stream.replace(r#","usage":null"#, ""), 6));
    let escape = padded("e", r#"","error":"broken"#);
    let relayed = relay([stream.as_bytes(), escape.as_bytes()], true);
    assert_eq!(relayed.ending, Err(reported("broken", None)));
}

#[test]
fn an_event_with_the_same_ends_but_another_structure_is_parsed() {
    let call = r#"x"},"finish_reason":"stop"},{"index":1,"delta":{"content":"y"#;
    let stream = [content("a", ""), content(call, "")].concat();
    let relayed = relay([stream.as_bytes()], true);
    assert_eq!((relayed.output_bytes, relayed.ending), (3, Err(BrokenStream::Truncated)));
}

#[test]
fn data_in_several_lines_is_parsed() {
    let stream = "data: {\"choices\":\ndata: [],\"usage\":{\"prompt_tokens\":3,\ndata: \"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
    let relayed = relay([stream.as_bytes()], true);
    assert_eq!((relayed.sent.as_str(), relayed.usage), (DONE, Some((3, 2))));
}

proptest! {
    #[test]
    fn everything_after_the_first_content_is_forwarded_except_an_incomplete_end(
        lines in vec(prop_oneof![
            "data: .{0,20}", Just(ROLE.to_owned()), Just(FINISH.to_owned()), Just(String::new()), ".{0,9}",
        ], 0..12),
        end in proptest::sample::select(&["\n", "\r\n", "\r"][..]),
        size in 1..50_usize,
    ) {
        let rest: String = lines.iter().map(|line| line.clone() + end).collect();
        let stream = content("Hi", "") + &rest;
        let sent = relay(stream.as_bytes().chunks(size), false).sent;
        prop_assert!(stream.starts_with(&sent) || sent == stream.clone() + "\n\n", "{stream:?} became {sent:?}");
    }

    #[test]
    fn only_comments_and_empty_lines_before_the_first_content_are_omitted(
        events in vec(prop_oneof![
            Just(ROLE), Just("event: a\n\n"), Just("retry: 10\n\n"), Just("\n"), Just(": a\n\n"), Just(":\n: b\n\n"),
        ], 0..12),
        size in 1..50_usize,
    ) {
        let is_left_out = |event: &&&str| event.starts_with(':') || **event == "\n";
        let kept: String = events.iter().filter(|event| !is_left_out(event)).copied().collect();
        let greeting = format!(": {}\n\n", "x".repeat(MAX_COMMENTS_BEFORE_CONTENT - 4));
        let stream = greeting.clone() + &events.concat();
        let sent = relay(stream.as_bytes().chunks(size), false).sent;
        prop_assert_eq!(sent, greeting + &kept);
    }

    #[test]
    fn texts_are_counted_as_serde_json_reads_them(texts in vec(".{0,30}", 1..12)) {
        let stream: String = texts
            .iter()
            .map(|text| event(&serde_json::json!({"choices": [{"delta": {"content": text}}], "usage": null}).to_string()))
            .collect();
        let relayed = relay([stream.as_bytes()], true);
        prop_assert_eq!(relayed.output_bytes as usize, texts.concat().len());
        prop_assert_eq!(relayed.sent, stream.replace(",\"usage\":null}\n", "}\n"));
    }
}

/// Relays a stream whose answer took other calls too.
fn relay_adding(pieces: &[&[u8]], hide_usage: bool) -> (String, Option<(u64, u64)>) {
    let others = Usage::counted(100, 10);
    let mut relay = StreamRelay::new(hide_usage, 1).with_other_usage(others);
    let mut out = Vec::new();
    pieces.iter().for_each(|piece| relay.push(Bytes::copy_from_slice(piece), &mut out));
    assert_eq!(relay.finish(&mut out), Ok(()));
    (String::from_utf8(out.concat()).unwrap(), counted(&relay))
}

#[track_caller]
fn check_adding(stream: &str, hide_usage: bool, expected: &str) {
    let bytes = stream.as_bytes();
    for cut in 0..stream.len() {
        let relayed = relay_adding(&[&bytes[..cut], &bytes[cut..]], hide_usage);
        assert_eq!(relayed, (expected.to_owned(), Some((3, 2))), "cut at {cut}");
    }
}

#[test]
fn forwarded_usage_is_the_total_of_all_calls() {
    let counted = |input: u32, output: u32| {
        let usage = format!(
            r#""prompt_tokens":{input},"completion_tokens":{output},"total_tokens":{}"#,
            input + output
        );
        content("x", &format!(r#","usage":{{{usage},"details":{{"prompt_tokens":1}}}}"#))
    };
    let last = USAGE.replace("\"completion_tokens\":2", "\"completion_tokens\":2,\"total_tokens\":5");
    let sum = last.replace(":3,", ":103,").replace(":2,", ":12,").replace(":5}", ":115}");
    let stream = |event: &str, usage: &str| {
        [ROLE, &content("Hi", ""), ": ping\n\n", event, event, &content("Ho", ""), FINISH, usage, DONE]
            .concat()
    };
    check_adding(&stream(&counted(3, 2), &last), false, &stream(&counted(103, 12), &sum));
    check_adding(&stream(&counted(3, 2), &last), true, &stream(&content("x", ""), ""));
}

#[test]
fn usage_in_several_lines_is_added_to_in_one() {
    let stream = "event: x\r\ndata: {\"choices\":[],\r\nid: 7\r\ndata: \"usage\":{\"prompt_tokens\":3,\r\ndata: \"completion_tokens\":2,\"total_tokens\":5}}\r\n\r\n";
    let expected = "event: x\r\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":103,\"completion_tokens\":12,\"total_tokens\":115}}\r\nid: 7\r\n\r\n";
    check_adding(&[stream, FINISH].concat(), false, &[expected, FINISH].concat());
}

#[test]
fn zero_usage_of_other_calls_changes_nothing() {
    let stream = [&content("Hi", ""), FINISH, USAGE, DONE].concat();
    let mut relay = StreamRelay::new(false, 1).with_other_usage(Usage::default());
    let mut out = Vec::new();
    relay.push(stream.clone().into(), &mut out);
    assert_eq!(out.concat(), stream.as_bytes());
}
