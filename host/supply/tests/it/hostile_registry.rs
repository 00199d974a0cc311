//! Against scripted registries, which do what a real one would not, and which
//! tell what they were asked.

use pointsman_supply::{Credentials, Fetcher, Order, SupplyError};
use pointsman_tests::registry::{MANIFEST, sha256};
use pointsman_tests::{FakeModel, Step};
use serde_json::{Value, json};

use super::{POLICY, fetch, order, refusal};

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

/// A registry that gives these answers for a manifest and for a blob.
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

fn tagged(registry: &FakeModel) -> Order {
    order(&format!("oci://{}/router:v1", registry.authority()))
}

/// What was asked of a server: methods and paths.
fn asked(server: &FakeModel) -> Vec<String> {
    server.requests().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
}

#[tokio::test]
async fn an_unchanged_tag_costs_one_small_request() {
    let registry = registry(manifest_step(&manifest(POLICY)), blob()).await;
    let (fetcher, order) = (Fetcher::new(), tagged(&registry));
    for _ in 0..3 {
        assert_eq!(fetcher.fetch(&order).await.unwrap().bytes, POLICY);
    }
    let policy = format!("GET /v2/router/blobs/sha256:{}", sha256(POLICY));
    let expected = [
        "GET /v2/router/manifests/v1",
        &policy,
        "HEAD /v2/router/manifests/v1",
        "HEAD /v2/router/manifests/v1",
    ];
    assert_eq!(asked(&registry), expected);
    assert!(registry.requests()[0].header("accept").unwrap().starts_with(MANIFEST));
}

#[tokio::test]
async fn a_registry_that_tells_no_digest_is_asked_for_the_manifest_but_not_for_the_policy() {
    let registry = registry(Step::bytes(MANIFEST, manifest(POLICY).to_string()), blob()).await;
    let (fetcher, order) = (Fetcher::new(), tagged(&registry));
    for _ in 0..2 {
        assert_eq!(fetcher.fetch(&order).await.unwrap().bytes, POLICY);
    }
    assert_eq!(asked(&registry)[2..], ["HEAD /v2/router/manifests/v1", "GET /v2/router/manifests/v1"]);
}

#[tokio::test]
async fn a_manifest_that_is_not_the_one_that_was_asked_for_is_refused() {
    let registry = registry(manifest_step(&manifest(POLICY)), blob()).await;
    let other = sha256(b"other");
    let pinned = order(&format!("oci://{}/router@sha256:{other}", registry.authority()));
    let told = refusal(&pinned).await;
    assert!(told.contains(&format!("not {other} as expected")), "{told}");
    assert_eq!(asked(&registry), [format!("GET /v2/router/manifests/sha256:{other}")]);

    let lying = format!("sha256:{other}");
    let step = Step::bytes(MANIFEST, manifest(POLICY).to_string()).header("docker-content-digest", &lying);
    let registry = self::registry(step, blob()).await;
    let told = refusal(&tagged(&registry)).await;
    assert!(told.contains(&format!("not {other} as expected")), "{told}");
}

#[tokio::test]
async fn a_blob_that_is_not_the_one_of_the_manifest_is_refused() {
    for (blob, expected) in [
        (Step::bytes("a/b", "\0asm and so of"), "as expected: it was replaced"),
        (Step::bytes("a/b", "short"), "as expected: it was replaced"),
        (Step::bytes("a/b", "\0asm and so on and on"), "has more than the 14 bytes that are allowed"),
        (Step::huge(1 << 20), "has more than the 14 bytes that are allowed"),
        (Step::bytes("a/b", POLICY).header("content-length", "14").die_after(0), "broke off"),
        (Step::drop_connection(), "broke off"),
        (Step::status(404), "answers with status 404"),
    ] {
        let registry = registry(manifest_step(&manifest(POLICY)), blob).await;
        let told = refusal(&tagged(&registry)).await;
        assert!(told.contains(expected), "{told}");
    }
}

#[tokio::test]
async fn a_manifest_that_is_garbage_is_refused() {
    for garbage in ["", "<html>", "null", "[]", "{}", r#"{"config":7}"#, "\u{0}\u{1}"] {
        let registry = registry(Step::bytes("text/html", garbage), blob()).await;
        let error = fetch(&tagged(&registry)).await.unwrap_err();
        assert!(matches!(error, SupplyError::Manifest { .. }), "{error:?}");
        assert_eq!(asked(&registry).len(), 1);
    }
    let deep = "[".repeat(200_000);
    let registry = registry(Step::bytes(MANIFEST, deep), blob()).await;
    let error = fetch(&tagged(&registry)).await.unwrap_err();
    assert!(matches!(error, SupplyError::Manifest { .. }), "{error:?}");
}

#[tokio::test]
async fn a_manifest_without_end_is_not_read_to_its_end() {
    let registry = registry(Step::huge(64 << 20), blob()).await;
    let error = fetch(&tagged(&registry)).await.unwrap_err();
    assert!(matches!(error, SupplyError::TooLarge { limit: 262_144, .. }), "{error:?}");
}

#[tokio::test]
async fn a_layer_that_claims_to_be_huge_is_not_asked_for() {
    let mut manifest = manifest(POLICY);
    manifest["layers"][0]["size"] = u64::MAX.into();
    let registry = registry(manifest_step(&manifest), blob()).await;
    let error = fetch(&tagged(&registry)).await.unwrap_err();
    assert!(matches!(error, SupplyError::TooLarge { .. }), "{error:?}");
    assert_eq!(asked(&registry).len(), 1);
}

