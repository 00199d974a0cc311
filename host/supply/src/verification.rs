//! Verification of fetched bytes: digest and signature.

use bytes::Bytes;
use pointsman_domain::ids::Digest;
use sha2::{Digest as _, Sha256};

use crate::error::SupplyError;
use crate::fetch_spec::FetchSpec;
use crate::signature::{SignatureError, verify};

/// Bytes that meet a [`FetchSpec`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedPolicy {
    /// The bytes of the policy.
    pub bytes: Bytes,
    /// Their SHA-256.
    pub digest: Digest,
    /// Digest of the manifest or index that the reference led to, if they came from a registry.
    pub manifest: Option<Digest>,
    /// Text of the signature that came with them. It was verified if the specification names a key;
    /// without one, only the signature in a registry is known.
    pub signature: Option<Bytes>,
}

/// Computes the SHA-256 of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}

/// Computes the digest of some bytes, which came from `at`, and compares it with an expected one.
pub(crate) async fn verify_digest(
    bytes: Bytes,
    expected: Option<Digest>,
    at: String,
) -> Result<FetchedPolicy, SupplyError> {
    let hashed = bytes.clone();
    let digest = run_blocking(move || sha256(&hashed)).await?;
    match expected.filter(|expected| *expected != digest) {
        Some(expected) => Err(SupplyError::WrongDigest { at, expected, found: digest }),
        None => Ok(FetchedPolicy { bytes, digest, manifest: None, signature: None }),
    }
}

/// Verifies bytes against a specification. `signature` reads the signature from `signature_at`, or
/// returns `None` if there is none; it is called only if the specification names a key.
pub(crate) async fn verify_policy(
    spec: &FetchSpec,
    bytes: Bytes,
    signature_at: String,
    signature: impl AsyncFnOnce() -> Result<Option<Bytes>, SupplyError>,
) -> Result<FetchedPolicy, SupplyError> {
    let mut policy = verify_digest(bytes, spec.source.sha256(), spec.source.to_string()).await?;
    let Some(key) = spec.public_key.clone() else { return Ok(policy) };
    let Some(signature) = signature().await? else {
        return Err(SupplyError::Signature { at: signature_at, error: SignatureError::Missing });
    };
    policy.signature = Some(signature.clone());
    let signed = policy.bytes.clone();
    let verified = run_blocking(move || {
        let text = std::str::from_utf8(&signature).map_err(|_| SignatureError::Malformed)?;
        verify(&signed, text, &key)
    });
    verified.await?.map_err(|error| SupplyError::Signature { at: signature_at, error })?;
    Ok(policy)
}

/// Runs work of some milliseconds off the async runtime.
async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SupplyError> {
    let failed = |error: tokio::task::JoinError| SupplyError::Broken {
        at: "the verification".to_owned(),
        reason: error.to_string(),
    };
    tokio::task::spawn_blocking(work).await.map_err(failed)
}
