use pointsman_domain::failure::ErrorCause;
use proptest::prelude::*;

use super::*;

const CREATED: &str = "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"status\":\"in_progress\"}}\n\n";
const MESSAGE: &str = "data: {\"type\":\"response.output_item.added\",\"item\":{\"type\":\"message\"}}\n\n";
const DELTA: &str = "data: {\"type\":\"response.output_text.delta\",\"delta\":\"H\\u00e9\"}\n\n";
const COMPLETED: &str = "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"status\":\"completed\",\"output\":[],\"usage\":{\"input_tokens\":7,\"output_tokens\":2}}}\n\n";

/// Relays a stream in these chunks, and returns the relay with the forwarded bytes.
fn relay(chunks: &[&str]) -> (ResponsesRelay, String) {
    let (mut relay, mut out) = (ResponsesRelay::new(), Vec::new());
    for chunk in chunks {
        relay.push(Bytes::copy_from_slice(chunk.as_bytes()), &mut out);
    }
    (relay, String::from_utf8(out.concat()).unwrap())
}

#[test]
fn a_stream_is_forwarded_unchanged_and_read() {
    let stream = [CREATED, MESSAGE, DELTA, COMPLETED].concat();
    let (relay, forwarded) = relay(&[&stream]);
    assert_eq!(forwarded, stream);
    assert_eq!(relay.response_id(), Some("resp_1"));
    assert_eq!((relay.state(), relay.check()), (StreamState::Done, Ok(())));
    let usage = relay.usage_or_estimate(100);
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.estimated), (7, 2, false));
    assert_eq!(relay.output_bytes(), 3);
}

#[test]
fn an_event_is_held_until_it_is_complete() {
    let (first, last) = DELTA.split_at(20);
    let (mut relay, forwarded) = relay(&[CREATED, first]);
    assert_eq!(forwarded, CREATED);
    assert!(relay.held_bytes() >= 20);
    let mut out = Vec::new();
    relay.push(Bytes::copy_from_slice(last.as_bytes()), &mut out);
    assert_eq!(out.concat(), DELTA.as_bytes());
}

#[test]
fn content_is_text_a_call_or_work_of_the_provider() {
    let state = |chunks: &[&str]| relay(chunks).0.state();
    assert_eq!(state(&[CREATED, MESSAGE]), StreamState::Waiting);
    assert_eq!(state(&[CREATED, MESSAGE, DELTA]), StreamState::Answering);
    let item = |kind: &str| {
        format!("data: {{\"type\":\"response.output_item.added\",\"item\":{{\"type\":\"{kind}\"}}}}\n\n")
    };
    assert_eq!(state(&[CREATED, &item("reasoning")]), StreamState::Waiting);
    assert_eq!(state(&[CREATED, &item("function_call")]), StreamState::Answering);
    assert_eq!(state(&[CREATED, &item("web_search_call")]), StreamState::Answering);
}

#[test]
fn a_stream_that_breaks_off_is_not_complete() {
    let (mut relay, _) = relay(&[CREATED, MESSAGE, DELTA]);
    assert_eq!(relay.finish(&mut Vec::new()), Err(BrokenStream::Truncated));
    assert_eq!(relay.usage_or_estimate(5), Usage { estimated: true, ..Usage::counted(5, 1) });
}

#[test]
fn the_last_event_may_lack_its_empty_line() {
    let (mut relay, forwarded) = relay(&[CREATED, DELTA, COMPLETED.trim_end()]);
    assert_eq!(forwarded, [CREATED, DELTA].concat());
    let mut out = Vec::new();
    assert_eq!(relay.finish(&mut out), Ok(()));
    assert_eq!(out.concat(), COMPLETED.as_bytes());
}

#[test]
fn an_error_is_reported_and_forwarded() {
    let error = "data: {\"type\":\"error\",\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"Rate limit\"}}\n\n";
    let failed = "data: {\"type\":\"response.failed\",\"response\":{\"id\":\"resp_1\",\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"x\"}}}\n\n";
    let (relay, forwarded) = relay(&[CREATED, error, failed]);
    assert_eq!(forwarded, [CREATED, error, failed].concat());
    let reported = relay.error().unwrap();
    assert_eq!((reported.status, reported.cause), (Some(429), ErrorCause::Load));
    assert_eq!(relay.state(), StreamState::Done);
    assert_eq!(relay.check(), Err(BrokenStream::Reported(reported, "Rate limit".to_owned())));
}

#[test]
fn an_error_with_its_members_at_the_top_is_reported() {
    let error = "data: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"m\",\"param\":null}\n\n";
    let (relay, _) = relay(&[error]);
    assert_eq!(relay.state(), StreamState::Finished);
    assert_eq!(relay.error().unwrap().status, Some(500));
}

#[test]
fn a_response_that_arrives_at_once_has_content() {
    let completed = "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"status\":\"completed\",\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"Hi\"}]}]}}\n\n";
    let (relay, _) = relay(&[completed]);
    assert!(relay.has_content());
    assert_eq!((relay.response_id(), relay.output_bytes()), (Some("r"), 2));
}

#[test]
fn comments_before_the_content_do_not_pile_up() {
    let comment = ": keep-alive\n\n";
    let (relay, forwarded) = relay(&[&comment.repeat(1000)]);
    assert!(forwarded.len() <= MAX_COMMENTS_BEFORE_CONTENT);
    assert_eq!(relay.state(), StreamState::Waiting);
}

#[test]
fn nothing_after_the_end_is_forwarded_but_the_rest_of_its_last_line() {
    let completed = COMPLETED.replace('\n', "\r\n");
    let (end, rest) = completed.split_at(completed.len() - 1);
    let (_, forwarded) = relay(&[DELTA, end, rest, "data: [DONE]\n\n"]);
    assert_eq!(forwarded, [DELTA, &completed].concat());
}

proptest! {
    #[test]
    fn a_stream_is_the_same_however_it_is_cut(cuts in prop::collection::vec(0_usize..600, 0..8)) {
        let stream = [CREATED, ": ping\n\n", MESSAGE, DELTA, DELTA, COMPLETED].concat();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let chunks: Vec<_> = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]).collect();
        let (relay, forwarded) = relay(&chunks);
        prop_assert_eq!(forwarded, stream);
        prop_assert_eq!(relay.output_bytes(), 6);
        prop_assert_eq!(relay.check(), Ok(()));
    }
}
