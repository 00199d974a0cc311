//! Fetching from scripted registries, which misbehave and record their requests.

use pointsman_supply::{Credentials, FetchSpec, Fetcher, SupplyError};
use pointsman_tests::registry::{MANIFEST, sha256};
use pointsman_tests::{FakeModel, Step};
use serde_json::{Value, json};

use super::{POLICY, fetch, fetch_error, spec};

fn manifest(layer: &[u8]) -> Value {
    let descriptor = |media_type: &str, digest: String, size: usize| json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": size });
    json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": descriptor("application/vnd.wasm.config.v0+json", sha256(b"{}"), 2),
        "layers": [descriptor("application/wasm", sha256(layer), layer.len())],
    })
}

fn manifest_step(manifest: &Value) -> Step {
    let text = manifest.to_string();
    let digest = format!("sha256:{}", sha256(text.as_bytes()));
    Step::bytes(MANIFEST, text).header("docker-content-digest", &digest)
}

/// A registry with these responses for a manifest and for a blob.
async fn registry(manifest: Step, blob: Step) -> FakeModel {
    FakeModel::builder()
        .otherwise(
            move |request| {
                if request.path.contains("/manifests/") { manifest.clone() } else { blob.clone() }
            },
        )
        .start()
        .await
}

fn blob() -> Step {
    Step::bytes("application/octet-stream", POLICY)
}

fn tagged(registry: &FakeModel) -> FetchSpec {
    spec(&format!("oci://{}/router:v1", registry.authority()))
}

/// Methods and paths of the requests to a server.
fn requests_of(server: &FakeModel) -> Vec<String> {
    server.requests().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
}

#[tokio::test]
async fn an_unchanged_tag_costs_one_small_request() {
    let registry = registry(manifest_step(&manifest(POLICY)), blob()).await;
    let (fetcher, spec) = (Fetcher::new(), tagged(&registry));
    for _ in 0..3 {
        assert_eq!(fetcher.fetch(&spec).await.unwrap().bytes, POLICY);
    }
    let policy = format!("GET /v2/router/blobs/sha256:{}", sha256(POLICY));
    let expected = [
        "GET /v2/router/manifests/v1",
        &policy,
        "HEAD /v2/router/manifests/v1",
        "HEAD /v2/router/manifests/v1",
    ];
    assert_eq!(requests_of(&registry), expected);
    assert!(registry.requests()[0].header("accept").unwrap().starts_with(MANIFEST));
}

#[tokio::test]
async fn a_registry_that_reports_no_digest_sends_the_manifest_again_but_not_the_policy() {
    let registry = registry(Step::bytes(MANIFEST, manifest(POLICY).to_string()), blob()).await;
    let (fetcher, spec) = (Fetcher::new(), tagged(&registry));
    for _ in 0..2 {
        assert_eq!(fetcher.fetch(&spec).await.unwrap().bytes, POLICY);
    }
    assert_eq!(requests_of(&registry)[2..], ["HEAD /v2/router/manifests/v1", "GET /v2/router/manifests/v1"]);
}

#[tokio::test]
async fn a_manifest_with_another_digest_than_requested_is_refused() {
    let registry = registry(manifest_step(&manifest(POLICY)), blob()).await;
    let other = sha256(b"other");
    let pinned = spec(&format!("oci://{}/router@sha256:{other}", registry.authority()));
    let error = fetch_error(&pinned).await;
    assert!(error.contains(&format!("not {other} as expected")), "{error}");
    assert_eq!(requests_of(&registry), [format!("GET /v2/router/manifests/sha256:{other}")]);

    let lying = format!("sha256:{other}");
    let step = Step::bytes(MANIFEST, manifest(POLICY).to_string()).header("docker-content-digest", &lying);
    let registry = self::registry(step, blob()).await;
    let error = fetch_error(&tagged(&registry)).await;
    assert!(error.contains(&format!("not {other} as expected")), "{error}");
}

