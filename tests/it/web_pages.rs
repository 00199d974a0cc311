//! Requests that pages in a browser send to a gateway on the same machine.

use pointsman_tests::client::{self, get, post_with};
use pointsman_tests::{FakeModel, Gateway, Step};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fleet::{ask, ask_with, chat, error, in_order, streamed};
use crate::raw;

/// Status of the answer to a GET with some header lines.
async fn status(base_url: &str, target: &str, headers: &str) -> u16 {
    let address = base_url.strip_prefix("http://").expect("an http address");
    let mut connection = TcpStream::connect(address).await.expect("the gateway accepts");
    let request = format!("GET {target} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n");
    // Latin-1, as bytes may come.
    let bytes: Vec<u8> = request.chars().map(|c| c as u8).collect();
    connection.write_all(&bytes).await.expect("the gateway reads");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.expect("an answer");
    answer[9..12].parse().expect("a status")
}

const FOREIGN_HOSTS: [&str; 12] = [
    "host: evil.example\r\n",
    "host: localhost.evil.example\r\n",
    "host: a{b.evil.example\r\n",
    "host: a`b.evil.example:80\r\n",
    "host: \u{e9}vil.example\r\n",
    "host: evil.example:99999999\r\n",
    "host: localhost, evil.example\r\n",
    "host: localhost\r\nhost: evil.example\r\n",
    "host: evil@localhost\r\n",
    "host: localhost.\r\n",
    "host: \r\n",
    "",
];

#[tokio::test]
async fn a_foreign_or_unreadable_host_does_not_read_what_operators_read() {
    let gateway = Gateway::start(&in_order(&[&FakeModel::saying("").await], "")).await;
    for page in ["/admin/overview", "/metrics"] {
        assert_eq!(status(&gateway.admin_url, page, "host: localhost\r\n").await, 200, "{page}");
        for headers in FOREIGN_HOSTS {
            assert_eq!(status(&gateway.admin_url, page, headers).await, 403, "{page} {headers:?}");
        }
        let absolute = format!("http://localhost{page}");
        assert_eq!(status(&gateway.admin_url, &absolute, "host: evil.example\r\n").await, 403, "{page}");
        let marked = "host: localhost\r\nsec-fetch-site: cross-site\r\nsec-fetch-mode: no-cors\r\n";
        assert_eq!(status(&gateway.admin_url, page, marked).await, 403, "{page}");
    }
}

#[tokio::test]
async fn a_web_page_does_not_call_models_where_no_key_is_needed() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let address = raw::address(&gateway);
    let body = chat("main", "hi");
    for foreign in [
        &[("origin", "https://evil.example"), ("content-type", "text/plain")][..],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
    ] {
        error(&ask_with(&gateway, foreign, &body).await, 403, "cross_origin");
        error(&post_with(&gateway.url("/v1/decisions"), foreign, &body).await, 403, "cross_origin");
    }
    for headers in FOREIGN_HOSTS {
        assert_eq!(status(&gateway.base_url, "/v1/models", headers).await, 403, "{headers:?}");
        assert_eq!(status(&gateway.base_url, "/health", headers).await, 200, "{headers:?}");
    }
    assert_eq!(model.requests().len(), 0);

    for host in [address, "localhost", "gateway:8080", "[::1]"] {
        assert_eq!(
            status(&gateway.base_url, "/v1/models", &format!("host: {host}\r\n")).await,
            200,
            "{host}"
        );
    }
    let own = [("origin", gateway.base_url.as_str()), ("sec-fetch-site", "same-origin")];
    assert_eq!(ask_with(&gateway, &own, &body).await.text(), "hello there");
}

#[tokio::test]
async fn web_pages_and_hosts_that_are_configured_may_call_models() {
    let model = FakeModel::saying("hello there").await;
    let allowed =
        "[server]\nallowed_origins = [\"https://app.example.com\"]\nallowed_hosts = [\"llm.example.com\"]\n";
    let gateway = Gateway::start(&in_order(&[&model], allowed)).await;
    let app = [("origin", "https://app.example.com"), ("sec-fetch-site", "cross-site")];
    assert_eq!(ask_with(&gateway, &app, &chat("main", "hi")).await.text(), "hello there");
    let evil = ask_with(&gateway, &[("origin", "https://evil.example")], &chat("main", "hi")).await;
    assert!(error(&evil, 403, "cross_origin").contains("server.allowed_origins"));
    assert_eq!(status(&gateway.base_url, "/v1/models", "host: llm.example.com:8080\r\n").await, 200);
    assert_eq!(status(&gateway.base_url, "/v1/models", "host: evil.example\r\n").await, 403);
}

#[tokio::test]
async fn a_backends_markup_is_never_markup_of_the_gateway() {
    let model = FakeModel::builder()
        .otherwise(|request| {
            let said = request.json()["messages"][0]["content"].to_string();
            let script = "<script>alert(1)</script>";
            match said.trim_matches('"') {
                "answer" => Step::answer(script).header("content-type", "text/html"),
                "encoded" => Step::answer(script).header("content-encoding", "gzip"),
                "json" => Step::status(400).header("content-type", "text/html"),
                "empty" => Step::bytes("text/html", "").with_status(400),
                _ => Step::bytes("text/html", script).with_status(400),
            }
        })
        .start()
        .await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    for asked in ["answer", "encoded"] {
        let answer = ask(&gateway, &chat("main", asked)).await;
        assert_eq!(answer.status, 200, "{asked}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{asked}");
        assert_eq!(answer.header("content-encoding"), None, "{asked}");
        assert_eq!(answer.text(), "<script>alert(1)</script>", "{asked}");
    }
    let passed = ask(&gateway, &chat("main", "json")).await;
    assert_eq!(passed.header("content-type"), Some("application/json"));
    assert_eq!(passed.json()["error"]["message"], "fake 400");
    for body in [chat("main", "markup"), streamed("main", "markup")] {
        let message = error(&ask(&gateway, &body).await, 400, "backend_error");
        assert_eq!(message, "the model's server answered with status 400: <script>alert(1)</script>");
    }
    let message = error(&ask(&gateway, &chat("main", "empty")).await, 400, "backend_error");
    assert_eq!(message, "the model's server answered with status 400");
}

#[tokio::test]
async fn no_answer_may_be_taken_for_another_type_than_it_says() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let mut answers = Vec::new();
    for url in ["/health", "/v1/models", "/v1/nothing", "/nothing"].map(|path| gateway.url(path)) {
        answers.push(get(&url).await);
    }
    for url in ["/", "/admin/overview", "/metrics", "/nothing"].map(|path| gateway.admin(path)) {
        answers.push(get(&url).await);
    }
    answers.push(get(&gateway.url("/v1/chat/completions")).await);
    answers.push(ask(&gateway, &chat("main", "hi")).await);
    answers.push(client::post(&gateway.url("/v1/chat/completions"), &json!("nonsense")).await);
    for answer in answers {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
    }
    let stream = client::stream(&gateway.url("/v1/chat/completions"), &streamed("main", "hi")).await;
    assert_eq!(stream.headers["x-content-type-options"], "nosniff");
    assert_eq!(stream.headers["content-type"], "text/event-stream");
}
