use std::time::Duration;

use pointsman_supply::{Credentials, Fetcher, Order, SupplyError};
use pointsman_tests::registry::sha256;
use pointsman_tests::{FakeModel, Gate, Step};

use super::{POLICY, fetch, order_of, refusal};
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

/// An order of [`POLICY`] from a server whose certificate is trusted.
fn order(server: &FakeModel) -> Order {
    let mut order = order_of(&source(server), POLICY);
    order.ca_pem = server.ca_pem().map(Into::into);
    order
}

#[tokio::test]
async fn a_policy_comes_over_https_and_is_asked_for_once() {
    let server = server(|_| policy()).await;
    let (fetcher, order) = (Fetcher::new(), order(&server));
    assert_eq!(fetcher.kept(&order), None);
    let fetched = fetcher.fetch(&order).await.unwrap();
    assert_eq!((&*fetched.bytes, fetched.digest.to_string()), (POLICY, sha256(POLICY)));
    assert_eq!(fetcher.fetch(&order).await, Ok(fetched.clone()));
    assert_eq!(fetcher.kept(&order), Some(fetched.clone()));
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        (requests[0].path.as_str(), requests[0].header("accept-encoding")),
        ("/v1/policy.wasm", Some("identity"))
    );
    assert_eq!(requests[0].header("authorization"), None);

    fetcher.keep_only(&[]);
    assert_eq!(fetcher.kept(&order), None);
    assert_eq!(fetcher.fetch(&order).await, Ok(fetched));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let server = server(|_| policy()).await;
    let mut order = order(&server);
    order.ca_pem = None;
    let told = refusal(&order).await;
    assert!(told.starts_with(&format!("cannot reach {}: ", source(&server))), "{told}");
    assert!(told.contains("certificate"), "{told}");
    assert!(server.requests().is_empty());
    for pem in ["", "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n"] {
        order.ca_pem = Some(pem.into());
        let told = refusal(&order).await;
        assert!(told.starts_with("the certificate authorities are not PEM certificates: "), "{told}");
    }
}

#[tokio::test]
async fn other_bytes_than_expected_are_refused_with_what_they_are() {
    let server = server(|_| Step::bytes("application/wasm", "other")).await;
    let told = refusal(&order(&server)).await;
    let (found, expected) = (sha256(b"other"), sha256(POLICY));
    assert!(told.contains(&format!("has the SHA-256 {found}, not {expected} as expected")), "{told}");
}

#[tokio::test]
async fn what_is_not_there_is_told_with_its_status() {
    let server = server(|path| Step::status(if path.contains("policy") { 404 } else { 200 })).await;
    let told = refusal(&order(&server)).await;
    let expected = format!(
        "{} answers with status 404: there is nothing by this name; was it published?",
        source(&server)
    );
    assert_eq!(told, expected);
}

