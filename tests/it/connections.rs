//! Limits of connections, and time limits of silent clients.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use pointsman_tests::client::{get, get_with};
use pointsman_tests::{FakeModel, Gate, Gateway, Step};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::fleet::{ask, ask_with, chat, error, in_order};
use crate::raw;
use crate::raw::h2;

const READY: &[u8] = b"GET /ready HTTP/1.1\r\nhost: gateway\r\n\r\n";

/// Checks readiness on a connection that stays open.
async fn is_ready(connection: &mut TcpStream) {
    const END: &[u8] = b"ready\n";
    connection.write_all(READY).await.expect("the gateway reads");
    let mut answer = Vec::new();
    while !answer.ends_with(END) {
        assert_ne!(connection.read_buf(&mut answer).await.expect("an answer"), 0, "the connection is kept");
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

/// Returns a chat request that ends its connection.
fn whole_request(more: &str) -> Vec<u8> {
    let body = chat("main", "hi").to_string();
    format!("{}{more}content-length: {}\r\n\r\n{body}", raw::head(), body.len()).into_bytes()
}

/// Reads until the gateway closes the connection.
async fn read_to_end(mut connection: TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).await.expect("the gateway closes in good order");
    rest
}

/// Connects from an address of this machine.
async fn connect_from(gateway: &Gateway, source: [u8; 4]) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((source, 0).into()).expect("an address of this machine");
    let address: SocketAddr = raw::address(gateway).parse().expect("an address");
    socket.connect(address).await.expect("the gateway accepts")
}

#[tokio::test]
async fn a_connection_beyond_the_limit_waits_until_a_busy_one_ends() {
    let gate = Gate::new();
    let model = FakeModel::always(Step::answer("hello there").after(&gate)).await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nmax_connections = 1\n")).await;
    let mut connections = Vec::new();
    for _ in 0..2 {
        let mut connection = raw::connect(&gateway).await;
        connection.write_all(&whole_request("")).await.expect("the kernel takes it");
        connections.push(connection);
    }
    gate.reached().await;
    for _ in 0..20 {
        get(&gateway.admin("/admin/models")).await;
    }
    assert_eq!(model.requests().len(), 1, "the second has no place yet");

    gate.open();
    for connection in connections {
        let answer = String::from_utf8(read_to_end(connection).await).expect("text");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("hello there"), "{answer}");
    }
}

#[tokio::test]
async fn idle_connections_are_closed_when_all_slots_are_taken() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nmax_connections = 3\n")).await;
    let (mut used, silent) = (raw::connect(&gateway).await, raw::connect(&gateway).await);
    let mut prefaced = raw::connect(&gateway).await;
    is_ready(&mut used).await;
    prefaced.write_all(&[h2::PREFACE, &h2::settings(&[])].concat()).await.expect("the gateway reads");
    for _ in 0..3 {
        assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "hello there");
    }
    drop((used, silent, prefaced));
}

#[tokio::test]
async fn idle_admin_connections_are_closed_when_all_slots_are_taken() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nmax_connections = 1\n")).await;
    let address = gateway.admin_url.strip_prefix("http://").expect("an http address");
    let silent = TcpStream::connect(address).await.expect("the gateway accepts");
    assert_eq!(get(&gateway.admin("/admin/models")).await.status, 200);
    drop(silent);
}

#[tokio::test]
async fn a_client_with_an_incomplete_head_is_cut_off_after_the_timeout() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nheader_timeout = \"50ms\"\n")).await;
    let half = raw::head();
    for sent in [half.as_str(), "PRI * HTTP/2.0\r\n", ""] {
        assert_eq!(raw::send_and_read(&gateway, sent.as_bytes()).await, "", "{sent:?}");
    }
    let mut used = raw::connect(&gateway).await;
    is_ready(&mut used).await;
    used.write_all(half.as_bytes()).await.expect("the gateway reads");
    assert_eq!(read_to_end(used).await, b"", "a further head has to arrive in time, too");
}

#[tokio::test]
async fn an_http2_client_with_an_incomplete_head_gets_an_error_and_is_cut_off() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nheader_timeout = \"50ms\"\n")).await;
    let begun = [h2::PREFACE, &h2::settings(&[])].concat();
    for sent in [
        begun.clone(),
        [&begun[..], &h2::frame(h2::HEADERS, 0, 1, &[0x82])].concat(),
        [&begun[..], &h2::frame(h2::PING, 0, 0, b"pingping")].concat(),
    ] {
        let mut connection = raw::connect(&gateway).await;
        connection.write_all(&sent).await.expect("the gateway reads");
        let frames = h2::frame_types(&read_to_end(connection).await);
        assert!(frames.contains(&h2::GOAWAY), "{frames:?}");
    }
}

