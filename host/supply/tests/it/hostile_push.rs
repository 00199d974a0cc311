//! Pushing to scripted registries, which misbehave and record their requests.

use std::time::Duration;

use http::Method;
use pointsman_supply::{Credentials, PushSpec, SupplyError, push};
use pointsman_tests::registry::{MANIFEST, sha256};
use pointsman_tests::{FakeModel, Request, Step};
use serde_json::json;

use super::{POLICY, artifact, push_spec};

/// A request to a registry during a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Find,
    Begin,
    Upload,
    Manifest,
    Other,
}

fn stage(request: &Request) -> Stage {
    match (&request.method, &*request.path) {
        (&Method::HEAD, path) if path.contains("/blobs/sha256:") => Stage::Find,
        (&Method::POST, path) if path.ends_with("/blobs/uploads/") => Stage::Begin,
        (&Method::PUT, path) if path.contains("digest=") => Stage::Upload,
        (&Method::PUT, path) if path.contains("/manifests/") => Stage::Manifest,
        _ => Stage::Other,
    }
}

/// The answer of a registry that behaves.
fn usual(request: &Request) -> Step {
    match stage(request) {
        Stage::Find | Stage::Other => Step::status(404),
        Stage::Begin => Step::bytes("text/plain", "")
            .with_status(202)
            .header("location", "/v2/router/blobs/uploads/1?state=a%3D%3D"),
        Stage::Upload | Stage::Manifest => Step::bytes("text/plain", "").with_status(201),
    }
}

/// Starts a registry with another answer at one stage.
async fn registry(at: Stage, step: Step) -> FakeModel {
    FakeModel::builder()
        .otherwise(move |request| if stage(request) == at { step.clone() } else { usual(request) })
        .start()
        .await
}

fn target(registry: &FakeModel) -> PushSpec {
    push_spec(&format!("{}/router:v1", registry.authority()), POLICY)
}

async fn push_error(registry: &FakeModel) -> String {
    push(&target(registry)).await.unwrap_err().to_string()
}

fn stages(registry: &FakeModel) -> Vec<Stage> {
    registry.requests().iter().map(stage).collect()
}

#[tokio::test]
async fn blobs_are_sent_before_the_manifest_and_only_if_they_are_missing() {
    let fresh = registry(Stage::Other, Step::status(404)).await;
    let pushed = push(&target(&fresh)).await.unwrap();
    use Stage::{Begin, Find, Manifest, Upload};
    assert_eq!(stages(&fresh), [Find, Begin, Upload, Find, Begin, Upload, Manifest]);
    let requests = fresh.requests();
    assert_eq!(requests[1].header("content-length"), Some("0"));
    let layer = &requests[2];
    let digest = format!("sha256%3A{}", sha256(POLICY));
    assert_eq!(layer.path, format!("/v2/router/blobs/uploads/1?state=a%3D%3D&digest={digest}"));
    assert_eq!((&*layer.body, layer.header("content-type")), (POLICY, Some("application/octet-stream")));
    let manifest = &requests[6];
    assert_eq!(
        (&*manifest.path, manifest.header("content-type")),
        ("/v2/router/manifests/v1", Some(MANIFEST))
    );
    assert_eq!(sha256(&manifest.body), pushed.manifest.to_string());
    assert_eq!(manifest.json()["config"]["digest"], format!("sha256:{}", sha256(&requests[5].body)));

    let there = FakeModel::builder().otherwise(|request| match stage(request) {
        Find => Step::bytes("a/b", "").header("docker-content-digest", &named(request)),
        _ => usual(request),
    });
    let there = there.start().await;
    assert!(!push(&target(&there)).await.unwrap().sent_policy);
    assert_eq!(stages(&there), [Find, Find, Manifest]);
}

