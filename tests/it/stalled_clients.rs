//! Clients that stop reading: their requests end at the deadline, and their connections once
//! nothing was written for too long.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pointsman_tests::{FakeModel, Gate, Gateway, Step};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fleet::{in_order, open, status, stream_error, streamed, usage};
use crate::raw;
use crate::raw::h2;

/// Log settings with which a test can wait for the end of a request.
const LOGGED: &str = "[log]\nlevel = \"debug\"\n";
const FAILED: &str = r#""ending":"failed""#;

/// Stream that is longer than all buffers between the model and its client.
fn long_stream() -> Step {
    let text = "word ".repeat(20 << 10);
    Step::stream(&vec![text.as_str(); 300])
}

/// Returns the only request in the ledger.
async fn only_line(gateway: &Gateway) -> Value {
    let lines = usage(gateway).await;
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines[0].clone()
}

#[tokio::test]
async fn a_stream_whose_client_stops_reading_ends_at_the_deadline_of_the_request() {
    let model = FakeModel::always(long_stream()).await;
    let gateway = Gateway::start(&in_order(&[&model], &format!("timeout = \"2s\"\n{LOGGED}"))).await;
    let body = streamed("main", "hi").to_string();
    let request = format!("{}content-length: {}\r\n\r\n{body}", raw::head(), body.len());
    let mut connection = raw::connect(&gateway).await;
    connection.write_all(request.as_bytes()).await.expect("the gateway reads");

    model.hung_up(1).await;
    gateway.logged(FAILED).await;
    let line = only_line(&gateway).await;
    assert_eq!((&line["failed"], &line["cancelled"]), (&1.into(), &0.into()), "{line}");
    assert!(line["output_tokens"].as_u64() > Some(1_000), "what came is paid for: {line}");
    let model = status(&gateway, "a/chat").await;
    assert_eq!((&model["in_flight"], &model["error_rate"]), (&0.into(), &0.0.into()), "{model}");

    // What was sent can still be read, and is not taken for a whole answer.
    let mut rest = Vec::new();
    let read = connection.read_to_end(&mut rest).await;
    assert!(read.is_err() || !rest.ends_with(b"0\r\n\r\n"), "{} bytes", rest.len());
}

#[tokio::test]
async fn one_stalled_http2_stream_ends_at_its_deadline_and_others_continue() {
    let gate = Gate::new();
    let held = gate.clone();
    // Its 30 MB are rendered before the deadline of a request runs.
    let long = long_stream();
    let model = FakeModel::builder()
        .otherwise(move |request| match request.json()["messages"][0]["content"].as_str() {
            Some("long") => long.clone(),
            _ => Step::stream(&["before ", "after"]).wait_after(1, &held),
        })
        .start()
        .await;
    let patient = "[routes.patient]\npolicy = \"cost\"\n";
    let config = in_order(&[&model], &format!("timeout = \"2s\"\n{patient}{LOGGED}"));
    let gateway = Gateway::start(&config).await;
    let stream = raw::connect(&gateway).await;
    let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(16 << 10)
        .initial_connection_window_size(1 << 20)
        .handshake(TokioIo::new(stream))
        .await
        .expect("an HTTP/2 connection");
    let connection = tokio::spawn(connection);
    let mut request = async |route: &str, text: &str| {
        let body = Bytes::from(streamed(route, text).to_string());
        let post = Request::post(gateway.url("/v1/chat/completions")).body(Full::new(body));
        let response = sender.send_request(post.expect("a request")).await.expect("a response");
        assert_eq!(response.status(), 200);
        response.into_body()
    };
    let stalled = request("main", "long").await;
    let mut active = request("patient", "short").await;
    active.frame().await.expect("a frame").expect("data");

    model.hung_up(1).await;
    gateway.logged(FAILED).await;
    gate.open();
    let rest = active.collect().await.expect("a whole answer").to_bytes();
    assert!(rest.ends_with(b"data: [DONE]\n\n"), "{}", rest.escape_ascii());
    assert!(stalled.collect().await.is_err(), "its client notices that the answer broke off");
    connection.abort();
}

#[tokio::test]
async fn a_stream_whose_client_reads_ends_with_an_error_event_at_the_deadline() {
    let gate = Gate::new();
    let model = FakeModel::always(Step::stream(&["before ", "after"]).wait_after(1, &gate)).await;
    let gateway = Gateway::start(&in_order(&[&model], "timeout = \"300ms\"\n")).await;
    let events = open(&gateway, &streamed("main", "hi")).await.events().await;
    let error = stream_error(&events);
    assert_eq!(error["message"], "the time for the request ran out");
    assert_eq!(only_line(&gateway).await["failed"], 1);
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut_off_after_the_write_timeout() {
    let model = FakeModel::saying("hello there").await;
    let limits = "[server]\nwrite_timeout = \"100ms\"\nidle_timeout = \"1h\"\n";
    let gateway = Gateway::start(&in_order(&[&model], limits)).await;
    let mut connection = raw::connect(&gateway).await;
    let no_window = h2::settings(&[(h2::INITIAL_WINDOW_SIZE, 0)]);
    let sent = [h2::PREFACE, &no_window, &h2::get(1, "/ready")].concat();
    connection.write_all(&sent).await.expect("the gateway reads");
    let mut received = Vec::new();
    connection.read_to_end(&mut received).await.expect("the gateway closes in good order");
    let frames = h2::frame_types(&received);
    assert!(!frames.contains(&h2::DATA) && frames.contains(&h2::GOAWAY), "{frames:?}");
}

#[tokio::test]
async fn a_stream_that_stalls_is_cut_off_after_the_write_timeout_before_its_deadline() {
    let model = FakeModel::always(long_stream()).await;
    let limits = format!("timeout = \"1h\"\n[server]\nwrite_timeout = \"200ms\"\n{LOGGED}");
    let gateway = Gateway::start(&in_order(&[&model], &limits)).await;
    let body = streamed("main", "hi").to_string();
    let request = format!("{}content-length: {}\r\n\r\n{body}", raw::head(), body.len());
    let mut connection = raw::connect(&gateway).await;
    connection.write_all(request.as_bytes()).await.expect("the gateway reads");
    model.hung_up(1).await;
    gateway.logged(r#""ending":"cancelled""#).await;
    drop(connection);
}
