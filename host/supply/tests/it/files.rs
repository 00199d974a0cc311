use std::fs;

use pointsman_supply::SupplyError;
use tempfile::TempDir;

use super::{POLICY, fetch, fetch_error, spec, spec_with_digest};
use crate::keys::Signer;

fn written(bytes: &[u8]) -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.wasm");
    fs::write(&path, bytes).unwrap();
    let path = path.display().to_string();
    (directory, path)
}

#[tokio::test]
async fn a_file_is_read_each_time() {
    let (_directory, path) = written(POLICY);
    assert_eq!(fetch(&spec(&path)).await.unwrap().bytes, POLICY);
    fs::write(&path, "other").unwrap();
    assert_eq!(fetch(&spec(&path)).await.unwrap().bytes, "other");
}

#[tokio::test]
async fn a_file_with_a_digest_must_have_it() {
    let (_directory, path) = written(POLICY);
    let spec = spec_with_digest(&path, POLICY);
    assert_eq!(fetch(&spec).await.unwrap().digest, spec.source.sha256().unwrap());
    fs::write(&path, "other").unwrap();
    assert!(fetch_error(&spec).await.contains("it was replaced, or the expected one is out of date"));
}

#[tokio::test]
async fn a_missing_file_and_one_that_is_not_regular_are_named() {
    let (directory, path) = written(POLICY);
    fs::remove_file(&path).unwrap();
    assert_eq!(fetch_error(&spec(&path)).await, format!("cannot read {path}: entity not found"));
    let path = directory.path().display().to_string();
    assert_eq!(fetch_error(&spec(&path)).await, format!("cannot read {path}: it is not a regular file"));
    assert_eq!(fetch_error(&spec("/dev/zero")).await, "cannot read /dev/zero: it is not a regular file");
}

#[tokio::test]
async fn a_file_may_be_as_large_as_allowed_and_no_larger() {
    let (_directory, path) = written(POLICY);
    let mut spec = spec(&path);
    spec.max_bytes = POLICY.len();
    assert!(fetch(&spec).await.is_ok());
    spec.max_bytes -= 1;
    assert_eq!(fetch(&spec).await, Err(SupplyError::TooLarge { at: path, limit: POLICY.len() - 1 }));
}

#[tokio::test]
async fn the_signature_of_a_file_is_beside_it() {
    let (_directory, path) = written(POLICY);
    let signer = Signer::new();
    let mut spec = spec(&path);
    spec.public_key = Some(signer.public_key());
    let error = fetch_error(&spec).await;
    assert_eq!(error, format!("there is no signature, but one is required (looked for in {path}.minisig)"));
    fs::write(format!("{path}.minisig"), signer.sign(b"other")).unwrap();
    assert!(fetch_error(&spec).await.contains("the signature does not match the bytes"));
    fs::write(format!("{path}.minisig"), signer.sign(POLICY)).unwrap();
    assert_eq!(fetch(&spec).await.unwrap().bytes, POLICY);
}
