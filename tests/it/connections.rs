//! How many connections are taken, and how long a client may be silent on one.

use pointsman_tests::{FakeModel, Gate, Gateway, Step};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fleet::{ask, chat, in_order};
use crate::raw;

/// Asks whether the gateway is ready on a connection that is kept.
async fn ready(connection: &mut TcpStream) {
    const END: &[u8] = b"ready\n";
    connection.write_all(b"GET /ready HTTP/1.1\r\nhost: gateway\r\n\r\n").await.expect("the gateway reads");
    let mut answer = Vec::new();
    while !answer.ends_with(END) {
        assert_ne!(connection.read_buf(&mut answer).await.expect("an answer"), 0, "the connection is kept");
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn a_connection_beyond_the_limit_waits_until_another_is_closed() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nmax_connections = 1\n")).await;
    let mut first = raw::connect(&gateway).await;
    ready(&mut first).await;
    let mut second = raw::connect(&gateway).await;
    let body = chat("main", "hi").to_string();
    let request = format!("{}content-length: {}\r\n\r\n{body}", raw::head(), body.len());
    second.write_all(request.as_bytes()).await.expect("the kernel takes it");
    for _ in 0..20 {
        ready(&mut first).await;
    }
    assert_eq!(model.requests().len(), 0, "the second has no place yet");

    drop(first);
    let mut answer = String::new();
    second.read_to_string(&mut answer).await.expect("the gateway closes in good order");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("hello there"), "{answer}");
}

#[tokio::test]
async fn a_client_that_does_not_send_a_whole_head_in_time_is_cut_off() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nheader_timeout = \"50ms\"\n")).await;
    let half = raw::head();
    for sent in [half.as_str(), "PRI * HTTP/2.0\r\n", ""] {
        assert_eq!(raw::exchange(&gateway, sent.as_bytes()).await, "", "{sent:?}");
    }
}

#[tokio::test]
async fn an_answer_may_take_longer_than_the_head_of_its_request() {
    let gate = Gate::new();
    let model = FakeModel::always(Step::answer("late").after(&gate)).await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nheader_timeout = \"50ms\"\n")).await;
    let body = chat("main", "hi");
    // A silent connection that began later has run out of its time by then.
    let meanwhile = async {
        gate.reached().await;
        assert_eq!(raw::exchange(&gateway, b"").await, "");
        gate.open();
    };
    let (answer, ()) = tokio::join!(ask(&gateway, &body), meanwhile);
    assert_eq!(answer.text(), "late");
}
