//! Against a real registry.

use pointsman_supply::{Credentials, Fetcher, Order, SupplyError};
use pointsman_tests::Registry;
use pointsman_tests::registry::{MANIFEST, PASSWORD, USERNAME, sha256};
use serde_json::json;

use super::{POLICY, fetch, order, order_of, refusal};
use crate::keys::Signer;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[tokio::test]
async fn a_policy_is_pulled_by_tag_and_by_digest() {
    let Some(registry) = Registry::start() else { return };
    let manifest = registry.push("acme/router", "v1", POLICY).await;
    for version in [":v1", &format!("@sha256:{manifest}"), &format!(":v1@sha256:{manifest}")] {
        let fetched = fetch(&order(&registry.source("acme/router", version))).await.unwrap();
        assert_eq!((&*fetched.bytes, fetched.digest.to_string()), (POLICY, sha256(POLICY)));
    }
    let pinned = order_of(&registry.source("acme/router", ":v1"), POLICY);
    assert_eq!(fetch(&pinned).await.unwrap().bytes, POLICY);
}

#[tokio::test]
async fn a_tag_that_moves_leads_to_the_other_policy() {
    let Some(registry) = Registry::start() else { return };
    registry.push("router", "stable", POLICY).await;
    let (fetcher, order) = (Fetcher::new(), order(&registry.source("router", ":stable")));
    assert_eq!(fetcher.fetch(&order).await.unwrap().bytes, POLICY);
    assert_eq!(fetcher.fetch(&order).await.unwrap().bytes, POLICY);
    registry.push("router", "stable", b"other").await;
    assert_eq!(fetcher.fetch(&order).await.unwrap().bytes, "other");
    registry.push("router", "stable", POLICY).await;
    assert_eq!(fetcher.fetch(&order).await.unwrap().bytes, POLICY);
}

#[tokio::test]
async fn a_fixed_version_is_never_asked_for_again() {
    let Some(mut registry) = Registry::start() else { return };
    let manifest = registry.push("router", "v1", POLICY).await;
    let by_digest = order(&registry.source("router", &format!("@sha256:{manifest}")));
    let by_content = order_of(&registry.source("router", ":v1"), POLICY);
    let by_tag = order(&registry.source("router", ":v1"));
    let fetcher = Fetcher::new();
    for order in [&by_digest, &by_content, &by_tag] {
        fetcher.fetch(order).await.unwrap();
    }
    registry.stop();
    for order in [&by_digest, &by_content] {
        assert_eq!(fetcher.fetch(order).await.unwrap().bytes, POLICY);
    }
    // The connection may have been open still.
    let error = fetcher.fetch(&by_tag).await.unwrap_err();
    assert!(matches!(error, SupplyError::Unreachable { .. } | SupplyError::Broken { .. }), "{error:?}");
    assert_eq!(fetcher.kept(&by_tag).unwrap().bytes, POLICY, "what was there before is at hand");
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let Some(registry) = Registry::start() else { return };
    let manifest = registry.push("router", "v1", POLICY).await;
    let other = format!("@sha256:{}", sha256(b"other"));
    for (repository, version) in [("router", ":v2"), ("router", &*other), ("nobody", ":v1")] {
        let told = refusal(&order(&registry.source(repository, version))).await;
        assert!(told.contains("answers with status 404: there is nothing by this name"), "{told}");
        assert!(told.contains(&format!("/v2/{repository}/manifests/")), "{told}");
    }
    let wrong = order_of(&registry.source("router", &format!("@sha256:{manifest}")), b"other");
    let told = refusal(&wrong).await;
    let (found, expected) = (sha256(POLICY), sha256(b"other"));
    assert!(told.contains(&format!("has the SHA-256 {found}, not {expected} as expected")), "{told}");
}

