use super::*;

/// Starts a server that redirects with this status to `location`.
async fn redirecting(status: u16, location: &'static str) -> FakeModel {
    FakeModel::builder()
        .otherwise(move |request| match request.path.as_str() {
            "/v1/chat/completions" => Step::status(status).header("location", location),
            _ => Step::answer("hi"),
        })
        .start()
        .await
}

#[tokio::test]
async fn a_redirect_to_the_same_server_is_followed_with_method_body_and_key() {
    for status in [307, 308] {
        for location in ["/v1/chat/completions/", "completions/", "?x=1", "/elsewhere#here"] {
            let server = redirecting(status, location).await;
            let mut config = HttpConfig::new(server.base_url());
            config.auth = Some(ProviderAuth::bearer(Secret::new("sk-1")));
            assert_eq!(call(&http_backend(config).unwrap()).await.unwrap().status, 200, "{location}");
            let (first, second) = (server.request(1).await, server.request(2).await);
            assert_ne!(first.path, second.path);
            assert_eq!(
                (second.method.as_str(), second.header("authorization")),
                ("POST", Some("Bearer sk-1"))
            );
            assert_eq!((&first.body, first.headers), (&second.body, second.headers));
        }
    }
}

#[tokio::test]
async fn an_absolute_redirect_to_the_same_server_is_followed_over_tls_alike() {
    let builder = FakeModel::builder().tls();
    let server = builder
        .otherwise(|request| {
            let host = request.header("host").map(str::to_owned);
            let host = host.unwrap_or_default();
            match request.path.ends_with('/') {
                true => Step::answer("hi"),
                false => Step::status(308)
                    .header("location", &format!("{}/", request.path))
                    .header("x-request-id", &host),
            }
        })
        .start()
        .await;
    let ca_pem = server.ca_pem().map(|pem| pem.as_bytes().to_vec());
    let backend = http_backend(HttpConfig { ca_pem, ..HttpConfig::new(server.base_url()) }).unwrap();
    assert_eq!(call(&backend).await.unwrap().status, 200);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_redirect_to_another_server_is_not_followed() {
    let other = FakeModel::saying("hi").await;
    let elsewhere: &'static str = format!("{}/x", other.base_url()).leak();
    for location in [elsewhere, "https://127.0.0.1/x", "//127.0.0.1:1/x", "http://", "\u{1}"] {
        let Ok(_) = HeaderValue::from_str(location) else { continue };
        let server = redirecting(307, location).await;
        assert_eq!(call(&backend(&server)).await.unwrap().status, 307, "{location}");
        assert_eq!(server.requests().len(), 1, "{location}");
    }
    assert_eq!(other.requests().len(), 0);
}

#[tokio::test]
async fn a_redirect_that_may_change_the_method_or_never_ends_is_not_followed() {
    for status in [300, 301, 302, 303, 304] {
        let server = redirecting(status, "/v1/x").await;
        assert_eq!(call(&backend(&server)).await.unwrap().status, status);
        assert_eq!(server.requests().len(), 1);
    }
    let server = redirecting(307, "/v1/chat/completions").await;
    assert_eq!(call(&backend(&server)).await.unwrap().status, 307);
    assert_eq!(server.requests().len(), 4);
    let server = FakeModel::always(Step::status(307)).await;
    assert_eq!(call(&backend(&server)).await.unwrap().status, 307);
}
