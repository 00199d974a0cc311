//! Fetching from a real registry.

use pointsman_supply::{Credentials, FetchSpec, Fetcher, SupplyError};
use pointsman_tests::Registry;
use pointsman_tests::registry::{MANIFEST, PASSWORD, USERNAME, sha256};
use serde_json::json;

use super::{POLICY, fetch, fetch_error, spec, spec_with_digest};
use crate::keys::Signer;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[tokio::test]
async fn a_policy_is_pulled_by_tag_and_by_digest() {
    let Some(registry) = Registry::start() else { return };
    let manifest = registry.push("acme/router", "v1", POLICY).await;
    for version in [":v1", &format!("@sha256:{manifest}"), &format!(":v1@sha256:{manifest}")] {
        let fetched = fetch(&spec(&registry.source("acme/router", version))).await.unwrap();
        assert_eq!((&*fetched.bytes, fetched.digest.to_string()), (POLICY, sha256(POLICY)));
    }
    let pinned = spec_with_digest(&registry.source("acme/router", ":v1"), POLICY);
    assert_eq!(fetch(&pinned).await.unwrap().bytes, POLICY);
}

#[tokio::test]
async fn a_moved_tag_leads_to_the_other_policy() {
    let Some(registry) = Registry::start() else { return };
    registry.push("router", "stable", POLICY).await;
    let (fetcher, spec) = (Fetcher::new(), spec(&registry.source("router", ":stable")));
    assert_eq!(fetcher.fetch(&spec).await.unwrap().bytes, POLICY);
    assert_eq!(fetcher.fetch(&spec).await.unwrap().bytes, POLICY);
    registry.push("router", "stable", b"other").await;
    assert_eq!(fetcher.fetch(&spec).await.unwrap().bytes, "other");
    registry.push("router", "stable", POLICY).await;
    assert_eq!(fetcher.fetch(&spec).await.unwrap().bytes, POLICY);
}

#[tokio::test]
async fn a_fixed_version_is_never_requested_again() {
    let Some(mut registry) = Registry::start() else { return };
    let manifest = registry.push("router", "v1", POLICY).await;
    let by_digest = spec(&registry.source("router", &format!("@sha256:{manifest}")));
    let by_content = spec_with_digest(&registry.source("router", ":v1"), POLICY);
    let by_tag = spec(&registry.source("router", ":v1"));
    let fetcher = Fetcher::new();
    for spec in [&by_digest, &by_content, &by_tag] {
        fetcher.fetch(spec).await.unwrap();
    }
    registry.stop();
    for spec in [&by_digest, &by_content] {
        assert_eq!(fetcher.fetch(spec).await.unwrap().bytes, POLICY);
    }
    // The connection may still be open, and then breaks off.
    let error = fetcher.fetch(&by_tag).await.unwrap_err();
    assert!(matches!(error, SupplyError::Unreachable { .. } | SupplyError::Broken { .. }), "{error:?}");
    assert_eq!(fetcher.cached(&by_tag).unwrap().bytes, POLICY, "the earlier result stays cached");
}

#[tokio::test]
async fn a_missing_tag_or_digest_is_reported() {
    let Some(registry) = Registry::start() else { return };
    let manifest = registry.push("router", "v1", POLICY).await;
    let other = format!("@sha256:{}", sha256(b"other"));
    for (repository, version) in [("router", ":v2"), ("router", &*other), ("nobody", ":v1")] {
        let error = fetch_error(&spec(&registry.source(repository, version))).await;
        assert!(error.contains("responds with status 404: there is nothing by this name"), "{error}");
        assert!(error.contains(&format!("/v2/{repository}/manifests/")), "{error}");
    }
    let wrong = spec_with_digest(&registry.source("router", &format!("@sha256:{manifest}")), b"other");
    let error = fetch_error(&wrong).await;
    let (found, expected) = (sha256(POLICY), sha256(b"other"));
    assert!(error.contains(&format!("has the SHA-256 {found}, not {expected} as expected")), "{error}");
}

#[tokio::test]
async fn a_manifest_of_something_else_is_refused() {
    let Some(registry) = Registry::start() else { return };
    let config = registry.blob("router", b"{}", "application/vnd.wasm.config.v0+json").await;
    let layer = registry.blob("router", POLICY, "application/wasm").await;
    let text = registry.blob("router", b"text", "text/plain").await;
    for (layers, expected) in [
        (
            json!([text]),
            "it has 0 layers of type application/wasm, not one; its layers are of types [\"text/plain\"]",
        ),
        (json!([layer, layer]), "it has 2 layers of type application/wasm, not one"),
    ] {
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers });
        registry.put_manifest("router", "v1", MANIFEST, &manifest).await;
        let error = fetch_error(&spec(&registry.source("router", ":v1"))).await;
        assert!(
            error.contains(expected) && error.ends_with("publish it with `pointsman policy push`"),
            "{error}"
        );
    }
    let entry =
        |digest: &str| json!({ "mediaType": MANIFEST, "digest": format!("sha256:{digest}"), "size": 1 });
    let digests = [registry.push("router", "v2", POLICY).await, registry.push("router", "v3", POLICY).await];
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": digests.map(|it| entry(&it)) });
    registry.put_manifest("router", "all", INDEX, &index).await;
    let error = fetch_error(&spec(&registry.source("router", ":all"))).await;
    assert!(error.contains("it is an index of 2 images, not of one"), "{error}");
}