#[tokio::test]
async fn what_is_no_policy_is_refused() {
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
        let told = refusal(&order(&registry.source("router", ":v1"))).await;
        assert!(told.contains(expected) && told.ends_with("`wkg oci push` makes what is expected"), "{told}");
    }
    let entry =
        |digest: &str| json!({ "mediaType": MANIFEST, "digest": format!("sha256:{digest}"), "size": 1 });
    let digests = [registry.push("router", "v2", POLICY).await, registry.push("router", "v3", POLICY).await];
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": digests.map(|it| entry(&it)) });
    registry.put_manifest("router", "all", INDEX, &index).await;
    let told = refusal(&order(&registry.source("router", ":all"))).await;
    assert!(told.contains("it is an index of 2 images, not of one"), "{told}");
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
    assert!(fetch(&order(&registry.source("router", ":v1"))).await.is_ok());

    let digest = registry.push("router", "v2", POLICY).await;
    let entry = json!({ "mediaType": MANIFEST, "digest": format!("sha256:{digest}"), "size": 1 });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] });
    registry.put_manifest("router", "one", INDEX, &index).await;
    assert!(fetch(&order(&registry.source("router", ":one"))).await.is_ok());
}

#[tokio::test]
async fn a_policy_that_is_too_large_is_refused() {
    let Some(registry) = Registry::start() else { return };
    registry.push("router", "v1", POLICY).await;
    let mut order = order(&registry.source("router", ":v1"));
    order.max_bytes = POLICY.len();
    assert!(fetch(&order).await.is_ok());
    order.max_bytes -= 1;
    let at = order.source.to_string();
    assert_eq!(fetch(&order).await, Err(SupplyError::TooLarge { at, limit: POLICY.len() - 1 }));
}

#[tokio::test]
async fn the_signature_in_a_registry_is_an_annotation() {
    let Some(registry) = Registry::start() else { return };
    let signer = Signer::new();
    let annotated = |text: String| json!({ "dev.pointsman.policy.minisig": text });
    let mut order = order(&registry.source("router", ":v1"));
    order.public_key = Some(signer.public_key());
    let fetcher = Fetcher::new();

    registry.push_annotated("router", "v1", POLICY, &annotated(signer.sign(POLICY))).await;
    assert_eq!(fetcher.fetch(&order).await.unwrap().bytes, POLICY);
    assert_eq!(fetcher.fetch(&order).await.unwrap().bytes, POLICY);

    // Whoever can push but not sign changes nothing.
    registry.push_annotated("router", "v1", b"other", &annotated(signer.sign(POLICY))).await;
    let told = fetcher.fetch(&order).await.unwrap_err().to_string();
    assert!(told.starts_with("the signature does not fit the bytes"), "{told}");
    assert!(told.contains("the annotation dev.pointsman.policy.minisig of oci://"), "{told}");
    registry.push_annotated("router", "v1", POLICY, &annotated(Signer::new().sign(POLICY))).await;
    let told = fetcher.fetch(&order).await.unwrap_err().to_string();
    assert!(told.starts_with("the signature was made with another key"), "{told}");
    registry.push("router", "v1", b"other").await;
    let told = fetcher.fetch(&order).await.unwrap_err().to_string();
    assert!(told.starts_with("there is no signature"), "{told}");
    assert_eq!(fetcher.kept(&order).unwrap().bytes, POLICY);

    registry.push_annotated("router", "v1", b"other", &annotated(signer.sign(b"other"))).await;
    assert_eq!(fetcher.fetch(&order).await.unwrap().bytes, "other");
}

fn with(credentials: Option<(&str, &str)>, source: &str) -> Order {
    let mut order = order(source);
    order.credentials = credentials.map(|(username, password)| Credentials {
        username: username.to_owned(),
        password: password.to_owned(),
    });
    order
}

#[tokio::test]
async fn a_registry_that_asks_is_given_the_credentials() {
    let Some(registry) = Registry::start_asking() else { return };
    registry.push("router", "v1", POLICY).await;
    let source = registry.source("router", ":v1");
    let (fetcher, order) = (Fetcher::new(), with(Some((USERNAME, PASSWORD)), &source));
    assert_eq!(fetcher.fetch(&order).await.unwrap().bytes, POLICY);
    assert_eq!(fetcher.fetch(&order).await.unwrap().bytes, POLICY);

    let told = refusal(&with(None, &source)).await;
    assert!(told.ends_with("refuses: it wants a user name and a password or token"), "{told}");
    let told = refusal(&with(Some((USERNAME, "guessed")), &source)).await;
    assert!(
        told.contains("refuses: the credentials of `reader` are wrong, or do not allow to read `router`"),
        "{told}"
    );
    assert!(!told.contains("guessed"), "{told}");
}
