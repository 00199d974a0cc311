//! Fetching and pushing over real sockets: from a real registry, where one is installed, and from scripted servers
//! that misbehave.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod files;
mod hostile_push;
mod hostile_registry;
mod keys;
mod push;
mod registry;
mod signatures;
mod web;

use std::collections::BTreeMap;

use pointsman_supply::{
    Artifact, FetchSpec, FetchedPolicy, Fetcher, PushSpec, Reference, Source, SupplyError,
};
use pointsman_tests::registry::sha256;

/// Stands for a policy, since nothing in this crate looks into the bytes.
const POLICY: &[u8] = b"\0asm and so on";

/// Specification of a source without a digest.
fn spec(source: &str) -> FetchSpec {
    FetchSpec::new(Source::parse(source, None).unwrap())
}

/// Specification of a source with the digest of these bytes.
fn spec_with_digest(source: &str, bytes: &[u8]) -> FetchSpec {
    FetchSpec::new(Source::parse(source, Some(sha256(bytes).parse().unwrap())).unwrap())
}

async fn fetch(spec: &FetchSpec) -> Result<FetchedPolicy, SupplyError> {
    Fetcher::new().fetch(spec).await
}

/// Returns the message of a fetch that fails.
async fn fetch_error(spec: &FetchSpec) -> String {
    fetch(spec).await.unwrap_err().to_string()
}

/// A core module, whose bytes nobody looks into.
fn artifact(bytes: &'static [u8]) -> Artifact {
    Artifact {
        bytes: bytes.into(),
        file_name: Some("router.wasm".to_owned()),
        component: None,
        created: 1_714_430_429,
        author: None,
        signature: None,
        annotations: BTreeMap::new(),
    }
}

/// Specification of a push to a reference, with or without `oci://`.
fn push_spec(reference: &str, bytes: &'static [u8]) -> PushSpec {
    PushSpec::new(Reference::parse(reference).unwrap(), artifact(bytes))
}
