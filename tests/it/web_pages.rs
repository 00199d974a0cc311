//! Requests of web pages in a browser to a gateway on the same machine.

use bytes::Bytes;
use http::Method;
use pointsman_tests::client::{self, call, get, get_with, post_with};
use pointsman_tests::{FakeModel, Gateway, Step};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fleet::{ask, ask_with, built_in, chat, error, in_order, streamed};
use crate::raw;

/// Returns the status of a GET with further header lines.
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
async fn a_request_with_a_foreign_or_invalid_host_does_not_reach_the_admin_api() {
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
async fn a_web_page_cannot_call_models_without_a_key() {
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
async fn configured_origins_and_hosts_may_call_models() {
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
async fn markup_of_a_backend_is_never_served_as_markup() {
    let model = FakeModel::builder()
        .otherwise(|request| {
            let said = request.json()["messages"][0]["content"].to_string();
            let script = "<script>alert(1)</script>";
            match said.trim_matches('"') {
                "answer" => Step::answer(script).header("content-type", "text/html"),
                "json" => Step::status(400).header("content-type", "text/html"),
                "empty" => Step::bytes("text/html", "").with_status(400),
                _ => Step::bytes("text/html", script).with_status(400),
            }
        })
        .start()
        .await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let answer = ask(&gateway, &chat("main", "answer")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.text(), "<script>alert(1)</script>");
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
async fn no_response_can_be_sniffed_as_another_type() {
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

const PREFLIGHT: [(&str, &str); 3] = [
    ("origin", "https://app.example.com"),
    ("access-control-request-method", "POST"),
    ("access-control-request-headers", "authorization,content-type,x-stainless-os"),
];

#[tokio::test]
async fn pages_of_allowed_origins_read_answers_errors_and_streams() {
    let model = FakeModel::saying("hello there").await;
    let hash: String = Sha256::digest("pm-page").iter().map(|byte| format!("{byte:02x}")).collect();
    let keys = format!("[keys.page]\nhash = \"sha256:{hash}\"\n");
    let listed = "[server]\nallowed_origins = [\"https://app.example.com\"]\n";
    let all = "[server]\nallowed_origins = [\"*\"]\n";
    let cases = [
        (listed, "", "https://app.example.com"),
        (listed, &keys, "https://app.example.com"),
        (all, &keys, "*"),
    ];
    for (server, keys, expected) in cases {
        let gateway = Gateway::start(&in_order(&[&model], &format!("{server}{keys}"))).await;
        let url = gateway.url("/v1/chat/completions");
        let preflight = call(Method::OPTIONS, &url, &PREFLIGHT, "").await;
        assert_eq!(preflight.status, 204);
        assert_eq!(preflight.header("access-control-allow-origin"), Some(expected));
        assert_eq!(preflight.header("access-control-allow-headers"), Some(PREFLIGHT[2].1));
        assert_eq!(preflight.header("access-control-allow-methods"), Some("GET, POST"));
        assert!(preflight.header("access-control-max-age").is_some());

        let sent = [("origin", "https://app.example.com"), ("authorization", "Bearer pm-page")];
        let answers = [
            post_with(&url, &sent, &chat("main", "hi")).await,
            post_with(&url, &sent, &streamed("main", "hi")).await,
            post_with(&url, &sent, &chat("missing", "hi")).await,
            post_with(&url, &sent[..1], &json!("nonsense")).await,
            post_with(&gateway.url("/v1/nothing"), &sent, &json!({})).await,
            get_with(&gateway.url("/v1/models"), &sent).await,
        ];
        let statuses = answers.each_ref().map(|answer| answer.status.as_u16());
        let without_key = if keys.is_empty() { 400 } else { 401 };
        assert_eq!(statuses, [200, 200, 404, without_key, 404, 200]);
        for answer in answers {
            assert_eq!(answer.header("access-control-allow-origin"), Some(expected), "{answer:?}");
            let exposed = answer.header("access-control-expose-headers").expect("some are");
            assert!(exposed.contains("x-pointsman-model") && exposed.contains("retry-after"), "{exposed}");
            assert_eq!(answer.header("access-control-allow-credentials"), None);
            assert_eq!(answer.header("vary"), (expected != "*").then_some("origin"));
        }
    }
}

#[tokio::test]
async fn pages_of_other_origins_get_no_cors_headers() {
    let model = FakeModel::saying("hello there").await;
    let hash: String = Sha256::digest("pm-page").iter().map(|byte| format!("{byte:02x}")).collect();
    let keys = format!("[keys.page]\nhash = \"sha256:{hash}\"\n");
    let other = "[server]\nallowed_origins = [\"https://other.example.com\"]\n";
    for (server, keys, status) in
        [("", "", 403), ("", keys.as_str(), 200), (other, "", 403), (other, &keys, 200)]
    {
        let gateway = Gateway::start(&in_order(&[&model], &format!("{server}{keys}"))).await;
        let url = gateway.url("/v1/chat/completions");
        let sent = [("origin", "https://app.example.com"), ("authorization", "Bearer pm-page")];
        let answer = post_with(&url, &sent, &chat("main", "hi")).await;
        assert_eq!(answer.status, status);
        let preflight = call(Method::OPTIONS, &url, &PREFLIGHT, "").await;
        assert_eq!(preflight.status, 204);
        for answer in [answer, preflight] {
            let names = answer.headers.keys().map(http::HeaderName::as_str);
            let cors: Vec<&str> = names.filter(|name| name.starts_with("access-control-")).collect();
            assert_eq!(cors, [""; 0], "{answer:?}");
        }
    }
}

#[tokio::test]
async fn the_admin_api_allows_no_other_origin() {
    let model = FakeModel::saying("").await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nallowed_origins = [\"*\"]\n")).await;
    let preflight = call(Method::OPTIONS, &gateway.admin("/admin/overview"), &PREFLIGHT, "").await;
    assert_eq!((preflight.status.as_u16(), preflight.header("access-control-allow-origin")), (403, None));
}

#[tokio::test]
async fn no_cache_or_proxy_may_buffer_the_events_of_a_stream() {
    let model = FakeModel::saying("hello there").await;
    let chain = built_in("sequential", "") + "[routes.chain]\npolicy = \"sequential\"\n";
    let gateway = Gateway::start(&in_order(&[&model], &chain)).await;
    let url = gateway.url("/v1/chat/completions");
    let streams = [
        client::stream(&url, &streamed("main", "hi")).await,
        client::stream(&url, &streamed("chain", "hi")).await,
        client::send(client::request(Method::GET, &gateway.admin("/admin/events"), &[], Bytes::new())).await,
    ];
    for stream in streams {
        assert_eq!(stream.headers["content-type"], "text/event-stream");
        let caching = stream.headers["cache-control"].to_str().expect("text");
        assert!(caching.starts_with("no-cache"), "{caching}");
        assert_eq!(stream.headers["x-accel-buffering"], "no");
    }
    let whole = ask(&gateway, &chat("main", "hi")).await;
    assert_eq!((whole.header("cache-control"), whole.header("x-accel-buffering")), (None, None));
}
