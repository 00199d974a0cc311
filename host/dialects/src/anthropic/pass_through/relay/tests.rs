use pointsman_domain::failure::ErrorCause;
use proptest::prelude::*;

use super::*;

const STREAM: &str = concat!(
    "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":5,\"cache_read_input_tokens\":2,\"output_tokens\":1}}}\r\n\r\n",
    "event: ping\ndata: {\"type\": \"ping\"}\n\n",
    ": comment\n\n",
    "event: new\ndata: {\"type\":\"new\",\"x\":1}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"h\u{e9}\"}}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":7}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

fn push(relay: &mut MessagesRelay, bytes: &str) -> String {
    let mut out = Vec::new();
    relay.push(Bytes::copy_from_slice(bytes.as_bytes()), &mut out);
    assert!(out.len() <= 1);
    String::from_utf8(out.concat()).expect("UTF-8")
}

#[test]
fn a_chunk_of_whole_events_is_forwarded_itself() {
    let chunk = Bytes::from_static(STREAM.as_bytes());
    let (mut relay, mut out) = (MessagesRelay::new(), Vec::new());
    relay.push(chunk.clone(), &mut out);
    assert_eq!(out[0].as_ptr(), chunk.as_ptr());
    assert_eq!(out[0], chunk);
    assert_eq!(relay.finish(&mut out), Ok(()));
    let usage = relay.usage_or_estimate(0);
    assert_eq!((usage.input_tokens, usage.cached_input_tokens, usage.output_tokens), (7, 2, 7));
    assert_eq!((relay.output_bytes(), relay.state()), (3, StreamState::Done));
}

#[test]
fn the_state_follows_the_events() {
    let mut relay = MessagesRelay::new();
    let mut states = Vec::new();
    for event in STREAM.split_inclusive("\n\n") {
        push(&mut relay, event);
        states.push(relay.state());
    }
    use StreamState::{Answering, Done, Finished, Waiting};
    assert_eq!(states, [Waiting, Waiting, Waiting, Answering, Finished, Done]);
    assert_eq!(push(&mut relay, "data: {}\n\n"), "", "nothing follows the end");
}

#[test]
fn a_broken_stream_is_reported() {
    let mut relay = MessagesRelay::new();
    let end = STREAM.find("event: message_delta").expect("an event");
    push(&mut relay, &STREAM[..end]);
    assert_eq!(relay.finish(&mut Vec::new()), Err(BrokenStream::Truncated));

    let mut relay = MessagesRelay::new();
    let event = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    assert_eq!(push(&mut relay, event), event);
    let error = ReportedError { status: Some(529), cause: ErrorCause::Load };
    assert_eq!(relay.error(), Some(error));
    assert_eq!(relay.check(), Err(BrokenStream::Reported(error, "Overloaded".to_owned())));
    assert_eq!(relay.state(), StreamState::Finished);
}

#[test]
fn pings_do_not_fill_the_memory_before_the_first_content() {
    let mut relay = MessagesRelay::new();
    let ping = "event: ping\ndata: {\"type\": \"ping\"}\n\n";
    let forwarded: usize = (0..1000).map(|_| push(&mut relay, ping).len()).sum();
    assert!(forwarded <= MAX_IDLE_BYTES_BEFORE_CONTENT);
    push(&mut relay, STREAM.split_inclusive("\n\n").nth(3).expect("content"));
    assert_eq!(push(&mut relay, ping), ping);
}

#[test]
fn an_event_without_its_empty_line_is_forwarded() {
    let mut relay = MessagesRelay::new();
    let mut out = Vec::new();
    relay.push(Bytes::from_static(STREAM.trim_end().as_bytes()), &mut out);
    assert_eq!(relay.finish(&mut out), Ok(()));
    assert_eq!(out.concat(), STREAM.as_bytes());
}

proptest! {
    #[test]
    fn every_split_forwards_the_same_bytes(cuts in proptest::collection::vec(0..STREAM.len(), 0..12)) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        cuts.push(STREAM.len());
        let (mut relay, mut out, mut from) = (MessagesRelay::new(), Vec::new(), 0);
        for cut in cuts {
            relay.push(Bytes::from_static(&STREAM.as_bytes()[from..cut]), &mut out);
            from = cut;
        }
        prop_assert_eq!(relay.finish(&mut out), Ok(()));
        prop_assert_eq!(out.concat(), STREAM.as_bytes());
        prop_assert_eq!(relay.usage_or_estimate(0).output_tokens, 7);
        prop_assert_eq!(relay.output_bytes(), 3);
    }
}
