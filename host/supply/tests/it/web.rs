use std::time::Duration;

use pointsman_supply::{Credentials, FetchSpec, Fetcher, SupplyError};
use pointsman_tests::registry::sha256;
use pointsman_tests::{FakeModel, Gate, Step};

use super::{POLICY, fetch, fetch_error, spec_with_digest};
use crate::keys::Signer;

fn policy() -> Step {
    Step::bytes("application/wasm", POLICY)
}

/// A web server with a certificate of its own.
async fn server(script: impl Fn(&str) -> Step + Send + Sync + 'static) -> FakeModel {
    FakeModel::builder().tls().otherwise(move |request| script(&request.path)).start().await
}

fn source(server: &FakeModel) -> String {
    format!("{}/policy.wasm", server.base_url())
}

/// Specification of [`POLICY`] on a server whose certificate is trusted.
fn spec(server: &FakeModel) -> FetchSpec {
    let mut spec = spec_with_digest(&source(server), POLICY);
    spec.access.ca_pem = server.ca_pem().map(Into::into);
    spec
}

#[tokio::test]
async fn a_policy_is_fetched_over_https_only_once() {
    let server = server(|_| policy()).await;
    let (fetcher, spec) = (Fetcher::new(), spec(&server));
    assert_eq!(fetcher.cached(&spec), None);
    let fetched = fetcher.fetch(&spec).await.unwrap();
    assert_eq!((&*fetched.bytes, fetched.digest.to_string()), (POLICY, sha256(POLICY)));
    assert_eq!(fetcher.fetch(&spec).await, Ok(fetched.clone()));
    assert_eq!(fetcher.cached(&spec), Some(fetched.clone()));
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        (requests[0].path.as_str(), requests[0].header("accept-encoding")),
        ("/v1/policy.wasm", Some("identity"))
    );
    assert_eq!(requests[0].header("authorization"), None);

    fetcher.retain(&[]);
    assert_eq!(fetcher.cached(&spec), None);
    assert_eq!(fetcher.fetch(&spec).await, Ok(fetched));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused() {
    let server = server(|_| policy()).await;
    let mut spec = spec(&server);
    spec.access.ca_pem = None;
    let error = fetch_error(&spec).await;
    assert!(error.starts_with(&format!("cannot reach {}: ", source(&server))), "{error}");
    assert!(error.contains("certificate"), "{error}");
    assert!(server.requests().is_empty());
    for pem in ["", "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n"] {
        spec.access.ca_pem = Some(pem.into());
        let error = fetch_error(&spec).await;
        assert!(error.starts_with("the certificate authorities are not PEM certificates: "), "{error}");
    }
}

#[tokio::test]
async fn other_bytes_than_expected_are_refused_with_their_digest() {
    let server = server(|_| Step::bytes("application/wasm", "other")).await;
    let error = fetch_error(&spec(&server)).await;
    let (found, expected) = (sha256(b"other"), sha256(POLICY));
    assert!(error.contains(&format!("has the SHA-256 {found}, not {expected} as expected")), "{error}");
}

#[tokio::test]
async fn a_missing_policy_is_reported_with_its_status() {
    let server = server(|path| Step::status(if path.contains("policy") { 404 } else { 200 })).await;
    let error = fetch_error(&spec(&server)).await;
    let expected = format!(
        "{} responds with status 404: there is nothing by this name; was it published?",
        source(&server)
    );
    assert_eq!(error, expected);
}

#[tokio::test]
async fn an_unreachable_server_is_reported_with_its_address() {
    let mut server = server(|_| policy()).await;
    server.go_down().await;
    let error = fetch(&spec(&server)).await.unwrap_err();
    assert!(matches!(&error, SupplyError::Unreachable { at, .. } if *at == source(&server)), "{error:?}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    for length in [None, Some("1000")] {
        let server = server(move |_| {
            let step = policy().die_after(1);
            length.map_or(step.clone(), |length| step.header("content-length", length))
        })
        .await;
        let error = fetch(&spec(&server)).await.unwrap_err();
        assert!(matches!(error, SupplyError::Broken { .. }), "{error:?}");
        assert!(error.to_string().contains("broke off"), "{error}");
    }
}

#[tokio::test]
async fn an_endless_body_is_read_up_to_the_limit_and_cancelled() {
    let gate = Gate::new();
    // One byte too many, and then nothing: waiting for the end of the body would hang.
    let pieces = [vec![0; 1000], vec![0; 1], vec![0; 1]];
    let step = Step::chunks("application/wasm", pieces).wait_after(2, &gate);
    let server = server(move |_| step.clone()).await;
    let mut spec = spec(&server);
    spec.max_bytes = 1000;
    assert_eq!(fetch(&spec).await, Err(SupplyError::TooLarge { at: source(&server), limit: 1000 }));
    server.hung_up(1).await;
}

#[tokio::test]
async fn a_body_that_is_declared_too_large_is_not_read() {
    let gate = Gate::new();
    let step = Step::bytes("application/wasm", "").header("content-length", "1001").wait_after(0, &gate);
    let server = server(move |_| step.clone()).await;
    let mut spec = spec(&server);
    spec.max_bytes = 1000;
    let error = fetch_error(&spec).await;
    assert!(
        error.ends_with("has more than the 1000 bytes that are allowed; if it is meant to, raise the limit"),
        "{error}"
    );
}

