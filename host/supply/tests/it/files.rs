use std::fs;

use pointsman_supply::SupplyError;
use tempfile::TempDir;

use super::{POLICY, fetch, order, order_of, refusal};
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
    assert_eq!(fetch(&order(&path)).await.unwrap().bytes, POLICY);
    fs::write(&path, "other").unwrap();
    assert_eq!(fetch(&order(&path)).await.unwrap().bytes, "other");
}

#[tokio::test]
async fn a_file_with_a_digest_must_have_it() {
    let (_directory, path) = written(POLICY);
    let order = order_of(&path, POLICY);
    assert_eq!(fetch(&order).await.unwrap().digest, order.source.sha256().unwrap());
    fs::write(&path, "other").unwrap();
    assert!(refusal(&order).await.contains("it was replaced, or the expected one is out of date"));
}

#[tokio::test]
async fn a_file_that_is_not_there_or_none_is_named() {
    let (directory, path) = written(POLICY);
    fs::remove_file(&path).unwrap();
    assert_eq!(refusal(&order(&path)).await, format!("cannot read {path}: entity not found"));
    let path = directory.path().display().to_string();
    assert_eq!(refusal(&order(&path)).await, format!("cannot read {path}: it is no regular file"));
    assert_eq!(refusal(&order("/dev/zero")).await, "cannot read /dev/zero: it is no regular file");
}

#[tokio::test]
async fn a_file_may_have_as_many_bytes_as_allowed_and_no_more() {
    let (_directory, path) = written(POLICY);
    let mut order = order(&path);
    order.max_bytes = POLICY.len();
    assert!(fetch(&order).await.is_ok());
    order.max_bytes -= 1;
    assert_eq!(fetch(&order).await, Err(SupplyError::TooLarge { at: path, limit: POLICY.len() - 1 }));
}

#[tokio::test]
async fn the_signature_of_a_file_is_beside_it() {
    let (_directory, path) = written(POLICY);
    let signer = Signer::new();
    let mut order = order(&path);
    order.public_key = Some(signer.public_key());
    let told = refusal(&order).await;
    assert_eq!(
        told,
        format!("there is no signature, and only signed bytes are taken (looked for in {path}.minisig)")
    );
    fs::write(format!("{path}.minisig"), signer.sign(b"other")).unwrap();
    assert!(refusal(&order).await.contains("the signature does not fit the bytes"));
    fs::write(format!("{path}.minisig"), signer.sign(POLICY)).unwrap();
    assert_eq!(fetch(&order).await.unwrap().bytes, POLICY);
}