#[tokio::test]
async fn a_connection_may_be_idle_for_longer_than_a_head_may_take() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nheader_timeout = \"50ms\"\n")).await;
    let mut kept = raw::connect(&gateway).await;
    is_ready(&mut kept).await;
    // A silent connection that began later has run out of its time by then.
    assert_eq!(raw::send_and_read(&gateway, b"").await, "");
    is_ready(&mut kept).await;
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_cleanly_after_the_idle_timeout() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nidle_timeout = \"100ms\"\n")).await;
    let mut first = raw::connect(&gateway).await;
    is_ready(&mut first).await;
    assert_eq!(read_to_end(first).await, b"");

    let stream = raw::connect(&gateway).await;
    let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_millis(5))
        .keep_alive_while_idle(true)
        .handshake(TokioIo::new(stream))
        .await
        .expect("an HTTP/2 connection");
    let connection = tokio::spawn(connection);
    let request = Request::get(gateway.url("/ready")).body(Empty::<Bytes>::new()).expect("a request");
    let response = sender.send_request(request).await.expect("an answer");
    assert_eq!((response.version(), response.status().as_u16()), (Version::HTTP_2, 200));
    response.into_body().collect().await.expect("a whole answer");
    connection.await.expect("no panic").expect("pings do not keep it, and it ends in good order");
}

#[tokio::test]
async fn a_client_that_reads_no_answer_is_cut_off_after_the_idle_timeout() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nidle_timeout = \"100ms\"\n")).await;
    let mut connection = raw::connect(&gateway).await;
    let no_window = h2::settings(&[(h2::INITIAL_WINDOW_SIZE, 0)]);
    let sent = [h2::PREFACE, &no_window, &h2::get(1, "/ready"), &h2::get(3, "/v1/models")].concat();
    connection.write_all(&sent).await.expect("the gateway reads");
    let frames = h2::frame_types(&read_to_end(connection).await);
    assert_eq!(frames.iter().filter(|kind| **kind == h2::HEADERS).count(), 2, "{frames:?}");
    assert!(!frames.contains(&h2::DATA) && frames.contains(&h2::GOAWAY), "{frames:?}");
}

#[tokio::test]
async fn an_http2_connection_has_a_limit_of_concurrent_requests() {
    let model = FakeModel::saying("hello there").await;
    for (more, most) in [("", 64_u32), ("[server]\nmax_concurrent_streams = 7\n", 7)] {
        let gateway = Gateway::start(&in_order(&[&model], more)).await;
        let mut connection = raw::connect(&gateway).await;
        connection.write_all(&[h2::PREFACE, &h2::settings(&[])].concat()).await.expect("the gateway reads");
        let mut head = [0; 9];
        connection.read_exact(&mut head).await.expect("a frame");
        assert_eq!(head[3], h2::SETTINGS);
        let mut settings = vec![0; usize::from(head[2])];
        connection.read_exact(&mut settings).await.expect("its payload");
        let streams = [&[0, 3][..], &most.to_be_bytes()].concat();
        assert!(settings.chunks(6).any(|setting| setting == streams), "{settings:?}");
    }
}

#[tokio::test]
async fn an_answer_may_take_longer_than_the_head_of_its_request() {
    let gate = Gate::new();
    let model = FakeModel::always(Step::answer("late").after(&gate)).await;
    let limits = "[server]\nheader_timeout = \"50ms\"\nidle_timeout = \"50ms\"\n";
    let gateway = Gateway::start(&in_order(&[&model], limits)).await;
    let body = chat("main", "hi");
    // A silent connection that began later has run out of its time by then.
    let meanwhile = async {
        gate.reached().await;
        assert_eq!(raw::send_and_read(&gateway, b"").await, "");
        gate.open();
    };
    let (answer, ()) = tokio::join!(ask(&gateway, &body), meanwhile);
    assert_eq!(answer.text(), "late");
}