#[tokio::test]
async fn nobody_there_is_told_with_the_address() {
    let mut server = server(|_| policy()).await;
    server.go_down().await;
    let error = fetch(&order(&server)).await.unwrap_err();
    assert!(matches!(&error, SupplyError::Unreachable { at, .. } if *at == source(&server)), "{error:?}");
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_no_policy() {
    for length in [None, Some("1000")] {
        let server = server(move |_| {
            let step = policy().die_after(1);
            length.map_or(step.clone(), |length| step.header("content-length", length))
        })
        .await;
        let error = fetch(&order(&server)).await.unwrap_err();
        assert!(matches!(error, SupplyError::Broken { .. }), "{error:?}");
        assert!(error.to_string().contains("broke off"), "{error}");
    }
}

#[tokio::test]
async fn an_endless_body_is_read_up_to_the_limit_and_hung_up_on() {
    let gate = Gate::new();
    // One byte too many, and then nothing for ever: whoever waits for the end never comes back.
    let pieces = [vec![0; 1000], vec![0; 1], vec![0; 1]];
    let step = Step::chunks("application/wasm", pieces).wait_after(2, &gate);
    let server = server(move |_| step.clone()).await;
    let mut order = order(&server);
    order.max_bytes = 1000;
    assert_eq!(fetch(&order).await, Err(SupplyError::TooLarge { at: source(&server), limit: 1000 }));
    server.hung_up(1).await;
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_not_read() {
    let gate = Gate::new();
    let step = Step::bytes("application/wasm", "").header("content-length", "1001").wait_after(0, &gate);
    let server = server(move |_| step.clone()).await;
    let mut order = order(&server);
    order.max_bytes = 1000;
    let told = refusal(&order).await;
    assert!(
        told.ends_with("has more than the 1000 bytes that are allowed; if it is meant to, raise the limit"),
        "{told}"
    );
}

#[tokio::test]
async fn a_server_that_takes_too_long_is_given_up() {
    for step in [Step::hang(), Step::chunks("application/wasm", ["slow", "er"]).wait_after(1, &Gate::new())] {
        let server = server(move |_| step.clone()).await;
        let mut order = order(&server);
        order.timeout = Duration::from_millis(50);
        assert_eq!(refusal(&order).await, format!("{} took longer than 50ms", source(&server)));
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
    let mut order = order(&server);
    let both = format!("{}{}", server.ca_pem().unwrap(), store.ca_pem().unwrap());
    order.ca_pem = Some(both.into());
    let (username, password) = ("me".to_owned(), "let-me-in".to_owned());
    order.credentials = Some(Credentials { username, password });
    assert_eq!(fetch(&order).await.unwrap().bytes, POLICY);
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
        ("https://:/", "redirects to no address: "),
    ] {
        let server = server(move |_| Step::status(301).header("location", location)).await;
        let told = refusal(&order(&server)).await;
        assert!(told.contains(expected) && !told.contains("secret"), "{told}");
        assert_eq!(server.requests().len(), 1);
    }
    let server = server(|_| Step::status(301)).await;
    assert!(refusal(&order(&server)).await.ends_with("redirects to nowhere"));
}

#[tokio::test]
async fn redirects_come_to_an_end() {
    let server = server(|path| Step::status(302).header("location", &format!("{path}x"))).await;
    let told = refusal(&order(&server)).await;
    assert!(told.ends_with("redirects more than 5 times"), "{told}");
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn plain_http_on_this_machine_leads_nowhere_else() {
    let server = FakeModel::builder().otherwise(|request| match request.path.as_str() {
        "/v1/policy.wasm" => Step::status(302).header("location", "/here"),
        _ => policy(),
    });
    let server = server.start().await;
    assert_eq!(fetch(&order(&server)).await.unwrap().bytes, POLICY);
    let away = FakeModel::always(Step::status(302).header("location", "http://192.0.2.1/a.wasm")).await;
    let told = refusal(&order(&away)).await;
    assert!(told.ends_with("redirects to http://192.0.2.1/a.wasm, and only https:// is followed"), "{told}");
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
        (Step::bytes("text/plain", "none"), Err("the signature is not one of minisign")),
        (
            Step::bytes("text/plain", "\u{fffd}".as_bytes()[1..].to_vec()),
            Err("the signature is not one of minisign"),
        ),
        (Step::status(404), Err("there is no signature, and only signed bytes are taken")),
        (Step::status(500), Err("policy.wasm.minisig answers with status 500: it has a fault of its own")),
        (Step::huge(1 << 20), Err("policy.wasm.minisig has more than the 8192 bytes that are allowed")),
    ] {
        let server = server(move |path| match path {
            "/v1/policy.wasm" => policy(),
            "/v1/policy.wasm.minisig" => signature.clone(),
            other => panic!("{other}"),
        })
        .await;
        let mut order = order(&server);
        order.public_key = Some(signer.public_key());
        let result = fetch(&order).await.map_err(|error| error.to_string());
        match expected {
            Ok(()) => assert_eq!(result.unwrap().bytes, POLICY),
            Err(expected) => {
                let told = result.unwrap_err();
                assert!(told.contains(expected) && told.contains("policy.wasm.minisig"), "{told}");
            }
        }
        let asked = server.requests().len();
        assert_eq!(asked, 2);
    }
}

#[tokio::test]
async fn a_failed_fetch_is_tried_again_in_full() {
    let server = FakeModel::builder().tls().then(Step::status(503)).otherwise(|_| policy()).start().await;
    let (fetcher, order) = (Fetcher::new(), order(&server));
    let told = fetcher.fetch(&order).await.unwrap_err().to_string();
    assert!(told.contains("answers with status 503: it has a fault of its own"), "{told}");
    assert_eq!(fetcher.kept(&order), None);
    assert_eq!(fetcher.fetch(&order).await.unwrap().bytes, POLICY);
}
