use serde_json::{Value, json};

use super::*;
use crate::openai::pass_through::StreamRelay;
use crate::openai::provider::read_chat_count;

const HEAD: AnswerHead<'_> = AnswerHead { id: "chatcmpl-1", created: 7, model: "tiny" };
const USAGE: Usage = Usage::counted(3, 2);

#[track_caller]
fn check(event: &Bytes, expected: Value) {
    let data = event.strip_prefix(b"data: ").and_then(|rest| rest.strip_suffix(b"\n\n")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(data).unwrap(), expected);
}

#[test]
fn a_whole_answer_is_a_chat_completion() {
    let whole = HEAD.completion("say \"hi\"", FinishReason::Stop, USAGE);
    assert_eq!(
        serde_json::from_slice::<Value>(&whole).unwrap(),
        json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 7, "model": "tiny",
            "choices": [{
                "index": 0,
                "message": { "role": "assistant", "content": "say \"hi\"" },
                "finish_reason": "stop",
            }],
            "usage": { "prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5 },
        })
    );
    assert_eq!(read_chat_count(&whole).unwrap().usage_or_estimate(0), USAGE);
}

#[test]
fn events_are_chat_completion_chunks() {
    let chunk = |choices: Value| json!({ "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "tiny", "choices": choices });
    let delta = |delta: Value| json!([{ "index": 0, "delta": delta, "finish_reason": null }]);
    check(&HEAD.role_event(), chunk(delta(json!({ "role": "assistant", "content": "" }))));
    check(&HEAD.content_event("Hi"), chunk(delta(json!({ "content": "Hi" }))));
    let finish = json!([{ "index": 0, "delta": {}, "finish_reason": "length" }]);
    check(&HEAD.finish_event(FinishReason::Length), chunk(finish));
}

#[test]
fn a_rendered_stream_survives_a_round_trip() {
    let mut relay = StreamRelay::new(true, 1);
    let mut out = Vec::new();
    let events = [
        HEAD.role_event(),
        HEAD.content_event("Hi"),
        HEAD.finish_event(FinishReason::Stop),
        HEAD.usage_event(USAGE),
        DONE_EVENT,
    ];
    for event in events {
        relay.push(event, &mut out);
    }
    assert_eq!(relay.usage_or_estimate(0), USAGE);
    assert_eq!(relay.finish(&mut out), Ok(()));
    assert_eq!(out.len(), 4);
}

#[test]
fn a_stream_ends_with_the_literal_of_the_protocol() {
    assert_eq!(DONE_EVENT, "data: [DONE]\n\n");
}

#[test]
fn a_complete_text_is_streamed_in_several_events() {
    for text in ["", "Hi", &"é\"🦀\n".repeat(5000)] {
        let mut relay = StreamRelay::new(false, 1);
        let mut out = Vec::new();
        for event in HEAD.stream_events(text.to_owned(), Some(USAGE)) {
            assert!(event.len() < 3 * EVENT_TEXT);
            relay.push(event, &mut out);
        }
        assert_eq!(relay.usage_or_estimate(0), USAGE);
        assert_eq!(relay.output_bytes() as usize, text.len());
        assert_eq!(relay.finish(&mut out), Ok(()));
        let events = String::from_utf8(out.concat()).unwrap();
        let data = events.strip_suffix("data: [DONE]\n\n").unwrap().split_terminator("\n\n");
        let texts = data.filter_map(|event| {
            let event: Value = serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
            event["choices"][0]["delta"]["content"].as_str().map(str::to_owned)
        });
        assert_eq!(texts.collect::<String>(), text);
    }
    assert_eq!(HEAD.stream_events("Hi".to_owned(), None).count(), 4);
}

#[test]
fn a_whole_answer_is_the_same_in_chunks() {
    let head = AnswerHead { model: "odd \"content\":\"\" name", ..HEAD };
    for text in ["", "say \"hi\"", &"é\"🦀\n".repeat(50_000)] {
        let pieces: Vec<Bytes> = head.completion_chunks(text.to_owned(), USAGE).collect();
        assert!(pieces.iter().all(|piece| piece.len() < 3 * CHUNK_TEXT));
        assert_eq!(pieces.concat(), head.completion(text, FinishReason::Stop, USAGE));
    }
}