#[tokio::test]
async fn an_address_at_its_connection_limit_is_rejected_and_others_are_not() {
    let gate = Gate::new();
    let model = FakeModel::always(Step::answer("hello there").after(&gate)).await;
    let limit = "[server]\nmax_connections_per_peer = 1\n";
    let gateway = Gateway::start(&in_order(&[&model], limit)).await;
    let mut busy = connect_from(&gateway, [127, 0, 0, 1]).await;
    busy.write_all(&whole_request("")).await.expect("the gateway reads");
    gate.reached().await;

    let refused = read_to_end(connect_from(&gateway, [127, 0, 0, 1]).await).await;
    let refused = String::from_utf8(refused).expect("text");
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("too_many_connections"), "{refused}");
    // Who is no trusted proxy is not believed.
    let mut liar = connect_from(&gateway, [127, 0, 0, 1]).await;
    let lie = whole_request("x-forwarded-for: 203.0.113.7\r\n");
    let _ = liar.write_all(&lie).await;
    let mut answer = Vec::new();
    let _ = liar.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    gateway.logged("max_connections_per_peer").await;

    is_ready(&mut connect_from(&gateway, [127, 0, 0, 2]).await).await;
    gate.open();
    assert!(read_to_end(busy).await.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn clients_behind_a_trusted_proxy_are_distinguished_by_the_proxy_protocol() {
    let gate = Gate::new();
    let model = FakeModel::always(Step::answer("hello there").after(&gate)).await;
    let limit = "[server]\nmax_connections_per_peer = 1\ntrusted_proxies = [\"127.0.0.1\"]\n";
    let gateway = Gateway::start(&in_order(&[&model], limit)).await;
    let v2 = |last: u8| {
        let addresses = [203, 0, 113, last, 127, 0, 0, 1, 0x12, 0x34, 0, 80];
        [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..], &addresses].concat()
    };
    let v1 = |last: u8| format!("PROXY TCP4 203.0.113.{last} 127.0.0.1 4660 80\r\n").into_bytes();
    let mut busy = raw::connect(&gateway).await;
    busy.write_all(&[v2(1), whole_request("")].concat()).await.expect("the gateway reads");
    gate.reached().await;
    for (header, is_taken) in
        [(v2(1), false), (v1(1), false), (v2(2), true), (v1(3), true), (Vec::new(), true)]
    {
        let mut connection = raw::connect(&gateway).await;
        let _ = connection.write_all(&[&header, READY].concat()).await;
        let mut status = [0; 12];
        connection.read_exact(&mut status).await.expect("an answer");
        let expected = if is_taken { b"HTTP/1.1 200" } else { b"HTTP/1.1 503" };
        assert_eq!(&status, expected, "{}", header.escape_ascii());
    }
    let mut stranger = connect_from(&gateway, [127, 0, 0, 2]).await;
    stranger.write_all(&[v2(2), READY.to_vec()].concat()).await.expect("the gateway reads");
    let mut answer = Vec::new();
    let _ = stranger.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    gate.open();
    assert!(read_to_end(busy).await.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn clients_behind_a_trusted_proxy_are_distinguished_by_the_forwarded_address() {
    let gate = Gate::new();
    let model = FakeModel::always(Step::answer("hello there").after(&gate)).await;
    let limit = "[server]\nmax_connections_per_peer = 1\ntrusted_proxies = [\"127.0.0.0/8\"]\n";
    let gateway = Gateway::start(&in_order(&[&model], limit)).await;
    let body = chat("main", "hi");
    let busy_headers = [("x-forwarded-for", "198.51.100.9, 203.0.113.1")];
    let meanwhile = async {
        gate.reached().await;
        let from = async |client| get_with(&gateway.url("/v1/models"), &[("x-forwarded-for", client)]).await;
        for client in ["203.0.113.1", "203.0.113.2, 203.0.113.1, 127.0.0.9"] {
            let refused = from(client).await;
            error(&refused, 503, "too_many_connections");
            assert_eq!(refused.header("retry-after"), Some("1"));
        }
        for client in ["203.0.113.2", "203.0.113.1, 203.0.113.2", "198.51.100.9", "127.0.0.9", "nonsense"] {
            assert_eq!(from(client).await.status, 200, "{client}");
        }
        gate.open();
    };
    let (answer, ()) = tokio::join!(ask_with(&gateway, &busy_headers, &body), meanwhile);
    assert_eq!(answer.text(), "hello there");
    let again = ask_with(&gateway, &busy_headers, &body).await;
    assert_eq!(again.status, 200, "its place is free again");
}
