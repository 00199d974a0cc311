//! Start and shutdown of the gateway.

use std::net::TcpListener;
use std::path::Path;

use pointsman_tests::{FakeModel, Gate, Gateway, Step, client};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::command_line::{run, texts};
use crate::fleet::{ask, chat, in_order, open, streamed};
use crate::raw;

#[tokio::test]
async fn a_stop_completes_requests_in_flight_and_accepts_no_new_ones() {
    let gate = Gate::new();
    let model = FakeModel::always(Step::stream(&["before ", "after"]).wait_after(1, &gate)).await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let address = raw::address(&gateway).to_owned();
    let mut stream = open(&gateway, &streamed("main", "hi")).await;
    assert!(stream.event().await.is_some_and(|event| event.contains("before")));
    let mut idle = TcpStream::connect(&address).await.expect("the gateway accepts");
    idle.write_all(b"GET /ready HTTP/1.1\r\nhost: gateway\r\n\r\n").await.expect("the gateway reads");
    let mut ready = [0; 12];
    idle.read_exact(&mut ready).await.expect("an answer");
    assert_eq!(&ready, b"HTTP/1.1 200");

    gateway.signal("TERM");
    // The gateway closes idle connections when it has stopped to listen.
    idle.read_to_end(&mut Vec::new()).await.expect("the connection is closed in good order");
    assert!(TcpStream::connect(&address).await.is_err(), "new connections are refused");
    gate.open();
    assert_eq!(stream.text().await, "after");
    assert_eq!(gateway.ended().await.code(), Some(0));
}

#[tokio::test]
async fn requests_beyond_the_drain_timeout_are_cut_off() {
    let gate = Gate::new();
    let model = FakeModel::always(Step::stream(&["before ", "after"]).wait_after(1, &gate)).await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\ndrain_timeout = \"50ms\"\n")).await;
    let mut stream = open(&gateway, &streamed("main", "hi")).await;
    stream.event().await.expect("an event");
    gateway.signal("TERM");
    gateway.logged("some requests were cut off").await;
    assert!(stream.chunk().await.is_none_or(|chunk| chunk.is_err()), "nothing more comes");
    assert_eq!(gateway.ended().await.code(), Some(0));
}

#[tokio::test]
async fn an_interrupt_signal_stops_the_gateway() {
    let gateway = Gateway::start(&in_order(&[&FakeModel::saying("").await], "")).await;
    gateway.signal("INT");
    assert_eq!(gateway.ended().await.code(), Some(0));
}

#[tokio::test]
async fn without_a_configuration_it_serves_a_simulated_fleet() {
    let gateway = Gateway::start_embedded().await;
    for route in ["cost", "performance", "task", "auto"] {
        let answer = ask(&gateway, &chat(route, "Hello!")).await;
        assert_eq!(answer.status, 200, "{route}");
        assert!(answer.header("x-pointsman-model").is_some_and(|model| model.starts_with("fleet/")));
        assert!(!answer.text().is_empty());
    }
    assert_eq!(client::get(&gateway.url("/health")).await.status, 200);
}

#[test]
fn an_occupied_port_is_reported_with_the_setting_to_change() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    let address = taken.local_addr().expect("a bound listener has an address").to_string();
    for (flag, other, key) in
        [("--listen", "--admin-listen", "server"), ("--admin-listen", "--listen", "admin")]
    {
        let ended = run(&["serve", flag, &address, other, "127.0.0.1:0"]);
        let (output, errors) = texts(&ended);
        assert_eq!((ended.status.code(), output.as_str()), (Some(1), ""), "{errors}");
        assert!(errors.contains(&format!("error: cannot listen on {address}: ")), "{errors}");
        assert!(errors.contains(&format!("hint: change `{key}.listen`")), "{errors}");
    }
}

#[test]
fn all_errors_of_a_configuration_are_reported_before_anything_is_served() {
    let config = "[server]\nlisten = 1\n[routes.main]\npolicy = \"nobody\"\n[admin]\nlisten = 2\n";
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serve-bad.toml");
    std::fs::write(&path, config).expect("the config can be written");
    let ended = run(&["serve", "--config", path.to_str().expect("the path is text")]);
    let (output, errors) = texts(&ended);
    assert_eq!((ended.status.code(), output.as_str()), (Some(2), ""), "{errors}");
    assert!(errors.contains("serve-bad.toml:2:") && errors.contains("serve-bad.toml:6:"), "{errors}");
}

#[tokio::test]
async fn during_the_shutdown_delay_it_is_not_ready_and_still_serves() {
    for signal in ["TERM", "INT"] {
        let model = FakeModel::saying("hello there").await;
        let gateway = Gateway::start(&in_order(&[&model], "[server]\nshutdown_delay = \"1h\"\n")).await;
        assert_eq!(client::get(&gateway.url("/ready")).await.status, 200);
        gateway.signal(signal);
        gateway.logged("stopping in 3600000 ms").await;
        assert_eq!(client::get(&gateway.url("/ready")).await.status, 503);
        assert_eq!(client::get(&gateway.url("/health")).await.status, 200, "it is alive");
        assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "hello there");
        assert_eq!(client::get(&gateway.admin("/admin/overview")).await.status, 200);
        gateway.signal("INT");
        gateway.logged("SIGINT ended the wait").await;
        assert_eq!(gateway.ended().await.code(), Some(0));
    }
}

#[tokio::test]
async fn after_the_shutdown_delay_the_listeners_close_and_streams_finish() {
    let gate = Gate::new();
    let model = FakeModel::always(Step::stream(&["before ", "after"]).wait_after(1, &gate)).await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nshutdown_delay = \"100ms\"\n")).await;
    let address = raw::address(&gateway).to_owned();
    let mut stream = open(&gateway, &streamed("main", "hi")).await;
    assert!(stream.event().await.is_some_and(|event| event.contains("before")));
    gateway.signal("TERM");
    gateway.logged("stopping: requests in flight are finished").await;
    // Some process managers send it again.
    gateway.signal("TERM");
    // Idle connections are closed when the listener is, and new ones are refused.
    if let Ok(mut late) = TcpStream::connect(&address).await {
        let _ = late.read_to_end(&mut Vec::new()).await;
        assert!(TcpStream::connect(&address).await.is_err(), "new connections are refused");
    }
    gate.open();
    assert_eq!(stream.text().await, "after");
    assert_eq!(gateway.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_second_interrupt_ends_the_wait_for_requests_in_flight() {
    let gate = Gate::new();
    let model = FakeModel::always(Step::stream(&["before ", "after"]).wait_after(1, &gate)).await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\ndrain_timeout = \"1h\"\n")).await;
    let mut stream = open(&gateway, &streamed("main", "hi")).await;
    stream.event().await.expect("an event");
    gateway.signal("TERM");
    gateway.logged("stopping: requests in flight are finished").await;
    gateway.signal("INT");
    gateway.logged("SIGINT ended the wait").await;
    assert!(stream.chunk().await.is_none_or(|chunk| chunk.is_err()), "nothing more comes");
    assert_eq!(gateway.ended().await.code(), Some(0));
}
