use pointsman_tests::Proxy;

use super::*;

fn through(proxy: &Proxy, scheme: &str, credentials: Option<&str>) -> Option<ProxyConfig> {
    let credentials = credentials.map(Secret::new);
    Some(ProxyConfig { url: Secret::new(proxy.url(scheme)), credentials })
}

#[tokio::test]
async fn a_plain_server_is_called_through_the_proxy() {
    let (server, proxy) = (FakeModel::saying("hi").await, Proxy::start().await);
    let config =
        HttpConfig { proxy: through(&proxy, "http", Some("me:pa:ss")), ..HttpConfig::new(server.base_url()) };
    assert_eq!(call(&http_backend(config).unwrap()).await.unwrap().status, 200);
    assert_eq!(server.request(1).await.path, "/v1/chat/completions");
    let head = &proxy.requests()[0].to_lowercase();
    assert!(head.starts_with(&format!("post {}/chat/completions http/1.1", server.base_url())), "{head}");
    // me:pa:ss
    assert!(head.contains(&"proxy-authorization: Basic bWU6cGE6c3M=".to_lowercase()), "{head}");
}

#[tokio::test]
async fn a_server_with_tls_is_called_through_a_tunnel_which_alone_sees_the_proxys_credentials() {
    let (server, proxy) = (FakeModel::builder().tls().start().await, Proxy::start().await);
    let config = HttpConfig {
        proxy: through(&proxy, "http", Some("me:secret")),
        ca_pem: server.ca_pem().map(|pem| pem.as_bytes().to_vec()),
        auth: Some(ProviderAuth::bearer(Secret::new("sk-1"))),
        ..HttpConfig::new(server.base_url())
    };
    assert_eq!(call(&http_backend(config).unwrap()).await.unwrap().status, 200);
    let head = &proxy.requests()[0];
    assert!(head.starts_with(&format!("CONNECT {} HTTP/1.1", server.authority())), "{head}");
    assert!(head.contains("Basic ") && !head.contains("sk-1"), "{head}");
    assert_eq!(server.request(1).await.header("proxy-authorization"), None);
    assert_eq!(server.request(1).await.header("authorization"), Some("Bearer sk-1"));
}

#[tokio::test]
async fn a_server_is_called_through_socks() {
    let (server, proxy) = (FakeModel::saying("hi").await, Proxy::start().await);
    let config = HttpConfig { proxy: through(&proxy, "socks5", None), ..HttpConfig::new(server.base_url()) };
    assert_eq!(call(&http_backend(config).unwrap()).await.unwrap().status, 200);
    assert_eq!(proxy.requests(), [format!("SOCKS5 {}", server.authority())]);
}

#[tokio::test]
async fn a_proxy_that_is_down_is_no_way_around_it() {
    let server = FakeModel::saying("hi").await;
    let url = Secret::new("http://me:secret@127.0.0.1:1");
    let proxy = Some(ProxyConfig { url, credentials: None });
    let config = HttpConfig { proxy, ..HttpConfig::new(server.base_url()) };
    assert!(!format!("{config:?}").contains("secret"));
    let failure = failure(&http_backend(config).unwrap()).await;
    assert!(matches!(failure, FailureKind::Connect(_)), "{failure}");
    assert!(!failure.to_string().contains("secret"), "{failure}");
    assert_eq!(server.requests().len(), 0);
}