#[tokio::test]
async fn a_policy_beside_other_layers_and_one_behind_an_index_are_found() {
    let Some(registry) = Registry::start() else { return };
    let config = registry.blob("router", b"{}", "application/vnd.unknown.config.v1+json").await;
    let layer = registry.blob("router", POLICY, "application/vnd.wasm.content.layer.v1+wasm").await;
    let text = registry.blob("router", b"text", "text/markdown").await;
    let manifest =
        json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [text, layer] });
    registry.put_manifest("router", "v1", MANIFEST, &manifest).await;
    assert!(fetch(&spec(&registry.source("router", ":v1"))).await.is_ok());

    let digest = registry.push("router", "v2", POLICY).await;
    let entry = json!({ "mediaType": MANIFEST, "digest": format!("sha256:{digest}"), "size": 1 });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] });
    registry.put_manifest("router", "one", INDEX, &index).await;
    assert!(fetch(&spec(&registry.source("router", ":one"))).await.is_ok());
}

#[tokio::test]
async fn a_policy_that_is_too_large_is_refused() {
    let Some(registry) = Registry::start() else { return };
    registry.push("router", "v1", POLICY).await;
    let mut spec = spec(&registry.source("router", ":v1"));
    spec.max_bytes = POLICY.len();
    assert!(fetch(&spec).await.is_ok());
    spec.max_bytes -= 1;
    let at = spec.source.to_string();
    assert_eq!(fetch(&spec).await, Err(SupplyError::TooLarge { at, limit: POLICY.len() - 1 }));
}

#[tokio::test]
async fn the_signature_in_a_registry_is_an_annotation() {
    let Some(registry) = Registry::start() else { return };
    let signer = Signer::new();
    let annotated = |text: String| json!({ "dev.pointsman.policy.minisig": text });
    let mut spec = spec(&registry.source("router", ":v1"));
    spec.public_key = Some(signer.public_key());
    let fetcher = Fetcher::new();

    registry.push_annotated("router", "v1", POLICY, &annotated(signer.sign(POLICY))).await;
    assert_eq!(fetcher.fetch(&spec).await.unwrap().bytes, POLICY);
    assert_eq!(fetcher.fetch(&spec).await.unwrap().bytes, POLICY);

    // Pushing without signing changes nothing.
    registry.push_annotated("router", "v1", b"other", &annotated(signer.sign(POLICY))).await;
    let error = fetcher.fetch(&spec).await.unwrap_err().to_string();
    assert!(error.starts_with("the signature does not match the bytes"), "{error}");
    assert!(error.contains("the annotation dev.pointsman.policy.minisig of oci://"), "{error}");
    registry.push_annotated("router", "v1", POLICY, &annotated(Signer::new().sign(POLICY))).await;
    let error = fetcher.fetch(&spec).await.unwrap_err().to_string();
    assert!(error.starts_with("the signature was made with another key"), "{error}");
    registry.push("router", "v1", b"other").await;
    let error = fetcher.fetch(&spec).await.unwrap_err().to_string();
    assert!(error.starts_with("there is no signature"), "{error}");
    assert_eq!(fetcher.cached(&spec).unwrap().bytes, POLICY);

    registry.push_annotated("router", "v1", b"other", &annotated(signer.sign(b"other"))).await;
    assert_eq!(fetcher.fetch(&spec).await.unwrap().bytes, "other");
}

fn spec_with_credentials(credentials: Option<(&str, &str)>, source: &str) -> FetchSpec {
    let mut spec = spec(source);
    spec.access.credentials = credentials.map(|(username, password)| Credentials {
        username: username.to_owned(),
        password: password.to_owned(),
    });
    spec
}

#[tokio::test]
async fn a_registry_that_requires_credentials_gets_them() {
    let Some(registry) = Registry::start_asking() else { return };
    registry.push("router", "v1", POLICY).await;
    let source = registry.source("router", ":v1");
    let (fetcher, spec) = (Fetcher::new(), spec_with_credentials(Some((USERNAME, PASSWORD)), &source));
    assert_eq!(fetcher.fetch(&spec).await.unwrap().bytes, POLICY);
    assert_eq!(fetcher.fetch(&spec).await.unwrap().bytes, POLICY);

    let error = fetch_error(&spec_with_credentials(None, &source)).await;
    assert!(error.ends_with("refuses: it requires a user name and a password or token"), "{error}");
    let error = fetch_error(&spec_with_credentials(Some((USERNAME, "guessed")), &source)).await;
    assert!(
        error.contains("refuses: the credentials of `reader` are wrong, or do not allow to read `router`"),
        "{error}"
    );
    assert!(!error.contains("guessed"), "{error}");
}
