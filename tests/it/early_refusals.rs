//! Requests that are rejected before their body was read: the response arrives, and the next
//! request of the client is served.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pointsman_tests::{FakeModel, Gateway};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fleet::{chat, in_order};
use crate::raw;

const KEY: &str = "pm-early-refusals";
/// Limit of bytes of a body in the gateway under test.
const LIMIT: usize = 256 << 10;
/// Bytes beyond the buffers of two sockets.
const HUGE: usize = 16 << 20;

async fn gateway(model: &FakeModel) -> Gateway {
    let hash: String = Sha256::digest(KEY).iter().map(|byte| format!("{byte:02x}")).collect();
    let more = format!("[keys.app]\nhash = \"sha256:{hash}\"\n[server]\nmax_body_bytes = {LIMIT}\n");
    Gateway::start(&in_order(&[model], &more)).await
}

/// Request whose body is never read.
#[derive(Clone)]
struct RejectedRequest {
    /// Returns the request line without the version, and the header lines.
    line: &'static str,
    headers: String,
    body_bytes: usize,
    is_chunked: bool,
}

impl RejectedRequest {
    fn head(&self) -> String {
        let length = match self.is_chunked {
            true => "transfer-encoding: chunked".to_owned(),
            false => format!("content-length: {}", self.body_bytes),
        };
        format!("{} HTTP/1.1\r\nhost: localhost\r\n{}{length}\r\n\r\n", self.line, self.headers)
    }

    /// Returns the body in the pieces in which it is sent.
    fn pieces(&self) -> impl Iterator<Item = Vec<u8>> {
        let (left, is_chunked) = (self.body_bytes, self.is_chunked);
        let sizes = (0..left).step_by(64 << 10).map(move |at| (left - at).min(64 << 10));
        let piece = move |size: usize| match is_chunked {
            true => [format!("{size:x}\r\n").as_bytes(), &vec![b'x'; size], b"\r\n"].concat(),
            false => vec![b'x'; size],
        };
        sizes.map(piece).chain(is_chunked.then(|| b"0\r\n\r\n".to_vec()))
    }
}

/// Returns a response, and the status of the next request on the same connection; `None` if the
/// response announces that the connection closes.
#[derive(Debug, PartialEq)]
struct ObservedResponse {
    status: u16,
    next: Option<u16>,
}

/// Sends a whole request before it reads the response, as many clients do.
fn send(address: &str, request: &RejectedRequest) -> ObservedResponse {
    let mut connection = TcpStream::connect(address).expect("the gateway accepts");
    connection.write_all(request.head().as_bytes()).expect("the gateway reads");
    for piece in request.pieces() {
        // The gateway may have closed already. Its response has to be there all the same.
        if connection.write_all(&piece).is_err() {
            break;
        }
    }
    let head = response(&mut connection);
    let status = status_of(&head);
    if head.contains("\r\nconnection: close\r\n") {
        assert_eq!(connection.read(&mut [0]).expect("the connection ends in good order"), 0);
        return ObservedResponse { status, next: None };
    }
    let next = format!("GET /health HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {KEY}\r\n\r\n");
    connection.write_all(next.as_bytes()).expect("the connection is kept");
    ObservedResponse { status, next: Some(status_of(&response(&mut connection))) }
}

/// Reads a response to the end of its body, whose length it states, and returns its head.
fn response(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        assert_eq!(connection.read(&mut byte).expect("a response"), 1, "{}", head.escape_ascii());
        head.extend(byte);
    }
    let head = String::from_utf8(head).expect("text");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
    connection.read_exact(&mut body).expect("a whole body");
    head
}

