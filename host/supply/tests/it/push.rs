//! Pushing to a real registry.

use pointsman_supply::{Credentials, FetchSpec, Fetcher, PushSpec, Reference, SupplyError, push};
use pointsman_tests::Registry;
use pointsman_tests::registry::{PASSWORD, USERNAME, sha256};

use super::{POLICY, artifact, fetch, fetch_error, push_spec, spec};
use crate::keys::Signer;

fn target(registry: &Registry, tag: &str) -> PushSpec {
    push_spec(&registry.source("acme/router", tag), POLICY)
}

#[tokio::test]
async fn what_is_pushed_is_fetched_by_each_tag_and_by_digest() {
    let Some(registry) = Registry::start() else { return };
    let mut target = target(&registry, ":1.2.0");
    target.more_tags = vec!["stable".to_owned(), "latest".to_owned()];
    let pushed = push(&target).await.unwrap();
    assert_eq!((pushed.policy.to_string(), pushed.sent_policy), (sha256(POLICY), true));
    for version in [":1.2.0", ":stable", ":latest", &format!("@sha256:{}", pushed.manifest)] {
        let fetched = fetch(&spec(&registry.source("acme/router", version))).await.unwrap();
        assert_eq!((&*fetched.bytes, fetched.manifest), (POLICY, Some(pushed.manifest)));
        assert_eq!(fetched.signature, None);
    }
}

#[tokio::test]
async fn a_policy_that_the_repository_has_is_not_sent_again() {
    let Some(registry) = Registry::start() else { return };
    let first = push(&target(&registry, ":1.2.0")).await.unwrap();
    let again = push(&target(&registry, ":1.2.0")).await.unwrap();
    assert_eq!(
        (again.manifest, again.sent_policy),
        (first.manifest, false),
        "the same artifact, nothing sent"
    );
    let mut later = target(&registry, ":1.2.1");
    later.artifact.created += 1;
    let later = push(&later).await.unwrap();
    assert!(later.manifest != first.manifest && !later.sent_policy, "{later:?}");
}

#[tokio::test]
async fn a_moved_tag_leads_to_what_was_pushed_last() {
    let Some(registry) = Registry::start() else { return };
    let (fetcher, spec) = (Fetcher::new(), spec(&registry.source("acme/router", ":stable")));
    for bytes in [POLICY, b"\0asm another", POLICY] {
        push(&push_spec(&registry.source("acme/router", ":stable"), bytes)).await.unwrap();
        assert_eq!(fetcher.fetch(&spec).await.unwrap().bytes, bytes);
    }
}

#[tokio::test]
async fn the_signature_is_pushed_with_the_policy() {
    let Some(registry) = Registry::start() else { return };
    let signer = Signer::new();
    let mut trusting = spec(&registry.source("acme/router", ":1.2.0"));
    trusting.public_key = Some(signer.public_key());
    let mut target = target(&registry, ":1.2.0");

    push(&target).await.unwrap();
    assert!(fetch_error(&trusting).await.starts_with("there is no signature"));
    target.artifact.signature = Some(Signer::new().sign(POLICY));
    push(&target).await.unwrap();
    assert!(fetch_error(&trusting).await.starts_with("the signature was made with another key"));
    target.artifact.signature = Some(signer.sign(b"other"));
    push(&target).await.unwrap();
    assert!(fetch_error(&trusting).await.starts_with("the signature does not match the bytes"));

    let signature = signer.sign(POLICY);
    target.artifact.signature = Some(signature.clone());
    push(&target).await.unwrap();
    assert_eq!(fetch(&trusting).await.unwrap().signature.unwrap(), signature);
    let unchecked = fetch(&spec(&registry.source("acme/router", ":1.2.0"))).await.unwrap();
    assert_eq!(unchecked.signature.unwrap(), signature, "it is known without a key as well");
}

#[tokio::test]
async fn a_registry_that_requires_credentials_gets_them_for_a_push() {
    let Some(registry) = Registry::start_asking() else { return };
    let with = |credentials: Option<(&str, &str)>| {
        let mut target = target(&registry, ":1.2.0");
        target.access.credentials = credentials.map(|(username, password)| Credentials {
            username: username.to_owned(),
            password: password.to_owned(),
        });
        target
    };
    let error = push(&with(None)).await.unwrap_err().to_string();
    assert!(error.ends_with("refuses: it requires a user name and a password or token"), "{error}");
    let error = push(&with(Some((USERNAME, "guessed")))).await.unwrap_err().to_string();
    assert!(error.contains("`reader` are wrong, or do not allow to write to `acme/router`"), "{error}");
    assert!(!error.contains("guessed"), "{error}");

    push(&with(Some((USERNAME, PASSWORD)))).await.unwrap();
    let mut reading = spec(&registry.source("acme/router", ":1.2.0"));
    reading.access.credentials = with(Some((USERNAME, PASSWORD))).access.credentials;
    assert_eq!(fetch(&reading).await.unwrap().bytes, POLICY);
}

#[tokio::test]
async fn a_push_to_a_digest_or_to_nobody_is_refused() {
    let reference = Reference::parse(&format!("127.0.0.1:1/router@sha256:{}", sha256(b"other"))).unwrap();
    let error = push(&PushSpec::new(reference, artifact(POLICY))).await.unwrap_err();
    assert!(matches!(error, SupplyError::NoTag { .. }), "{error:?}");
    let nobody = push(&push_spec("127.0.0.1:1/router:1.2.0", POLICY)).await.unwrap_err();
    assert!(matches!(nobody, SupplyError::Unreachable { .. }), "{nobody:?}");
}

/// Publications of other tools stay readable: a policy with the config of another tool.
#[tokio::test]
async fn a_policy_of_another_tool_can_be_fetched_beside_ours() {
    let Some(registry) = Registry::start() else { return };
    registry.push("acme/router", "theirs", b"\0asm theirs").await;
    push(&target(&registry, ":ours")).await.unwrap();
    let bytes = async |tag: &str| {
        let spec: FetchSpec = spec(&registry.source("acme/router", tag));
        fetch(&spec).await.unwrap().bytes
    };
    assert_eq!((bytes(":theirs").await, bytes(":ours").await), (b"\0asm theirs"[..].into(), POLICY.into()));
}
