use super::*;

fn relay(api: ForwardedApi, stream: &str, size: usize) -> (ForwardedRelay, String, Result<(), BrokenStream>) {
    let mut relay = ForwardedRelay::new(api, RelayFraming::Events);
    let mut out = Vec::new();
    for chunk in stream.as_bytes().chunks(size) {
        relay.push(Bytes::copy_from_slice(chunk), &mut out);
    }
    let end = relay.finish(&mut out);
    (relay, String::from_utf8(out.concat()).unwrap(), end)
}

const TRANSCRIPT: &str = "data: {\"type\":\"transcript.text.delta\",\"delta\":\"Hi\"}\n\n: comment\n\ndata: \
    {\"type\":\"transcript.text.done\",\"text\":\"Hi you\",\"usage\":{\"type\":\"tokens\",\"input_tokens\":7,\
    \"output_tokens\":2,\"total_tokens\":9}}\n\n";

#[test]
fn events_pass_to_the_byte_however_they_are_cut() {
    for size in 1..TRANSCRIPT.len() {
        let (relay, out, end) = relay(ForwardedApi::Transcriptions, TRANSCRIPT, size);
        assert_eq!((out.as_str(), end), (TRANSCRIPT, Ok(())), "{size}");
        assert_eq!(relay.state(), StreamState::Finished);
        let usage = relay.usage_or_estimate(100);
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.estimated), (7, 2, false));
    }
}

#[test]
fn events_that_end_before_the_last_one_are_incomplete() {
    let first = &TRANSCRIPT[..TRANSCRIPT.find(": comment").unwrap()];
    let (relay, _, end) = relay(ForwardedApi::Transcriptions, first, 9);
    assert_eq!((relay.has_content(), end), (true, Err(BrokenStream::Truncated)));
}

#[test]
fn an_image_may_be_followed_by_another() {
    let events = "data: {\"type\":\"image_generation.partial_image\",\"b64_json\":\"A\"}\n\n\
        data: {\"type\":\"image_generation.completed\",\"b64_json\":\"B\",\"usage\":{\"input_tokens\":5,\
        \"output_tokens\":6}}\n\n";
    let (relay, _, end) = relay(ForwardedApi::ImageGenerations, events, 50);
    assert_eq!((relay.state(), end), (StreamState::Answering, Ok(())));
}

#[test]
fn an_error_in_the_events_is_reported() {
    let events = "data: {\"type\":\"error\",\"error\":{\"message\":\"The server had an error\"}}\n\n";
    let (relay, out, end) = relay(ForwardedApi::Speech, events, 13);
    assert_eq!(out, events);
    assert!(!relay.has_content());
    assert!(matches!(end, Err(BrokenStream::Reported(_, message)) if message == "The server had an error"));
}

#[test]
fn sound_passes_as_it_arrives_and_ends_with_the_body() {
    let mut relay = ForwardedRelay::new(ForwardedApi::Speech, RelayFraming::Bytes);
    let mut out = Vec::new();
    relay.push(Bytes::new(), &mut out);
    assert_eq!(relay.state(), StreamState::Waiting);
    relay.push(Bytes::from_static(b"ID3"), &mut out);
    assert_eq!((relay.state(), relay.check()), (StreamState::Answering, Err(BrokenStream::Truncated)));
    assert_eq!((relay.finish(&mut out), out.concat()), (Ok(()), b"ID3".to_vec()));
    let mut empty = ForwardedRelay::new(ForwardedApi::Speech, RelayFraming::Bytes);
    assert_eq!(empty.finish(&mut Vec::new()), Err(BrokenStream::Truncated));
}