#[tokio::test]
async fn a_blob_that_does_not_match_the_manifest_is_refused() {
    for (blob, expected) in [
        (Step::bytes("a/b", "\0asm and so of"), "as expected: it was replaced"),
        (Step::bytes("a/b", "short"), "as expected: it was replaced"),
        (Step::bytes("a/b", "\0asm and so on and on"), "has more than the 14 bytes that are allowed"),
        (Step::huge(1 << 20), "has more than the 14 bytes that are allowed"),
        (Step::bytes("a/b", POLICY).header("content-length", "14").die_after(0), "broke off"),
        (Step::drop_connection(), "broke off"),
        (Step::status(404), "responds with status 404"),
    ] {
        let registry = registry(manifest_step(&manifest(POLICY)), blob).await;
        let error = fetch_error(&tagged(&registry)).await;
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_malformed_manifest_is_refused() {
    for garbage in ["", "<html>", "null", "[]", "{}", r#"{"config":7}"#, "\u{0}\u{1}"] {
        let registry = registry(Step::bytes("text/html", garbage), blob()).await;
        let error = fetch(&tagged(&registry)).await.unwrap_err();
        assert!(matches!(error, SupplyError::Manifest { .. }), "{error:?}");
        assert_eq!(requests_of(&registry).len(), 1);
    }
    let deep = "[".repeat(200_000);
    let registry = registry(Step::bytes(MANIFEST, deep), blob()).await;
    let error = fetch(&tagged(&registry)).await.unwrap_err();
    assert!(matches!(error, SupplyError::Manifest { .. }), "{error:?}");
}

#[tokio::test]
async fn an_endless_manifest_is_read_only_up_to_the_limit() {
    let registry = registry(Step::huge(64 << 20), blob()).await;
    let error = fetch(&tagged(&registry)).await.unwrap_err();
    assert!(matches!(error, SupplyError::TooLarge { limit: 262_144, .. }), "{error:?}");
}

#[tokio::test]
async fn a_layer_that_is_declared_too_large_is_not_requested() {
    let mut manifest = manifest(POLICY);
    manifest["layers"][0]["size"] = u64::MAX.into();
    let registry = registry(manifest_step(&manifest), blob()).await;
    let error = fetch(&tagged(&registry)).await.unwrap_err();
    assert!(matches!(error, SupplyError::TooLarge { .. }), "{error:?}");
    assert_eq!(requests_of(&registry).len(), 1);
}

#[tokio::test]
async fn a_blob_may_be_in_a_store_elsewhere() {
    let store = FakeModel::always(blob()).await;
    let location = format!("http://{}/store/1?signed=secret", store.authority());
    let registry =
        registry(manifest_step(&manifest(POLICY)), Step::status(307).header("location", &location)).await;
    assert_eq!(fetch(&tagged(&registry)).await.unwrap().bytes, POLICY);
    assert_eq!(requests_of(&store), ["GET /store/1?signed=secret"]);
}

/// A registry that requires a token, which it issues under `/token` with this response.
async fn token_registry(realm: Option<&'static str>, token: Step) -> FakeModel {
    FakeModel::builder()
        .otherwise(move |request| {
            if request.path.starts_with("/token") {
                return token.clone();
            }
            if request.header("authorization") == Some("Bearer abc") {
                return match request.path.contains("/manifests/") {
                    true => manifest_step(&manifest(POLICY)),
                    false => blob(),
                };
            }
            let own = format!("http://{}/token", request.header("host").unwrap());
            let realm = realm.unwrap_or(&own);
            let challenge =
                format!(r#"Bearer realm="{realm}",service="the service",scope="repository:all:*""#);
            Step::status(401).header("www-authenticate", &challenge)
        })
        .start()
        .await
}

#[tokio::test]
async fn a_token_is_requested_for_this_repository_and_reused() {
    for issued in [json!({ "token": "abc" }), json!({ "access_token": "abc", "expires_in": 60 })] {
        let registry = token_registry(None, Step::json(&issued)).await;
        let (fetcher, spec) = (Fetcher::new(), tagged(&registry));
        for _ in 0..2 {
            assert_eq!(fetcher.fetch(&spec).await.unwrap().bytes, POLICY);
        }
        let policy = format!("GET /v2/router/blobs/sha256:{}", sha256(POLICY));
        let expected = [
            "GET /v2/router/manifests/v1",
            "GET /token?service=the+service&scope=repository%3Arouter%3Apull",
            "GET /v2/router/manifests/v1",
            &policy,
            "HEAD /v2/router/manifests/v1",
        ];
        assert_eq!(requests_of(&registry), expected);
        assert_eq!(registry.requests()[1].header("authorization"), None);
    }
}

#[tokio::test]
async fn credentials_are_sent_only_to_obtain_the_token() {
    let registry = token_registry(None, Step::json(&json!({ "token": "abc" }))).await;
    let mut spec = tagged(&registry);
    let (username, password) = ("me".to_owned(), "let-me-in".to_owned());
    spec.access.credentials = Some(Credentials { username, password });
    assert_eq!(fetch(&spec).await.unwrap().bytes, POLICY);
    let sent: Vec<_> = registry
        .requests()
        .iter()
        .map(|request| request.header("authorization").map(str::to_owned))
        .collect();
    let expected = [None, Some("Basic bWU6bGV0LW1lLWlu"), Some("Bearer abc"), Some("Bearer abc")];
    assert_eq!(sent.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_malformed_or_rejected_token_is_reported() {
    for (token, expected) in [
        (Step::json(&json!({ "token": "expired" })), "it requires a user name and a password or token"),
        (Step::status(401), "it requires a user name and a password or token"),
        (Step::status(403), "it requires a user name and a password or token"),
        (Step::status(500), "responds with status 500"),
        (Step::json(&json!({})), "but the response is not a token"),
        (Step::json(&json!({ "token": "a\r\nb" })), "but the response is not a token"),
        (Step::huge(1 << 20), "has more than the 65536 bytes"),
    ] {
        let registry = token_registry(None, token).await;
        let error = fetch_error(&tagged(&registry)).await;
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_token_is_not_requested_where_credentials_are_not_safe() {
    for (realm, expected) in [
        ("ftp://example.com/token", "where credentials would not be safe"),
        ("http://192.0.2.1/token", "where credentials would not be safe"),
        ("/token", "which is not a URL"),
    ] {
        let registry = token_registry(Some(realm), Step::status(500)).await;
        let error = fetch_error(&tagged(&registry)).await;
        assert!(error.contains(expected), "{error}");
        assert_eq!(requests_of(&registry).len(), 1);
    }
}

#[tokio::test]
async fn an_unknown_challenge_is_reported() {
    let step = Step::status(401).header("www-authenticate", "Negotiate");
    let registry = registry(step, blob()).await;
    let error = fetch_error(&tagged(&registry)).await;
    assert!(error.ends_with("refuses: it asks for credentials by an unknown scheme"), "{error}");
}

#[tokio::test]
async fn a_registry_on_this_machine_is_called_over_https_with_its_authority() {
    let registry = FakeModel::builder().tls().otherwise(|request| {
        if request.path.contains("/manifests/") { manifest_step(&manifest(POLICY)) } else { blob() }
    });
    let registry = registry.start().await;
    let mut spec = tagged(&registry);
    spec.access.ca_pem = registry.ca_pem().map(Into::into);
    assert_eq!(fetch(&spec).await.unwrap().bytes, POLICY);
}

/// A registry whose tag leads to an index of one image, with this response for the image.
async fn indexed(digest: String, image: Step) -> FakeModel {
    let entry = json!({ "mediaType": MANIFEST, "digest": format!("sha256:{digest}"), "size": 1 });
    let index = manifest_step(&json!({ "schemaVersion": 2, "manifests": [entry] }));
    let script = move |path: &str| match path.rsplit('/').next() {
        Some("v1") => index.clone(),
        Some(_) if path.contains("/manifests/") => image.clone(),
        _ => blob(),
    };
    FakeModel::builder().otherwise(move |request| script(&request.path)).start().await
}

#[tokio::test]
async fn an_index_leads_only_to_the_image_that_it_names() {
    let image = manifest(POLICY);
    let digest = sha256(image.to_string().as_bytes());
    let registry = indexed(digest.clone(), manifest_step(&image)).await;
    let (fetcher, spec) = (Fetcher::new(), tagged(&registry));
    for _ in 0..2 {
        assert_eq!(fetcher.fetch(&spec).await.unwrap().bytes, POLICY);
    }
    let digests = format!("/v2/router/manifests/sha256:{digest}");
    let of_image = requests_of(&registry).iter().filter(|line| line.ends_with(&digests)).count();
    assert_eq!(of_image, 1, "an unchanged index costs no further request for its image");

    let other = indexed(digest.clone(), manifest_step(&manifest(b"other"))).await;
    let error = fetch(&tagged(&other)).await.unwrap_err();
    assert!(matches!(error, SupplyError::WrongDigest { .. }), "{error:?}");

    let dangling = indexed(digest.clone(), Step::status(404)).await;
    let error = fetch_error(&tagged(&dangling)).await;
    assert!(
        error.contains(&format!("it is an index, and the registry does not have its image sha256:{digest}"))
    );

    let endless = json!({ "schemaVersion": 2, "manifests": [{ "digest": format!("sha256:{digest}") }] });
    let endless_digest = sha256(endless.to_string().as_bytes());
    let endless = indexed(endless_digest, manifest_step(&endless)).await;
    assert!(fetch_error(&tagged(&endless)).await.contains("it is an index of an index"));
}
