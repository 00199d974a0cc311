use bytes::Bytes;
use pointsman_domain::failure::ErrorCause;

use super::*;
use crate::openai::pass_through::StreamRelay;

const ROLE: &str = r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#;
const CONTENT: &str = r#"{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}"#;
const REASON: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const NO_REASON: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":""}]}"#;
const OTHER: &str = r#"{"choices":[{"index":1,"delta":{"content":"Ho"},"finish_reason":null}]}"#;
const OTHER_REASON: &str = r#"{"choices":[{"index":1,"delta":{},"finish_reason":"length"}]}"#;
const NO_CHOICES: &str = r#"{"choices":[]}"#;
const ERROR: &str = r#"{"choices":[],"error":{"message":"busy","code":429}}"#;
const DONE: &str = "[DONE]";

/// Relays events, and returns the state after them and whether a stream that ends there is
/// complete.
fn after(choices: u32, events: &[&str]) -> (StreamState, Result<(), BrokenStream>) {
    let mut relay = StreamRelay::new(true, choices);
    let mut out = Vec::new();
    for event in events {
        relay.push(Bytes::from(format!("data: {event}\n\n")), &mut out);
    }
    (relay.state(), relay.finish(&mut out))
}

#[test]
fn a_stream_is_complete_when_all_its_choices_are_or_done_follows_content() {
    use StreamState::{Answering, Done, Finished, Waiting};
    let cut = || Err(BrokenStream::Truncated);
    let busy = ReportedError { status: Some(429), cause: ErrorCause::Load };
    let error = || Err(BrokenStream::Reported(busy, "busy".to_owned()));
    let table: [(&[&str], StreamState, Result<(), BrokenStream>); 20] = [
        // Before content.
        (&[], Waiting, cut()),
        (&[ROLE], Waiting, cut()),
        (&[ROLE, NO_REASON], Waiting, cut()),
        (&[NO_CHOICES], Waiting, cut()),
        (&[DONE], Done, cut()),
        (&[ROLE, DONE], Done, cut()),
        (&[NO_CHOICES, DONE], Done, cut()),
        (&[ROLE, REASON], Finished, Ok(())),
        (&[ROLE, REASON, DONE], Done, Ok(())),
        (&[ERROR], Finished, error()),
        (&[ERROR, DONE], Done, error()),
        // After content.
        (&[CONTENT], Answering, cut()),
        (&[CONTENT, NO_REASON], Answering, cut()),
        (&[CONTENT, NO_CHOICES], Answering, cut()),
        (&[CONTENT, DONE], Done, Ok(())),
        (&[CONTENT, REASON], Finished, Ok(())),
        (&[CONTENT, REASON, CONTENT], Finished, Ok(())),
        (&[CONTENT, REASON, DONE, ERROR, CONTENT], Done, Ok(())),
        (&[CONTENT, ERROR], Finished, error()),
        (&[CONTENT, REASON, ERROR], Finished, error()),
    ];
    for (events, state, ending) in table {
        assert_eq!(after(1, events), (state, ending), "{events:?}");
    }
}

#[test]
fn each_choice_that_was_seen_has_to_end() {
    use StreamState::{Answering, Done, Finished};
    let table: [(&[&str], StreamState, Result<(), BrokenStream>); 6] = [
        (&[CONTENT, OTHER, REASON], Answering, Err(BrokenStream::Truncated)),
        (&[CONTENT, OTHER, OTHER_REASON], Answering, Err(BrokenStream::Truncated)),
        (&[CONTENT, OTHER, REASON, OTHER_REASON], Finished, Ok(())),
        (&[CONTENT, OTHER, REASON, DONE], Done, Ok(())),
        // The second choice may follow the first, or never come.
        (&[CONTENT, REASON], Answering, Ok(())),
        (&[CONTENT, REASON, OTHER], Answering, Err(BrokenStream::Truncated)),
    ];
    for (events, state, ending) in table {
        assert_eq!(after(2, events), (state, ending), "{events:?}");
    }
}

#[test]
fn nothing_is_forwarded_after_done() {
    let mut relay = StreamRelay::new(true, 1);
    let mut out = Vec::new();
    let stream = format!("data: {CONTENT}\n\ndata: [DONE]\n\ndata: {ERROR}\n\n: ping\n\n");
    for piece in stream.as_bytes().chunks(7) {
        relay.push(Bytes::copy_from_slice(piece), &mut out);
    }
    assert_eq!(relay.finish(&mut out), Ok(()));
    assert_eq!(out.concat(), format!("data: {CONTENT}\n\ndata: [DONE]\n\n").as_bytes());
}

#[test]
fn an_error_has_the_status_and_the_cause_that_it_states() {
    let mut relay = StreamRelay::new(true, 1);
    relay.push(Bytes::from(format!("data: {ERROR}\n\n")), &mut Vec::new());
    let error = relay.error().unwrap();
    assert_eq!((error.status, error.cause), (Some(429), ErrorCause::Load));
}
