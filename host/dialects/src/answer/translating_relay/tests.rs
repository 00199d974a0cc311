use proptest::prelude::*;

use super::*;
use crate::anthropic::MessagesStreamReader;
use crate::chat::ChatStreamWriter;
use crate::form::AnswerIdentity;

const STREAM: &str = concat!(
    "event: message_start\n",
    r#"data: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"c","content":[],"stop_reason":null,"usage":{"input_tokens":7,"output_tokens":1}}}"#,
    "\n\nevent: content_block_start\n",
    r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    "\n\nevent: content_block_delta\n",
    r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Grüße"}}"#,
    "\n\nevent: content_block_stop\n",
    r#"data: {"type":"content_block_stop","index":0}"#,
    "\n\nevent: message_delta\n",
    r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":4}}"#,
    "\n\nevent: message_stop\n",
    r#"data: {"type":"message_stop"}"#,
    "\n\n",
);

fn relay() -> TranslatingRelay {
    let identity = AnswerIdentity { id: "1".to_owned(), created: 2, model: "up".to_owned() };
    let writer = Box::new(ChatStreamWriter::new(identity, true));
    TranslatingRelay::new(Box::new(MessagesStreamReader::new()), writer, Usage::default(), 3)
}

fn relayed(pieces: &[&[u8]]) -> (TranslatingRelay, Result<(), BrokenStream>, String) {
    let (mut relay, mut out) = (relay(), Vec::new());
    for piece in pieces {
        relay.push(Bytes::copy_from_slice(piece), &mut out);
    }
    let ended = relay.finish(&mut out);
    (relay, ended, String::from_utf8(out.concat()).unwrap())
}

#[test]
fn a_stream_is_translated_up_to_its_end_with_the_usage() {
    let (relay, ended, text) = relayed(&[STREAM.as_bytes()]);
    assert_eq!((ended, relay.state()), (Ok(()), StreamState::Done));
    assert!(text.contains("Grüße") && text.contains(r#""prompt_tokens":7,"completion_tokens":4"#), "{text}");
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    assert_eq!(relay.usage_or_estimate(0), Usage::counted(7, 4));
}

#[test]
fn there_is_content_from_the_first_text_on() {
    let (mut relay, mut out) = (relay(), Vec::new());
    let (before, after) = STREAM.split_once("event: content_block_delta").unwrap();
    relay.push(Bytes::from(before), &mut out);
    assert_eq!(relay.state(), StreamState::Waiting);
    let delta = format!("event: content_block_delta{}", after.split_inclusive("\n\n").next().unwrap());
    relay.push(Bytes::from(delta), &mut out);
    assert_eq!(relay.state(), StreamState::Answering);
}

#[test]
fn a_stream_that_ends_early_is_broken_and_counts_its_text() {
    let (before, _) = STREAM.split_once("event: message_delta").unwrap();
    let (relay, ended, text) = relayed(&[before.as_bytes()]);
    assert_eq!(ended, Err(BrokenStream::Truncated));
    assert!(!text.contains("[DONE]"), "{text}");
    assert!(relay.usage_or_estimate(3).estimated || relay.usage_or_estimate(3).output_tokens > 0);
}

#[test]
fn an_error_before_content_is_reported_and_not_rendered() {
    let error = r#"data: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#;
    let (relay, ended, text) = relayed(&[b"event: error\n", error.as_bytes(), b"\n\n"]);
    assert!(matches!(ended, Err(BrokenStream::Reported(_, message)) if message == "busy"));
    assert_eq!((relay.error().unwrap().status, &*text), (Some(529), ""));
}

#[test]
fn an_error_after_content_ends_the_clients_stream() {
    let (before, _) = STREAM.split_once("event: content_block_stop").unwrap();
    let error = r#"data: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#;
    let (_, _, text) = relayed(&[before.as_bytes(), error.as_bytes(), b"\n\n"]);
    assert!(text.contains("the model's server reported an error: busy"), "{text}");
}

proptest! {
    #[test]
    fn a_stream_is_the_same_however_its_bytes_are_cut(mut cuts in prop::collection::vec(0..STREAM.len(), 0..8)) {
        cuts.extend([0, STREAM.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|ends| &STREAM.as_bytes()[ends[0]..ends[1]]).collect();
        prop_assert_eq!(relayed(&pieces).2, relayed(&[STREAM.as_bytes()]).2);
    }
}