/// Returns the digest that a path ends with.
fn named(request: &Request) -> String {
    request.path.rsplit('/').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_interrupted_upload_leaves_no_tag() {
    for (at, count) in [(Stage::Find, 1), (Stage::Begin, 2), (Stage::Upload, 3)] {
        let registry = registry(at, Step::drop_connection()).await;
        let error = push(&target(&registry)).await.unwrap_err();
        assert!(matches!(error, SupplyError::Broken { .. }), "{error:?}");
        assert_eq!(registry.requests().len(), count, "{at:?}");
    }
}

#[tokio::test]
async fn an_upload_that_is_never_answered_ends_at_its_time_limit() {
    let registry = registry(Stage::Upload, Step::hang()).await;
    let mut target = target(&registry);
    target.timeout = Duration::from_millis(200);
    let error = push(&target).await.unwrap_err().to_string();
    assert!(error.ends_with("/router:v1 took longer than 200ms"), "{error}");
    assert!(!stages(&registry).contains(&Stage::Manifest));
}

#[tokio::test]
async fn a_refusal_is_reported_with_its_remedy_and_the_registrys_words() {
    let words = |status: u16| {
        let errors = json!({ "errors": [{ "code": "DENIED", "message": "not\u{1b}[31m today" }] });
        Step::json(&errors).with_status(status)
    };
    for (at, step, expected) in [
        (Stage::Begin, words(404), "with status 404: there is no such repository; some registries need it"),
        (Stage::Begin, words(405), "it takes no uploads, as a mirror does not"),
        (Stage::Upload, words(413), "the policy is larger than the registry, or a proxy before it, accepts"),
        (Stage::Begin, words(429), "it was called too often; try again later (the registry: DENIED not"),
        (Stage::Manifest, words(500), "the server has failed; try again later"),
        (Stage::Begin, words(403), "it requires a user name and a password or token (the registry: DENIED"),
        (
            Stage::Manifest,
            words(400),
            r"it does not accept the request (the registry: DENIED not\u{1b}[31m today)",
        ),
        (Stage::Begin, Step::huge(1 << 20).with_status(400), "it does not accept the request"),
        (Stage::Begin, Step::bytes("text/html", "<html>").with_status(502), "the server has failed"),
    ] {
        let registry = registry(at, step).await;
        let error = push_error(&registry).await;
        assert!(error.contains(expected), "{error}");
        assert!(error.starts_with("http://127.0.0.1:") && error.len() < 1_000, "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_no_registry_is_reported() {
    let site = FakeModel::always(Step::bytes("text/html", "<html>welcome</html>")).await;
    let error = push_error(&site).await;
    assert!(error.contains("is not a registry that takes uploads: it answers the start"), "{error}");
    assert!(error.ends_with("is the host right?"), "{error}");
    let no_address = registry(Stage::Begin, Step::bytes("a/b", "").with_status(202)).await;
    assert!(push_error(&no_address).await.contains("status 202 instead of 202 and an address"));
    let no_manifests = registry(Stage::Manifest, Step::bytes("a/b", "").with_status(204)).await;
    assert!(push_error(&no_manifests).await.contains("it answers a manifest with status 204 instead of 201"));
}

#[tokio::test]
async fn a_manifest_that_was_stored_as_another_is_reported() {
    let other = format!("sha256:{}", sha256(b"other"));
    let step = Step::bytes("a/b", "").with_status(201).header("docker-content-digest", &other);
    let error = push(&target(&registry(Stage::Manifest, step).await)).await.unwrap_err();
    assert!(matches!(error, SupplyError::WrongDigest { .. }), "{error:?}");
}

#[tokio::test]
async fn a_policy_is_sent_only_to_safe_addresses() {
    for (location, expected) in [
        ("http://192.0.2.1/upload", "only https:// is followed"),
        ("ftp://127.0.0.1/upload", "only https:// is followed"),
        ("https://me:secret@127.0.0.1/upload", "with a user name in the address"),
        ("http://[", "to an invalid URL"),
    ] {
        let step = Step::bytes("a/b", "").with_status(202).header("location", location);
        let registry = registry(Stage::Begin, step).await;
        let error = push_error(&registry).await;
        assert!(error.contains(expected) && !error.contains("secret"), "{error}");
        assert_eq!(stages(&registry), [Stage::Find, Stage::Begin]);
    }
}

#[tokio::test]
async fn redirects_that_would_lose_the_policy_are_not_followed() {
    for status in [301, 302, 303] {
        let step = Step::status(status).header("location", "/elsewhere");
        let registry = registry(Stage::Upload, step).await;
        let error = push_error(&registry).await;
        assert!(error.contains(&format!("redirects an upload with status {status}")), "{error}");
    }
    let moved = FakeModel::builder().otherwise(|request| match stage(request) {
        Stage::Upload if !request.path.starts_with("/store") => {
            Step::status(307).header("location", "/store?digest=1")
        }
        _ => usual(request),
    });
    let moved = moved.start().await;
    push(&target(&moved)).await.unwrap();
    let bodies = moved.requests().iter().filter(|request| request.path.starts_with("/store")).count();
    assert_eq!(bodies, 2);
}

/// A registry that requires a token, which it issues under `/token`, and whose blobs are stored by
/// another server.
async fn token_registry(store: String) -> FakeModel {
    FakeModel::builder()
        .otherwise(move |request| {
            if request.path.starts_with("/token") {
                return Step::json(&json!({ "token": "abc" }));
            }
            if request.header("authorization") != Some("Bearer abc") {
                let realm = format!("http://{}/token", request.header("host").unwrap());
                let challenge = format!(r#"Bearer realm="{realm}",service="s",scope="repository:all:*""#);
                return Step::status(401).header("www-authenticate", &challenge);
            }
            match stage(request) {
                Stage::Begin => Step::bytes("a/b", "")
                    .with_status(202)
                    .header("location", &format!("http://{store}/store/1")),
                _ => usual(request),
            }
        })
        .start()
        .await
}

#[tokio::test]
async fn a_token_to_write_is_requested_once_and_sent_only_to_the_registry() {
    let store = FakeModel::always(Step::bytes("a/b", "").with_status(201)).await;
    let registry = token_registry(store.authority()).await;
    let mut target = target(&registry);
    let (username, password) = ("me".to_owned(), "let-me-in".to_owned());
    target.access.credentials = Some(Credentials { username, password });
    push(&target).await.unwrap();

    let requests = registry.requests();
    let tokens: Vec<_> = requests.iter().filter(|request| request.path.starts_with("/token")).collect();
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0].path, "/token?service=s&scope=repository%3Arouter%3Apull%2Cpush");
    assert_eq!(tokens[0].header("authorization"), Some("Basic bWU6bGV0LW1lLWlu"));
    let others = requests.iter().filter(|request| !request.path.starts_with("/token"));
    for request in others.skip(1) {
        assert_eq!(request.header("authorization"), Some("Bearer abc"), "{}", request.path);
    }
    assert_eq!(store.requests().len(), 2);
    assert!(store.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[tokio::test]
async fn a_token_that_does_not_allow_to_write_is_reported() {
    let reader = FakeModel::builder().otherwise(|request| match stage(request) {
        Stage::Other => Step::json(&json!({ "token": "abc" })),
        _ => {
            let realm = format!("http://{}/token", request.header("host").unwrap());
            Step::status(401).header("www-authenticate", &format!(r#"Bearer realm="{realm}""#))
        }
    });
    let reader = reader.start().await;
    let mut target = target(&reader);
    target.access.credentials =
        Some(Credentials { username: "me".to_owned(), password: "let-me-in".to_owned() });
    let error = push(&target).await.unwrap_err().to_string();
    assert!(error.contains("of `me` are wrong, or do not allow to write to `router`"), "{error}");
}

#[tokio::test]
async fn an_annotation_of_any_text_is_sent_as_it_is() {
    let registry = registry(Stage::Other, Step::status(404)).await;
    let mut target = target(&registry);
    let text = "several\nlines, \"quotes\" and ✓";
    target.artifact = artifact(POLICY);
    target.artifact.annotations.insert("org.opencontainers.image.description".to_owned(), text.to_owned());
    push(&target).await.unwrap();
    let manifest = registry.requests().last().unwrap().json();
    assert_eq!(manifest["annotations"]["org.opencontainers.image.description"], text);
}
