//! Compressed bodies of clients and of model servers, and texts that begin with a byte order
//! mark.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::Method;
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gate, Gateway, Step};

use crate::fleet::{ask, chat, error, in_order, open, streamed};

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn zstd(body: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(body, 1).expect("it can be compressed")
}

/// Sends a body with a value of `content-encoding`.
async fn send(gateway: &Gateway, coding: &str, body: impl Into<Bytes>) -> Answer {
    let headers = [("content-encoding", coding)];
    client::call(Method::POST, &gateway.url("/v1/chat/completions"), &headers, body).await
}

#[tokio::test]
async fn a_compressed_request_is_answered_like_an_uncompressed_one() {
    let model = FakeModel::saying("hello").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let body = chat("a/chat", &"some words ".repeat(10_000)).to_string();
    let plain = body.as_bytes();
    let expected = body.replace("\"a/chat\"", "\"chat\"");
    for (coding, encoded) in [
        ("gzip", gzip(plain)),
        ("X-GZIP", gzip(plain)),
        ("deflate", zlib(plain)),
        ("deflate", deflate(plain)),
        ("zstd", zstd(plain)),
        ("identity", plain.to_vec()),
        ("gzip, zstd", zstd(&gzip(plain))),
    ] {
        let before = model.requests().len();
        assert_eq!(send(&gateway, coding, encoded).await.text(), "hello", "{coding}");
        let request = model.request(before + 1).await;
        assert!(request.body == expected, "{coding}");
        assert_eq!(request.header("content-encoding"), None, "{coding}");
        assert_eq!(request.header("content-length"), Some(expected.len().to_string().as_str()));
    }
}

#[tokio::test]
async fn an_unknown_coding_is_rejected_with_the_supported_ones() {
    let model = FakeModel::saying("hello").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    for coding in ["compress", "gzip, lzma", "snappy"] {
        let answer = send(&gateway, coding, gzip(b"{}")).await;
        let message = error(&answer, 415, "unsupported_content_coding");
        let name = coding.rsplit(", ").next().expect("a name");
        assert!(message.contains(name) && message.contains("gzip, deflate, br, zstd"), "{message}");
        assert_eq!(answer.header("accept-encoding"), Some("gzip, deflate, br, zstd"));
        assert_eq!(answer.json()["error"]["type"], "invalid_request_error");
    }
    assert_eq!(model.requests().len(), 0);
}

#[tokio::test]
async fn a_corrupt_compressed_request_is_rejected_with_its_coding() {
    let model = FakeModel::saying("hello").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let plain = chat("main", "hi").to_string();
    let whole = gzip(plain.as_bytes());
    let mut damaged = whole.clone();
    damaged[20] ^= 0xff;
    for (coding, body) in [
        ("gzip", whole[..whole.len() - 9].to_vec()),
        ("gzip", damaged),
        ("gzip", plain.clone().into_bytes()),
        ("deflate", plain.clone().into_bytes()),
        ("br", plain.clone().into_bytes()),
        ("zstd", plain.clone().into_bytes()),
    ] {
        let message = error(&send(&gateway, coding, body).await, 400, "invalid_content_coding");
        assert!(message.contains(coding), "{message}");
    }
    error(&send(&gateway, "gzip", gzip(b"hello")).await, 400, "invalid_json");
    assert_eq!(model.requests().len(), 0);
}

#[tokio::test]
async fn the_limit_on_bodies_counts_decoded_bytes() {
    let model = FakeModel::saying("hello").await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nmax_body_bytes = \"1MiB\"\n")).await;
    let large = chat("main", &"a".repeat(64 << 20)).to_string();
    for (coding, bomb) in [
        ("gzip", gzip(large.as_bytes())),
        ("zstd", zstd(large.as_bytes())),
        ("gzip, gzip", gzip(&gzip(large.as_bytes()))),
    ] {
        assert!(bomb.len() < 1 << 20, "{}", bomb.len());
        error(&send(&gateway, coding, bomb).await, 413, "request_too_large");
    }
    // What is decoded to nothing counts as it came.
    let nothing = gzip(b"").repeat(60_000);
    error(&send(&gateway, "gzip", nothing).await, 413, "request_too_large");
    assert_eq!(model.requests().len(), 0);
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "hello");
}