fn status_of(head: &str) -> u16 {
    head.get(9..12).and_then(|status| status.parse().ok()).expect("a status line")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_rejection_arrives_and_the_connection_stays_usable_or_is_closed_cleanly() {
    let model = FakeModel::saying("hello there").await;
    let gateway = gateway(&model).await;
    let known = format!("authorization: Bearer {KEY}\r\n");
    let wrong = "authorization: Bearer wrong\r\n".to_owned();
    let clients = raw::address(&gateway).to_owned();
    let operators = gateway.admin_url.strip_prefix("http://").expect("an http address").to_owned();
    let cases = [
        (&clients, "POST /v1/chat/completions", &wrong, 401),
        (&clients, "POST /v1/decisions", &wrong, 401),
        (&clients, "POST /v1/chat/completions", &known, 400),
        (&clients, "POST /v1/nothing", &known, 404),
        (&clients, "PUT /v1/chat/completions", &known, 405),
        (&clients, "GET /v1/models", &wrong, 401),
        (&clients, "GET /health", &wrong, 200),
        (&operators, "POST /admin/nothing", &known, 404),
        (&operators, "PUT /admin/policies/nothing/code", &known, 404),
        (&operators, "POST /admin/routes/main/promote", &known, 400),
        (&operators, "DELETE /admin/overview", &known, 405),
    ];
    for (address, line, headers, status) in cases {
        for body_bytes in [1, 60 << 10, HUGE] {
            for is_chunked in [false, true] {
                let request = RejectedRequest { line, headers: headers.clone(), body_bytes, is_chunked };
                let (to, sent) = (address.clone(), request.clone());
                let seen = tokio::task::spawn_blocking(move || send(&to, &sent)).await.expect("no panic");
                let is_small = body_bytes <= LIMIT;
                // A body that is read is refused for its length, unless its beginning is bad already.
                let status = match seen.status {
                    413 if status == 400 && !is_small => 413,
                    _ => status,
                };
                let expected = ObservedResponse {
                    status,
                    next: is_small.then_some(if *address == operators { 404 } else { 200 }),
                };
                let what = format!("{line} with {body_bytes} bytes, chunked: {is_chunked}");
                assert_eq!(seen, expected, "{what}");
            }
        }
    }
    assert_eq!(model.requests().len(), 0);
}

#[tokio::test]
async fn a_client_that_waits_for_status_100_is_rejected_before_its_body() {
    let model = FakeModel::saying("hello there").await;
    let gateway = gateway(&model).await;
    let body = chat("main", "hi").to_string();
    let head = |key: &str| {
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n\
             expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
    };
    let refused = raw::send_and_read(&gateway, head("wrong").as_bytes()).await;
    assert!(refused.starts_with("HTTP/1.1 401 ") && refused.contains("connection: close\r\n"), "{refused}");
    // Some do not wait.
    let refused = raw::send_and_read(&gateway, format!("{}{body}", head("wrong")).as_bytes()).await;
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");

    let mut connection = raw::connect(&gateway).await;
    connection.write_all(head(KEY).as_bytes()).await.expect("the gateway reads");
    let mut answer = [0; 25];
    connection.read_exact(&mut answer).await.expect("an interim response");
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    connection.write_all(body.as_bytes()).await.expect("the gateway reads");
    connection.read_exact(&mut answer[..12]).await.expect("a response");
    assert_eq!(&answer[..12], b"HTTP/1.1 200");
}

#[tokio::test]
async fn a_pipelined_request_after_a_rejected_one_is_served() {
    let model = FakeModel::saying("hello there").await;
    let gateway = gateway(&model).await;
    let body = chat("main", &"y".repeat(60 << 10)).to_string();
    let post = |key: &str| {
        let length = body.len();
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
    };
    let last = "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let sent = format!("{}{}{}{last}", post("wrong"), post("wrong"), post(KEY));
    let answers = raw::send_and_read(&gateway, sent.as_bytes()).await;
    let statuses: Vec<&str> =
        answers.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)).collect();
    assert_eq!(statuses, ["401", "401", "200", "200"], "{answers}");
}

#[tokio::test]
async fn an_oversized_head_is_rejected_with_a_response() {
    let model = FakeModel::saying("hello there").await;
    let gateway = gateway(&model).await;
    let address = raw::address(&gateway).to_owned();
    let sent = format!("GET /health HTTP/1.1\r\nhost: localhost\r\nx: {}", "y".repeat(HUGE));
    let head = tokio::task::spawn_blocking(move || {
        let mut connection = TcpStream::connect(address).expect("the gateway accepts");
        let _ = connection.write_all(sent.as_bytes());
        let _ = connection.shutdown(Shutdown::Write);
        response(&mut connection)
    });
    assert_eq!(status_of(&head.await.expect("no panic")), 431);
}

#[tokio::test]
async fn a_rejected_http2_request_does_not_affect_its_connection() {
    let model = FakeModel::saying("hello there").await;
    let gateway = gateway(&model).await;
    let stream = raw::connect(&gateway).await;
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.expect("an HTTP/2 connection");
    let connection = tokio::spawn(connection);
    for (key, text, expected) in [("wrong", HUGE, 401), (KEY, HUGE, 413), (KEY, 10, 200)] {
        let body = Bytes::from(chat("main", &"y".repeat(text)).to_string());
        let request = Request::post(gateway.url("/v1/chat/completions"))
            .header("authorization", format!("Bearer {key}"))
            .body(Full::new(body))
            .expect("a request");
        let response = sender.send_request(request).await.expect("a response");
        assert_eq!(response.status(), expected);
        response.into_body().collect().await.expect("a whole answer");
    }
    connection.abort();
}
