//! What must be true of bytes before anybody gets to see them.

use bytes::Bytes;
use pointsman_domain::ids::Digest;
use sha2::{Digest as _, Sha256};

use crate::error::SupplyError;
use crate::fetcher::Fetched;
use crate::order::Order;
use crate::signature::{SignatureError, verify};

/// The SHA-256 of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}

/// Bytes that have a digest, which `at` was to have.
pub(crate) async fn with_digest(
    bytes: Bytes,
    expected: Option<Digest>,
    at: String,
) -> Result<Fetched, SupplyError> {
    let hashed = bytes.clone();
    let digest = blocking(move || sha256(&hashed)).await?;
    match expected.filter(|expected| *expected != digest) {
        Some(expected) => Err(SupplyError::WrongDigest { at, expected, found: digest }),
        None => Ok(Fetched { bytes, digest }),
    }
}

/// Bytes that are all that an order demands. The signature, which belongs into
/// `at`, is got only where one is demanded, and `None` if there is none.
pub(crate) async fn accepted(
    order: &Order,
    bytes: Bytes,
    at: String,
    signature: impl AsyncFnOnce() -> Result<Option<Bytes>, SupplyError>,
) -> Result<Fetched, SupplyError> {
    let fetched = with_digest(bytes, order.source.sha256(), order.source.to_string()).await?;
    let Some(key) = order.public_key.clone() else { return Ok(fetched) };
    let Some(signature) = signature().await? else {
        return Err(SupplyError::Signature { at, error: SignatureError::Missing });
    };
    let signed = fetched.bytes.clone();
    let verified = blocking(move || {
        let text = std::str::from_utf8(&signature).map_err(|_| SignatureError::Malformed)?;
        verify(&signed, text, &key)
    });
    verified.await?.map_err(|error| SupplyError::Signature { at, error })?;
    Ok(fetched)
}

/// Work of some milliseconds, on a thread that nobody waits for.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, SupplyError> {
    let failed = |error: tokio::task::JoinError| SupplyError::Broken {
        at: "the check".to_owned(),
        reason: error.to_string(),
    };
    tokio::task::spawn_blocking(work).await.map_err(failed)
}