#[tokio::test]
async fn a_blob_may_be_in_a_store_elsewhere() {
    let store = FakeModel::always(blob()).await;
    let location = format!("http://{}/store/1?signed=secret", store.authority());
    let registry =
        registry(manifest_step(&manifest(POLICY)), Step::status(307).header("location", &location)).await;
    assert_eq!(fetch(&tagged(&registry)).await.unwrap().bytes, POLICY);
    assert_eq!(asked(&store), ["GET /store/1?signed=secret"]);
}

/// A registry that lets in who has the token, which is issued under `/token` by
/// an answer of its own.
async fn guarded(realm: Option<&'static str>, token: Step) -> FakeModel {
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
async fn a_token_is_got_for_this_repository_and_kept() {
    for issued in [json!({ "token": "abc" }), json!({ "access_token": "abc", "expires_in": 60 })] {
        let registry = guarded(None, Step::json(&issued)).await;
        let (fetcher, order) = (Fetcher::new(), tagged(&registry));
        for _ in 0..2 {
            assert_eq!(fetcher.fetch(&order).await.unwrap().bytes, POLICY);
        }
        let policy = format!("GET /v2/router/blobs/sha256:{}", sha256(POLICY));
        let expected = [
            "GET /v2/router/manifests/v1",
            "GET /token?service=the+service&scope=repository%3Arouter%3Apull",
            "GET /v2/router/manifests/v1",
            &policy,
            "HEAD /v2/router/manifests/v1",
        ];
        assert_eq!(asked(&registry), expected);
        assert_eq!(registry.requests()[1].header("authorization"), None);
    }
}

#[tokio::test]
async fn credentials_are_sent_for_the_token_alone() {
    let registry = guarded(None, Step::json(&json!({ "token": "abc" }))).await;
    let mut order = tagged(&registry);
    let (username, password) = ("me".to_owned(), "let-me-in".to_owned());
    order.credentials = Some(Credentials { username, password });
    assert_eq!(fetch(&order).await.unwrap().bytes, POLICY);
    let sent: Vec<_> = registry
        .requests()
        .iter()
        .map(|request| request.header("authorization").map(str::to_owned))
        .collect();
    let expected = [None, Some("Basic bWU6bGV0LW1lLWlu"), Some("Bearer abc"), Some("Bearer abc")];
    assert_eq!(sent.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_token_that_is_none_or_does_not_help_is_told() {
    for (token, expected) in [
        (Step::json(&json!({ "token": "expired" })), "it wants a user name and a password or token"),
        (Step::status(401), "it wants a user name and a password or token"),
        (Step::status(403), "it wants a user name and a password or token"),
        (Step::status(500), "answers with status 500"),
        (Step::json(&json!({})), "but what is there is none"),
        (Step::json(&json!({ "token": "a\r\nb" })), "but what is there is none"),
        (Step::huge(1 << 20), "has more than the 65536 bytes"),
    ] {
        let registry = guarded(None, token).await;
        let told = refusal(&tagged(&registry)).await;
        assert!(told.contains(expected), "{told}");
    }
}

#[tokio::test]
async fn a_token_is_not_asked_for_where_credentials_are_not_safe() {
    for (realm, expected) in [
        ("ftp://example.com/token", "where nobody's credentials are safe"),
        ("http://192.0.2.1/token", "where nobody's credentials are safe"),
        ("/token", "which is no address"),
    ] {
        let registry = guarded(Some(realm), Step::status(500)).await;
        let told = refusal(&tagged(&registry)).await;
        assert!(told.contains(expected), "{told}");
        assert_eq!(asked(&registry).len(), 1);
    }
}

#[tokio::test]
async fn a_challenge_that_is_not_known_is_told() {
    let step = Step::status(401).header("www-authenticate", "Negotiate");
    let registry = registry(step, blob()).await;
    let told = refusal(&tagged(&registry)).await;
    assert!(told.ends_with("refuses: it asks for credentials in no way that is known here"), "{told}");
}

#[tokio::test]
async fn a_registry_on_this_machine_speaks_https_to_who_knows_its_authority() {
    let registry = FakeModel::builder().tls().otherwise(|request| {
        if request.path.contains("/manifests/") { manifest_step(&manifest(POLICY)) } else { blob() }
    });
    let registry = registry.start().await;
    let mut order = tagged(&registry);
    order.ca_pem = registry.ca_pem().map(Into::into);
    assert_eq!(fetch(&order).await.unwrap().bytes, POLICY);
}

/// A registry whose tag leads to an index of one image, for which it gives this answer.
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
    let (fetcher, order) = (Fetcher::new(), tagged(&registry));
    for _ in 0..2 {
        assert_eq!(fetcher.fetch(&order).await.unwrap().bytes, POLICY);
    }
    let digests = format!("/v2/router/manifests/sha256:{digest}");
    let of_image = asked(&registry).iter().filter(|line| line.ends_with(&digests)).count();
    assert_eq!(of_image, 1, "the tag that still leads to the same index costs no more");

    let other = indexed(digest.clone(), manifest_step(&manifest(b"other"))).await;
    let error = fetch(&tagged(&other)).await.unwrap_err();
    assert!(matches!(error, SupplyError::WrongDigest { .. }), "{error:?}");

    let dangling = indexed(digest.clone(), Step::status(404)).await;
    let told = refusal(&tagged(&dangling)).await;
    assert!(
        told.contains(&format!("it is an index, and the registry does not have its image sha256:{digest}"))
    );

    let endless = json!({ "schemaVersion": 2, "manifests": [{ "digest": format!("sha256:{digest}") }] });
    let endless_digest = sha256(endless.to_string().as_bytes());
    let endless = indexed(endless_digest, manifest_step(&endless)).await;
    assert!(refusal(&tagged(&endless)).await.contains("it is an index of an index"));
}
