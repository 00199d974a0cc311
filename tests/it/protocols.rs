//! HTTP/2 and TLS on both sides of the gateway.

use bytes::Bytes;
use http::{Method, Request, Version};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pointsman_tests::{FakeModel, Gate, Gateway, Step};
use serde_json::Value;

use crate::fleet::{ask, backend, chat, in_order, model};
use crate::raw;

#[tokio::test]
async fn a_client_may_start_with_http_2_and_send_two_requests_at_once() {
    let gate = Gate::new();
    let upstream = FakeModel::builder()
        .then(Step::answer("the first").after(&gate))
        .then(Step::answer("the second"))
        .start()
        .await;
    let gateway = Gateway::start(&in_order(&[&upstream], "")).await;
    let stream = raw::connect(&gateway).await;
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("an HTTP/2 connection");
    let connection = tokio::spawn(connection);
    let request = || {
        let body = Full::new(Bytes::from(chat("main", "hi").to_string()));
        let to = gateway.url("/v1/chat/completions");
        Request::builder().method(Method::POST).uri(to).body(body).expect("a valid request")
    };
    let first = tokio::spawn(sender.clone().send_request(request()));
    gate.reached().await;
    let second = sender.clone().send_request(request()).await.expect("an answer");
    assert_eq!(second.version(), Version::HTTP_2);
    assert_eq!(content(second).await, "the second");
    gate.open();
    let first = first.await.expect("the task ends").expect("an answer");
    assert_eq!(content(first).await, "the first");
    drop(sender);
    connection.await.expect("the task ends").expect("the connection closes in good order");
}

async fn content(response: http::Response<hyper::body::Incoming>) -> String {
    let body = response.into_body().collect().await.expect("a whole body").to_bytes();
    let answer: Value = serde_json::from_slice(&body).expect("the answer is JSON");
    answer["choices"][0]["message"]["content"].as_str().expect("a chat completion").to_owned()
}

#[tokio::test]
async fn a_backend_can_be_called_over_http_2_without_tls() {
    let upstream = FakeModel::saying("hello there").await;
    let config = in_order(&[], "") + &backend("a", &upstream, "http2 = true") + &model("a/chat", 1, "");
    let gateway = Gateway::start(&config).await;
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "hello there");
    assert_eq!(upstream.request(1).await.version, Version::HTTP_2);
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "hello there");
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_backend_with_tls_is_verified_with_its_configured_authority() {
    let upstream = FakeModel::builder().tls().start().await;
    let config = |authority: &str| {
        in_order(&[], "max_attempts = 1\n") + &backend("a", &upstream, authority) + &model("a/chat", 1, "")
    };
    // No authority of the system vouches for it.
    let gateway = Gateway::start(&config("")).await;
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.status, 502);
    assert_eq!(upstream.requests().len(), 0);

    let ca = gateway.directory().join("ca.pem");
    std::fs::write(&ca, upstream.ca_pem().expect("it speaks TLS")).expect("the file can be written");
    std::fs::write(gateway.config(), config("ca_file = \"ca.pem\"")).expect("the config can be written");
    crate::fleet::reload(&gateway).await;
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "hello there");
    assert_eq!(upstream.request(1).await.version, Version::HTTP_2, "negotiated");
}
