//! Connections to backends: proxies, certificates, addresses that move, connections that close.

use std::fs;

use pointsman_tests::{FakeModel, Gateway, Identity, Proxy, Step};

use crate::fleet::{ask, backend, built_in, chat, error, in_order, model, reload, status};

/// Returns the configuration of one model at a backend with these keys.
fn config(upstream: &FakeModel, keys: &str) -> String {
    backend("a", upstream, keys) + &model("a/chat", 1, "") + &built_in("cost", "")
}

#[tokio::test]
async fn a_backend_is_called_through_the_proxy_of_the_environment_or_its_own() {
    let upstream = FakeModel::saying("hello").await;
    let (shared, own) = (Proxy::start().await, Proxy::start().await);
    let url = shared.url("http");
    let env = |exempt: &'static str| [("HTTP_PROXY", url.clone()), ("NO_PROXY", exempt.to_owned())];
    let start = async |keys: &str, exempt| {
        let env = env(exempt);
        let env = env.each_ref().map(|(name, value)| (*name, value.as_str()));
        let gateway = Gateway::start_with(&config(&upstream, keys), &env).await;
        assert_eq!(ask(&gateway, &chat("a/chat", "hi")).await.text(), "hello");
        gateway
    };
    let gateway = start("", "example.com").await;
    assert_eq!(shared.requests().len(), 1);
    gateway.logged("on this machine and is called through the proxy of `HTTP_PROXY`").await;
    start("", "localhost,127.0.0.1").await;
    start("proxy = \"none\"", "").await;
    assert_eq!((shared.requests().len(), own.requests().len()), (1, 0));
    start(&format!("proxy = \"{}\"", own.url("http")), "").await;
    assert_eq!((shared.requests().len(), own.requests().len()), (1, 1));
}

#[tokio::test]
async fn a_backend_with_tls_is_called_through_a_tunnel_with_credentials_that_nobody_sees() {
    let (upstream, proxy) = (FakeModel::builder().tls().start().await, Proxy::start().await);
    let directory = Gateway::start_embedded().await;
    let (ca, auth) = (directory.directory().join("ca.pem"), directory.directory().join("auth"));
    fs::write(&ca, upstream.ca_pem().expect("it speaks TLS")).expect("a file");
    fs::write(&auth, "me:proxy-password\n").expect("a file");
    let keys = format!(
        "ca_file = \"{}\"\nproxy = \"{}\"\nproxy_auth_file = \"{}\"",
        ca.display(),
        proxy.url("http"),
        auth.display()
    );
    let gateway = Gateway::start(&config(&upstream, &keys)).await;
    assert_eq!(ask(&gateway, &chat("a/chat", "hi")).await.text(), "hello there");
    let head = &proxy.requests()[0];
    assert!(head.starts_with(&format!("CONNECT {} ", upstream.authority())), "{head}");
    assert!(head.contains("Basic bWU6cHJveHktcGFzc3dvcmQ="), "{head}");
    assert!(!gateway.log().contains("proxy-password"));
}

#[tokio::test]
async fn a_client_certificate_is_used_and_replaced_without_a_restart() {
    let (old, new) = (Identity::new(), Identity::new());
    let upstream = FakeModel::builder().tls_for_client(&new.certificate_pem).start().await;
    let files = Gateway::start_embedded().await;
    let path = |name: &str| files.directory().join(name);
    let write = |identity: &Identity| {
        fs::write(path("client.pem"), &identity.certificate_pem).expect("a file");
        fs::write(path("client.key"), &identity.key_pem).expect("a file");
    };
    fs::write(path("ca.pem"), upstream.ca_pem().expect("it speaks TLS")).expect("a file");
    write(&old);
    let keys = format!(
        "ca_file = \"{0}/ca.pem\"\nclient_cert_file = \"{0}/client.pem\"\nclient_key_file = \"{0}/client.key\"",
        files.directory().display()
    );
    let gateway = Gateway::start(&config(&upstream, &keys)).await;
    error(&ask(&gateway, &chat("a/chat", "hi")).await, 502, "all_models_failed");
    write(&new);
    reload(&gateway).await;
    assert_eq!(ask(&gateway, &chat("a/chat", "hi")).await.text(), "hello there");

    fs::write(path("client.key"), &old.key_pem).expect("a file");
    gateway.logged("the key does not match the client certificate").await;
    assert_eq!(ask(&gateway, &chat("a/chat", "hi")).await.text(), "hello there");
}

#[tokio::test]
async fn a_redirect_elsewhere_is_reported_with_its_target_and_never_gets_the_key() {
    let other = FakeModel::saying("hello").await;
    let target = format!("{}/chat/completions", other.base_url());
    let moved = FakeModel::always(Step::status(308).header("location", &target)).await;
    let gateway = Gateway::start(&in_order(&[&moved], "")).await;
    let message = error(&ask(&gateway, &chat("main", "hi")).await, 502, "all_models_failed");
    assert!(!message.contains(&other.authority()), "{message}");
    gateway.logged(&format!("http://{}", other.authority())).await;
    assert_eq!(other.requests().len(), 0);
}

#[tokio::test]
async fn a_server_without_the_probed_endpoint_stays_in_use() {
    let upstream = FakeModel::builder()
        .otherwise(|request| match request.method.as_str() {
            "GET" => Step::status(404),
            _ => Step::says(request, "hello"),
        })
        .start()
        .await;
    let gateway = Gateway::start(&config(&upstream, "health = { interval = \"10ms\" }")).await;
    upstream.request(6).await;
    assert_eq!(status(&gateway, "a/chat").await["healthy"], true);
    gateway.logged("probe returned an unexpected status, but the server is alive").await;
    let log = gateway.log();
    assert_eq!(log.matches("probe returned an unexpected status").count(), 1, "{log}");
}

#[tokio::test]
async fn a_backend_can_need_a_query_and_its_key_in_another_header() {
    let upstream = FakeModel::saying("hello").await;
    let config = config(&upstream, "api_key_header = \"api-key\"\napi_key_env = \"THE_KEY\"")
        .replace("/v1\"", "/v1?api-version=2024-10-21\"");
    let gateway = Gateway::start_with(&config, &[("THE_KEY", "k-1")]).await;
    assert_eq!(ask(&gateway, &chat("a/chat", "hi")).await.text(), "hello");
    let request = upstream.request(1).await;
    assert_eq!(request.path, "/v1/chat/completions?api-version=2024-10-21");
    assert_eq!((request.header("api-key"), request.header("authorization")), (Some("k-1"), None));
}

#[tokio::test]
async fn a_closed_idle_connection_causes_no_client_error() {
    let upstream = FakeModel::builder()
        .then(Step::answer("1"))
        .then(Step::drop_connection())
        .then(Step::answer("2"))
        .start()
        .await;
    let gateway = Gateway::start(&config(&upstream, "")).await;
    assert_eq!(ask(&gateway, &chat("a/chat", "hi")).await.text(), "1");
    assert_eq!(ask(&gateway, &chat("a/chat", "hi")).await.text(), "2");
    assert_eq!(upstream.requests().len(), 3);
    assert_eq!(status(&gateway, "a/chat").await["error_rate"], 0.0);
}
