//! Limits of the memory that all requests and answers hold together.

use std::iter;

use pointsman_tests::{FakeModel, Gate, Gateway, Step, client};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fleet::{ask, backend, built_in, chat, error, in_order, model, open, status, streamed};
use crate::raw;

const KIB: usize = 1024;

/// Limits: bodies of up to 256 KiB, of which 384 KiB may be held beyond the first 64 KiB of each.
const SMALL_BODIES: &str = "[server]\nmax_body_bytes = \"256KiB\"\n\
    [memory]\nmax_request_bodies = \"384KiB\"\n";
/// Limits: answers of up to 256 KiB, of which 256 KiB may be held beyond the first 64 KiB of
/// each.
const SMALL_ANSWERS: &str = "[memory]\nmax_answer_bytes = \"256KiB\"\nmax_answers = \"256KiB\"\n";

/// Returns a sample of `GET /metrics`.
async fn sample(gateway: &Gateway, series: &str) -> f64 {
    let page = client::get(&gateway.admin("/metrics")).await;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {series} in {page}"))
}

/// Polls the metrics until the held memory meets a condition.
async fn wait_for_held_bytes(gateway: &Gateway, is_so: impl Fn(f64) -> bool) {
    while !is_so(sample(gateway, "pointsman_held_memory_bytes").await) {}
}

/// Starts an upload that announces one byte more than it sends.
async fn unfinished_upload(gateway: &Gateway, bytes: usize) -> TcpStream {
    let mut stream = raw::connect(gateway).await;
    let head = raw::head() + &format!("content-length: {}\r\n\r\n", bytes + 1);
    let begin = r#"{"model":"main","messages":[{"role":"user","content":""#;
    let body = begin.to_owned() + &"a".repeat(bytes - begin.len());
    stream.write_all((head + &body).as_bytes()).await.expect("the gateway reads");
    stream
}

#[tokio::test]
async fn unfinished_uploads_hold_at_most_their_share_and_small_requests_are_served() {
    let model = FakeModel::saying("hello").await;
    let gateway = Gateway::start(&in_order(&[&model], SMALL_BODIES)).await;
    let (first, second) =
        (unfinished_upload(&gateway, 240 * KIB).await, unfinished_upload(&gateway, 240 * KIB).await);
    wait_for_held_bytes(&gateway, |held| held >= 480.0 * KIB as f64).await;

    let large = chat("main", &"b".repeat(200 * KIB));
    let answer = ask(&gateway, &large).await;
    error(&answer, 503, "overloaded");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "hello");
    let rejected = "pointsman_rejected_requests_total{code=\"overloaded\"}";
    assert_eq!(sample(&gateway, rejected).await, 1.0);

    drop((first, second));
    wait_for_held_bytes(&gateway, |held| held < KIB as f64).await;
    assert_eq!(ask(&gateway, &large).await.text(), "hello");
}

#[tokio::test]
async fn an_upload_that_is_rejected_in_the_middle_gets_the_reason() {
    let model = FakeModel::saying("hello").await;
    let more = "[server]\nmax_body_bytes = \"256KiB\"\n\
        [memory]\nlimit = \"300KiB\"\nmax_request_bodies = \"300KiB\"\nmax_answers = \"300KiB\"\n\
        max_answer_bytes = \"256KiB\"\n";
    let gateway = Gateway::start(&in_order(&[&model], more)).await;
    let _first = unfinished_upload(&gateway, 200 * KIB).await;
    wait_for_held_bytes(&gateway, |held| held >= 200.0 * KIB as f64).await;
    let mut second = unfinished_upload(&gateway, 200 * KIB).await;
    let mut answer = vec![0; 12];
    second.read_exact(&mut answer).await.expect("an answer before the body has ended");
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 503");
}

/// Returns a whole answer of about `bytes` bytes, in pieces, that stops in the middle until the
/// gate opens.
fn long_answer(bytes: usize, gate: &Gate) -> Step {
    let text = "z".repeat(bytes);
    let message = json!({ "role": "assistant", "content": text });
    let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
    let body = json!({ "id": "x", "object": "chat.completion", "choices": [choice] }).to_string();
    let pieces: Vec<Vec<u8>> = body.as_bytes().chunks(8 * KIB).map(<[u8]>::to_vec).collect();
    let middle = pieces.len() - 1;
    Step::chunks("application/json", pieces).wait_after(middle, gate)
}

