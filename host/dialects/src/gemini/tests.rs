use pointsman_domain::usage::Usage;
use serde_json::{Value, json};

use super::*;
use crate::form::*;

fn answer(body: &Value) -> Result<ConversationAnswer, InvalidAnswer> {
    parse_answer(body.to_string().as_bytes())
}

fn read(chunks: &[Value]) -> Vec<AnswerEvent> {
    let mut reader = GeminiStreamReader::new();
    let mut events = Vec::new();
    for chunk in chunks {
        reader.read(chunk.to_string().as_bytes(), &mut events);
    }
    reader.finish(&mut events);
    events
}

/// Event of a stream with these parts.
fn chunk(parts: Value) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": parts}}], "responseId": "r-1", "modelVersion": "m"})
}

fn stop(reason: &str) -> Value {
    json!({"candidates": [{"finishReason": reason}]})
}

fn start() -> AnswerEvent {
    AnswerEvent::Start(AnswerStart { id: "r-1".into(), created: None, model: "m".into() })
}

fn text(text: &str) -> AnswerEvent {
    AnswerEvent::Delta(PartDelta::Text(text.into()))
}

fn signature() -> Signature {
    Signature { origin: SignatureOrigin::Gemini, value: "sig".into() }
}

#[test]
fn texts_that_follow_each_other_are_one_part() {
    let events = read(&[
        chunk(json!([{"text": "hm", "thought": true}])),
        chunk(json!([{"text": "a"}])),
        chunk(json!([{"text": "b"}])),
        stop("STOP"),
    ]);
    let expected = [
        start(),
        AnswerEvent::PartStart(PartStart::Reasoning { is_summary: true }),
        text("hm"),
        AnswerEvent::PartEnd,
        AnswerEvent::PartStart(PartStart::Text),
        text("a"),
        text("b"),
        AnswerEvent::PartEnd,
        AnswerEvent::Stop(StopReason::Complete),
        AnswerEvent::Done,
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_call_without_an_id_gets_one_and_its_signature_comes_first() {
    let call = json!({"functionCall": {"name": "f", "args": {"a": 1.0}}, "thoughtSignature": "sig"});
    let other = json!({"functionCall": {"name": "g", "id": "own"}});
    let events = read(&[chunk(json!([call, other])), stop("STOP")]);
    let call =
        |id: &str, name: &str| PartStart::ToolCall { id: id.into(), name: name.into(), takes_text: false };
    let expected = [
        start(),
        AnswerEvent::PartStart(call("call_r-1_0", "f")),
        AnswerEvent::Delta(PartDelta::Signature(signature())),
        AnswerEvent::Delta(PartDelta::ToolInput("{\"a\":1.0}".into())),
        AnswerEvent::PartEnd,
        AnswerEvent::PartStart(call("own", "g")),
        AnswerEvent::Delta(PartDelta::ToolInput("{}".into())),
        AnswerEvent::PartEnd,
        AnswerEvent::Stop(StopReason::ToolCalls),
        AnswerEvent::Done,
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_signature_of_an_empty_text_belongs_to_the_open_text_or_stands_alone() {
    let empty = json!([{"text": "", "thoughtSignature": "sig"}]);
    let events = read(&[chunk(json!([{"text": "a"}])), chunk(empty.clone()), stop("STOP")]);
    assert_eq!(events[3], AnswerEvent::Delta(PartDelta::Signature(signature())));
    let events = read(&[chunk(empty), chunk(json!([{"text": "a"}])), stop("STOP")]);
    let expected = [
        AnswerEvent::PartStart(PartStart::Reasoning { is_summary: false }),
        AnswerEvent::Delta(PartDelta::Encrypted(signature())),
        AnswerEvent::PartEnd,
        AnswerEvent::PartStart(PartStart::Text),
    ];
    assert_eq!(events[1..5], expected);
}

#[test]
fn text_after_a_signature_is_another_part() {
    let events =
        read(&[chunk(json!([{"text": "a", "thoughtSignature": "sig"}])), chunk(json!([{"text": "b"}]))]);
    let starts = events.iter().filter(|event| matches!(event, AnswerEvent::PartStart(PartStart::Text)));
    assert_eq!(starts.count(), 2);
}

#[test]
fn a_reason_to_stop_in_each_event_ends_the_answer_once() {
    let mut first = chunk(json!([{"text": "a"}]));
    first["candidates"][0]["finishReason"] = "STOP".into();
    let mut second = chunk(json!([{"text": "b"}]));
    second["candidates"][0]["finishReason"] = "MAX_TOKENS".into();
    let events = read(&[first, second]);
    assert_eq!(
        events[2..],
        [
            text("a"),
            text("b"),
            AnswerEvent::PartEnd,
            AnswerEvent::Stop(StopReason::MaxTokens),
            AnswerEvent::Done,
        ]
    );
}

#[test]
fn a_stream_without_a_reason_to_stop_is_not_done() {
    let events = read(&[chunk(json!([{"text": "a"}]))]);
    assert_eq!(events.last(), Some(&AnswerEvent::PartEnd));
    assert_eq!(read(&[]), []);
}

#[test]
fn an_error_ends_the_stream() {
    let error = json!({"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}});
    let events = read(&[chunk(json!([{"text": "a"}])), error.clone(), chunk(json!([{"text": "b"}]))]);
    let Some(AnswerEvent::Error(error_event)) = events.last() else { panic!("an error: {events:?}") };
    assert_eq!((error_event.kind, error_event.status), (ProviderErrorKind::Overloaded, 503));
    assert!(matches!(read(&[json!([error])]).last(), Some(AnswerEvent::Error(_))));
}

#[test]
fn data_of_another_kind_is_ignored() {
    let mut reader = GeminiStreamReader::new();
    let mut events = Vec::new();
    for data in ["", "[DONE]", "{", "\u{0}", "[[]]", r#"{"candidates":3}"#] {
        reader.read(data.as_bytes(), &mut events);
    }
    assert_eq!(events, []);
    reader.read(br#"{"candidates":[{"content":{"parts":[null,3,{},{"text":null}]}}]}"#, &mut events);
    assert_eq!(events.len(), 1, "the start alone: {events:?}");
}

#[test]
fn a_blocked_prompt_is_an_answer_of_a_filter() {
    let blocked =
        json!({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 5}});
    let answer = answer(&blocked).expect("an answer");
    assert_eq!((answer.parts.len(), answer.stop), (0, StopReason::ContentFilter));
    assert_eq!(read(&[blocked]).last(), Some(&AnswerEvent::Done));
    let rated = json!({"promptFeedback": {"safetyRatings": []}});
    assert_eq!(parse_answer(rated.to_string().as_bytes()), Err(InvalidAnswer::Empty));
}

#[test]
fn reasons_to_stop_have_their_meaning() {
    let cases = [
        (json!("STOP"), StopReason::Complete),
        (json!(1), StopReason::Complete),
        (json!("MAX_TOKENS"), StopReason::MaxTokens),
        (json!("SAFETY"), StopReason::ContentFilter),
        (json!("RECITATION"), StopReason::ContentFilter),
        (json!("MALFORMED_FUNCTION_CALL"), StopReason::Other("MALFORMED_FUNCTION_CALL".into())),
        (json!("NEW"), StopReason::Other("NEW".into())),
    ];
    for (reason, expected) in cases {
        let answer = answer(&json!({"candidates": [{"finishReason": reason}]})).expect("an answer");
        assert_eq!(answer.stop, expected);
    }
}

#[test]
fn one_of_several_candidates_is_read() {
    let body = json!({"candidates": [
        {"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"},
        {"index": 1, "content": {"parts": [{"text": "b"}]}, "finishReason": "MAX_TOKENS"},
    ]});
    let answer = answer(&body).expect("an answer");
    assert_eq!((answer.text(), answer.stop), ("a".into(), StopReason::Complete));
}

#[test]
fn usage_includes_what_the_api_counts_beside() {
    let body = json!({"candidates": [{"finishReason": "STOP"}], "usageMetadata": {
        "promptTokenCount": 100, "cachedContentTokenCount": 40, "toolUsePromptTokenCount": 7,
        "candidatesTokenCount": 10, "thoughtsTokenCount": 20, "totalTokenCount": 137}});
    let usage = answer(&body).expect("an answer").count.usage(1, 1);
    let expected = Usage { cached_input_tokens: 40, reasoning_tokens: 20, ..Usage::counted(107, 30) };
    assert_eq!(usage, expected);
}

#[test]
fn media_and_tools_of_the_provider_are_whole_parts() {
    let body = json!({"candidates": [{"finishReason": "STOP", "content": {"parts": [
        {"inlineData": {"mimeType": "image/png", "data": "AA=="}, "thoughtSignature": "sig"},
        {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "x"},
        {"fileData": {"mimeType": "audio/wav", "fileUri": "gs://a"}},
        {"text": "a"},
    ]}}]});
    let parts = answer(&body).expect("an answer").parts;
    assert!(matches!(&parts[0].content, PartContent::Image { source: MediaSource::Base64 { .. }, .. }));
    assert_eq!(parts[0].signature, Some(signature()));
    let PartContent::Provider(code) = &parts[1].content else { panic!("{:?}", parts[1]) };
    assert_eq!(
        code.value.get(),
        r#"{"executableCode":{"code":"1","language":"PYTHON"},"thoughtSignature":"x"}"#
    );
    assert!(matches!(&parts[2].content, PartContent::Audio(MediaSource::Url { .. })));
    assert_eq!(parts[3], Part::text("a"));
}

#[test]
fn citations_belong_to_the_text() {
    let mut last = stop("STOP");
    last["candidates"][0]["groundingMetadata"] = json!({
        "groundingChunks": [{"web": {"uri": "u", "title": "t"}}],
        "groundingSupports": [{"segment": {"endIndex": 2, "text": "é"}, "groundingChunkIndices": [0]}],
    });
    let events = read(&[chunk(json!([{"text": "éa"}])), last]);
    let citation = Citation {
        title: Some("t".into()),
        url: Some("u".into()),
        answer_range: Some((0, 1)),
        ..Citation::default()
    };
    assert_eq!(
        events[3..5],
        [AnswerEvent::Delta(PartDelta::Citation(Box::new(citation))), AnswerEvent::PartEnd]
    );
}

#[test]
fn a_body_that_is_no_answer_is_invalid() {
    let kind = |body: &str| match parse_answer(body.as_bytes()) {
        Err(InvalidAnswer::NotJson(_)) => "not JSON",
        Err(InvalidAnswer::WrongShape(_)) => "wrong shape",
        Err(InvalidAnswer::Empty) => "empty",
        Err(InvalidAnswer::Reported(_)) => "reported",
        Ok(_) => "an answer",
    };
    let cases = [
        ("{", "not JSON"),
        ("", "not JSON"),
        ("3", "wrong shape"),
        (r#"{"candidates":[{"content":3}]}"#, "wrong shape"),
        ("{}", "empty"),
        (r#"{"error":{"code":400}}"#, "reported"),
    ];
    for (body, expected) in cases {
        assert_eq!(kind(body), expected, "{body}");
    }
}
