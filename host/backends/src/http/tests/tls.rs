use pointsman_tests::Identity;

use super::*;

fn trusting(server: &FakeModel) -> HttpConfig {
    let ca_pem = server.ca_pem().map(|pem| pem.as_bytes().to_vec());
    HttpConfig { ca_pem, ..HttpConfig::new(server.base_url()) }
}

fn certificate(identity: &Identity) -> ClientCertificate {
    let Identity { certificate_pem, key_pem } = identity.clone();
    ClientCertificate { chain_pem: certificate_pem.into(), key_pem: Secret::new(key_pem) }
}

#[tokio::test]
async fn tls_is_trusted_by_the_given_authority_only() {
    let server = FakeModel::builder().tls().start().await;
    assert_eq!(call(&http_backend(trusting(&server)).unwrap()).await.unwrap().status, 200);
    assert_eq!(server.request(1).await.version, ::http::Version::HTTP_2);

    let stranger = FakeModel::builder().tls().start().await;
    let doubting = HttpConfig { base_url: server.base_url(), ..trusting(&stranger) };
    let FailureKind::Connect(reason) = failure(&http_backend(doubting).unwrap()).await else {
        panic!("the authority is a stranger")
    };
    assert!(reason.contains("certificate"), "{reason}");
}

#[tokio::test]
async fn a_listed_certificate_is_trusted_even_if_it_calls_itself_an_authority() {
    let server = FakeModel::builder().tls_as_authority().start().await;
    assert_eq!(call(&http_backend(trusting(&server)).unwrap()).await.unwrap().status, 200);

    // It is trusted for its own names only, and no other such certificate is.
    let other = FakeModel::builder().tls_as_authority().named("models.test").start().await;
    let FailureKind::Connect(reason) = failure(&http_backend(trusting(&other)).unwrap()).await else {
        panic!("the name is another")
    };
    assert!(reason.contains("models.test"), "{reason}");
    let expired = FakeModel::builder().tls_as_authority().expired().start().await;
    let FailureKind::Connect(reason) = failure(&http_backend(trusting(&expired)).unwrap()).await else {
        panic!("it is too late")
    };
    assert!(reason.contains("expired"), "{reason}");
    let stranger = FakeModel::builder().tls_as_authority().start().await;
    let config = HttpConfig { base_url: server.base_url(), ..trusting(&stranger) };
    let FailureKind::Connect(reason) = failure(&http_backend(config).unwrap()).await else {
        panic!("the authority is a stranger")
    };
    assert!(reason.contains("certificate"), "{reason}");
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_gets_to_see_it() {
    let identity = Identity::new();
    let server = FakeModel::builder().tls_for_client(&identity.certificate_pem).start().await;
    let config = HttpConfig { client_certificate: Some(certificate(&identity)), ..trusting(&server) };
    assert_eq!(call(&http_backend(config).unwrap()).await.unwrap().status, 200);

    for wrong in [None, Some(certificate(&Identity::new()))] {
        let config = HttpConfig { client_certificate: wrong, ..trusting(&server) };
        call(&http_backend(config).unwrap()).await.unwrap_err();
    }
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_client_certificate_that_cannot_be_used_is_refused_with_its_reason() {
    let identity = Identity::new();
    let reason = |certificate: ClientCertificate| {
        let config = HttpConfig { client_certificate: Some(certificate), ..HttpConfig::new("https://h/v1") };
        let error = http_backend(config).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("PRIVATE KEY"), "{error:?}");
        error.to_string()
    };
    let no_certificate = ClientCertificate { chain_pem: b"nothing".to_vec(), ..certificate(&identity) };
    assert_eq!(reason(no_certificate), "the client certificate cannot be used: no certificate found");
    for (key, why) in [
        ("", "no private key found"),
        (identity.certificate_pem.as_str(), "no private key found"),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMA==\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "it is encrypted; decrypt it with `openssl pkey`",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n",
            "it is not a key that TLS can use: RSA, ECDSA or Ed25519",
        ),
    ] {
        let key_pem = Secret::new(key);
        let expected = format!("the key of the client certificate cannot be used: {why}");
        assert_eq!(reason(ClientCertificate { key_pem, ..certificate(&identity) }), expected);
    }
    let key_pem = Secret::new(Identity::new().key_pem);
    let mismatch = reason(ClientCertificate { key_pem, ..certificate(&identity) });
    assert_eq!(mismatch, "the key does not match the client certificate");
}