#[tokio::test]
async fn a_fetch_that_takes_too_long_is_cancelled() {
    for step in [Step::hang(), Step::chunks("application/wasm", ["slow", "er"]).wait_after(1, &Gate::new())] {
        let server = server(move |_| step.clone()).await;
        let mut spec = spec(&server);
        spec.timeout = Duration::from_millis(50);
        assert_eq!(fetch_error(&spec).await, format!("{} took longer than 50ms", source(&server)));
        server.hung_up(server.requests().len()).await;
    }
}

#[tokio::test]
async fn a_redirect_to_https_is_followed_without_the_credentials() {
    let store = FakeModel::builder().tls().otherwise(|_| policy()).start().await;
    let location = format!("https://{}/store?signed=secret", store.authority());
    let (target, own) = (location.clone(), "other.wasm");
    let server = server(move |path| match path {
        "/v1/policy.wasm" => Step::status(302).header("location", own),
        _ => Step::status(307).header("location", &target),
    })
    .await;
    let mut spec = spec(&server);
    let both = format!("{}{}", server.ca_pem().unwrap(), store.ca_pem().unwrap());
    spec.access.ca_pem = Some(both.into());
    let (username, password) = ("me".to_owned(), "let-me-in".to_owned());
    spec.access.credentials = Some(Credentials { username, password });
    assert_eq!(fetch(&spec).await.unwrap().bytes, POLICY);
    let requests = server.requests();
    let basic = Some("Basic bWU6bGV0LW1lLWlu");
    assert_eq!((requests[0].header("authorization"), requests[1].header("authorization")), (basic, basic));
    assert_eq!(requests[1].path, "/v1/other.wasm");
    assert_eq!(
        (store.request(1).await.path.as_str(), store.request(1).await.header("authorization")),
        ("/store?signed=secret", None)
    );
}

#[tokio::test]
async fn a_redirect_away_from_https_is_not_followed() {
    for (location, expected) in [
        (
            "http://127.0.0.1:1/a.wasm?token=secret",
            "redirects to http://127.0.0.1:1/a.wasm, and only https:// is followed",
        ),
        ("ftp://example.com/a.wasm", "redirects to ftp://example.com/a.wasm, and only https:// is followed"),
        ("https://me:secret@localhost/a", "redirects to https://localhost/a with a user name in the address"),
        ("https://:/", "redirects to an invalid URL: "),
    ] {
        let server = server(move |_| Step::status(301).header("location", location)).await;
        let error = fetch_error(&spec(&server)).await;
        assert!(error.contains(expected) && !error.contains("secret"), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
    let server = server(|_| Step::status(301)).await;
    assert!(fetch_error(&spec(&server)).await.ends_with("redirects to nowhere"));
}

#[tokio::test]
async fn the_number_of_redirects_is_limited() {
    let server = server(|path| Step::status(302).header("location", &format!("{path}x"))).await;
    let error = fetch_error(&spec(&server)).await;
    assert!(error.ends_with("redirects more than 5 times"), "{error}");
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn plain_http_is_redirected_only_within_this_machine() {
    let server = FakeModel::builder().otherwise(|request| match request.path.as_str() {
        "/v1/policy.wasm" => Step::status(302).header("location", "/here"),
        _ => policy(),
    });
    let server = server.start().await;
    assert_eq!(fetch(&spec(&server)).await.unwrap().bytes, POLICY);
    let away = FakeModel::always(Step::status(302).header("location", "http://192.0.2.1/a.wasm")).await;
    let error = fetch_error(&spec(&away)).await;
    assert!(
        error.ends_with("redirects to http://192.0.2.1/a.wasm, and only https:// is followed"),
        "{error}"
    );
}

#[tokio::test]
async fn the_signature_on_a_web_server_is_beside_the_policy() {
    let signer = Signer::new();
    let (good, other) = (signer.sign(POLICY), Signer::new().sign(POLICY));
    for (signature, expected) in [
        (Step::bytes("text/plain", good), Ok(())),
        (
            Step::bytes("text/plain", other),
            Err("the signature was made with another key than the one that is trusted"),
        ),
        (Step::bytes("text/plain", "none"), Err("this is not a signature of minisign")),
        (
            Step::bytes("text/plain", "\u{fffd}".as_bytes()[1..].to_vec()),
            Err("this is not a signature of minisign"),
        ),
        (Step::status(404), Err("there is no signature, but one is required")),
        (Step::status(500), Err("policy.wasm.minisig responds with status 500: the server has failed")),
        (Step::huge(1 << 20), Err("policy.wasm.minisig has more than the 8192 bytes that are allowed")),
    ] {
        let server = server(move |path| match path {
            "/v1/policy.wasm" => policy(),
            "/v1/policy.wasm.minisig" => signature.clone(),
            other => panic!("{other}"),
        })
        .await;
        let mut spec = spec(&server);
        spec.public_key = Some(signer.public_key());
        let result = fetch(&spec).await.map_err(|error| error.to_string());
        match expected {
            Ok(()) => assert_eq!(result.unwrap().bytes, POLICY),
            Err(expected) => {
                let error = result.unwrap_err();
                assert!(error.contains(expected) && error.contains("policy.wasm.minisig"), "{error}");
            }
        }
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_failed_fetch_is_repeated_in_full() {
    let server = FakeModel::builder().tls().then(Step::status(503)).otherwise(|_| policy()).start().await;
    let (fetcher, spec) = (Fetcher::new(), spec(&server));
    let error = fetcher.fetch(&spec).await.unwrap_err().to_string();
    assert!(error.contains("responds with status 503: the server has failed"), "{error}");
    assert_eq!(fetcher.cached(&spec), None);
    assert_eq!(fetcher.fetch(&spec).await.unwrap().bytes, POLICY);
}