#[tokio::test]
async fn a_compressed_answer_is_forwarded_decoded() {
    let whole = || {
        let json = r#"{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"zipped"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;
        json.as_bytes()
    };
    for (coding, body) in [
        ("gzip", gzip(whole())),
        ("Deflate", zlib(whole())),
        ("zstd", zstd(whole())),
        ("gzip, zstd", zstd(&gzip(whole()))),
    ] {
        let step = Step::bytes("application/json", body).header("content-encoding", coding);
        let model = FakeModel::always(step).await;
        let gateway = Gateway::start(&in_order(&[&model], "")).await;
        let answer = ask(&gateway, &chat("main", "hi")).await;
        assert_eq!((answer.text().as_str(), answer.header("content-encoding")), ("zipped", None), "{coding}");
        assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
    }
}

#[tokio::test]
async fn a_compressed_stream_is_forwarded_event_by_event() {
    let event = |delta: &str, reason: &str| {
        format!(
            "data: {{\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\
             \"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{reason}}}]}}\n\n"
        )
    };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut flushed = |text: String| {
        encoder.write_all(text.as_bytes()).and_then(|()| encoder.flush()).expect("a vector takes all");
        std::mem::take(encoder.get_mut())
    };
    let first = flushed(event(r#"{"role":"assistant","content":"one "}"#, "null"));
    let rest = flushed(event(r#"{"content":"two"}"#, "null") + &event("{}", "\"stop\"") + "data: [DONE]\n\n");
    let end = encoder.finish().expect("a vector takes all");
    let gate = Gate::new();
    let step = Step::chunks("text/event-stream", [first, rest, end]).header("content-encoding", "gzip");
    let model = FakeModel::always(step.wait_after(1, &gate)).await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;

    let mut stream = open(&gateway, &streamed("main", "hi")).await;
    assert_eq!((stream.status.as_u16(), stream.headers.get("content-encoding")), (200, None));
    assert!(stream.event().await.expect("an event").contains("one "));
    gate.open();
    assert_eq!(stream.text().await, "two");
}

#[tokio::test]
async fn a_compressed_error_is_readable() {
    let json = br#"{"error":{"message":"temperature out of range","type":"invalid_request_error","param":"temperature","code":null}}"#;
    let step =
        Step::bytes("application/json", gzip(json)).with_status(400).header("content-encoding", "gzip");
    let model = FakeModel::always(step).await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let answer = ask(&gateway, &chat("main", "hi")).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-encoding")), (400, None));
    assert_eq!(answer.json()["error"]["message"], "temperature out of range");
}

#[tokio::test]
async fn an_undecodable_answer_leads_to_the_next_model_with_a_reason() {
    let step = Step::bytes("application/json", "{}").header("content-encoding", "compress");
    let (strange, model) = (FakeModel::always(step).await, FakeModel::saying("hello").await);
    let gateway = Gateway::start(&in_order(&[&strange, &model], "")).await;
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "hello");
    let message = error(&ask(&gateway, &chat("a/chat", "hi")).await, 502, "all_models_failed");
    assert!(message.contains("compress"), "{message}");
}

#[tokio::test]
async fn a_byte_order_mark_is_removed_from_requests_and_answers() {
    let model = FakeModel::builder()
        .otherwise(|request| Step::says(request, "hello").preceded_by(["\u{feff}"]))
        .start()
        .await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let plain = chat("main", "hi").to_string();
    let marked = format!("\u{feff}{plain}");
    for (coding, body) in [("identity", marked.clone().into_bytes()), ("gzip", gzip(marked.as_bytes()))] {
        let answer = send(&gateway, coding, body).await;
        assert_eq!(answer.text(), "hello");
        assert!(answer.body.starts_with(b"{"));
        let requests = model.requests();
        let sent = &requests.last().expect("a request").body;
        assert_eq!(sent, &plain.replace("\"main\"", "\"chat\""));
    }
}