#[tokio::test]
async fn whole_answers_hold_at_most_their_share_and_no_model_is_blamed() {
    let gate = Gate::new();
    let model = FakeModel::builder()
        .then(long_answer(240 * KIB, &gate))
        .then(long_answer(240 * KIB, &gate))
        .then(Step::answer("short"))
        .start()
        .await;
    let gateway = Gateway::start(&in_order(&[&model], SMALL_ANSWERS)).await;
    let first = {
        let url = gateway.url("/v1/chat/completions");
        tokio::spawn(async move { client::post(&url, &chat("main", "hi")).await })
    };
    gate.reached().await;
    wait_for_held_bytes(&gateway, |held| held >= 240.0 * KIB as f64).await;

    let second = ask(&gateway, &chat("main", "hi")).await;
    error(&second, 503, "overloaded");
    assert_eq!(second.header("x-pointsman-attempts"), Some("1"), "another call would not help");
    assert_eq!(status(&gateway, "a/chat").await["error_rate"], 0.0);
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "short");
    let failed = "pointsman_calls_total{backend=\"a\",model=\"a/chat\",result=\"no-memory\"}";
    assert_eq!(sample(&gateway, failed).await, 1.0);

    gate.open();
    assert_eq!(first.await.expect("the client works").text().len(), 240 * KIB);
    wait_for_held_bytes(&gateway, |held| held == 0.0).await;
}

#[tokio::test]
async fn outputs_of_tasks_are_subject_to_the_same_limit() {
    let writer = FakeModel::always(Step::answer(&"z".repeat(200 * KIB))).await;
    let config = backend("a", &writer, "")
        + &model("a/chat", 1, "context_window = 1000000")
        + &built_in("sequential", "")
        + "[routes.main]\npolicy = \"sequential\"\n"
        + SMALL_ANSWERS;
    let gateway = Gateway::start(&config).await;
    let answer = ask(&gateway, &chat("main", "hi")).await;
    error(&answer, 503, "overloaded");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(writer.requests().len(), 2, "the draft is held, the critique beside it cannot be");
    assert_eq!(status(&gateway, "a/chat").await["error_rate"], 0.0);
    wait_for_held_bytes(&gateway, |held| held == 0.0).await;
}

#[tokio::test]
async fn an_answer_above_the_limit_is_a_failed_attempt() {
    let long = FakeModel::always(Step::answer(&"z".repeat(300 * KIB))).await;
    let good = FakeModel::saying("from the other").await;
    let gateway = Gateway::start(&in_order(&[&long, &good], SMALL_ANSWERS)).await;
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "from the other");
}

/// Returns events without content, of about `bytes` bytes in total.
fn empty_events(bytes: usize) -> impl Iterator<Item = String> {
    let padding = "p".repeat(KIB);
    let choice = json!({ "index": 0, "delta": { "role": "assistant" }, "finish_reason": null });
    let event = format!("data: {}\n\n", json!({ "id": padding, "choices": [choice] }));
    iter::repeat_n(event.clone(), bytes / event.len() + 1)
}

#[tokio::test]
async fn a_stream_that_exceeds_its_buffer_before_its_content_is_forwarded() {
    let gate = Gate::new();
    let events: Vec<String> = empty_events(20 * KIB).collect();
    let held = events.len();
    let rest = Step::stream(&["late"]);
    let model = FakeModel::builder().then(rest.preceded_by(events).wait_after(held, &gate)).start().await;
    let gateway = Gateway::start(&in_order(&[&model], "[memory]\nmax_before_content = \"16KiB\"\n")).await;
    let mut stream = open(&gateway, &streamed("main", "hi")).await;
    assert_eq!(stream.status, 200, "the head comes before the content");
    let first = stream.event().await.expect("what was held");
    let first: Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!(first["choices"][0]["delta"]["role"], "assistant");
    gate.open();
    assert_eq!(stream.text().await, "late");
    wait_for_held_bytes(&gateway, |held| held == 0.0).await;
}

#[tokio::test]
async fn endless_comments_before_the_content_are_not_buffered_and_another_model_answers() {
    let comments = iter::repeat_n(format!(": {}\n\n", "x".repeat(KIB)), 256);
    let chatty = Step::chunks("text/event-stream", comments).wait_after(256, &Gate::new());
    let (chatty, good) = (FakeModel::always(chatty).await, FakeModel::saying("from the other").await);
    let more = "attempt_timeout = \"1s\"\n[memory]\nmax_before_content = \"16KiB\"\n";
    let gateway = Gateway::start(&in_order(&[&chatty, &good], more)).await;
    let stream = open(&gateway, &streamed("main", "hi")).await;
    assert_eq!(stream.headers["x-pointsman-model"], "b/chat");
    assert_eq!(stream.text().await, "from the other");
}

#[tokio::test]
async fn an_endless_event_is_bounded() {
    let piece = "y".repeat(16 * KIB);
    let begin = r#"data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}"#.to_owned() + "\n\ndata: ";
    let pieces = iter::once(begin).chain(iter::repeat_n(piece, 32));
    let endless = FakeModel::always(Step::chunks("text/event-stream", pieces)).await;
    let gateway = Gateway::start(&in_order(&[&endless], SMALL_ANSWERS)).await;
    let events = open(&gateway, &streamed("main", "hi")).await.events().await;
    let last = crate::fleet::stream_error(&events);
    assert_eq!(last["code"], "stream_broken");
    assert_eq!(status(&gateway, "a/chat").await["error_rate"], 0.0, "the gateway's own limit");
    wait_for_held_bytes(&gateway, |held| held == 0.0).await;
}
