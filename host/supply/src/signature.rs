//! Minisign signatures over a policy's bytes.

use std::str::FromStr;

use minisign_verify::{Error, Signature};

/// A minisign public key: one line of base64 that begins with `RW`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(minisign_verify::PublicKey);

/// The text is not a minisign public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not a public key of minisign: it is the line that begins with RW in the .pub file that \
     `minisign -G` writes"
)]
pub struct InvalidPublicKey;

/// The bytes are not signed by the trusted key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no signature.
    #[error("there is no signature, but one is required")]
    Missing,
    /// The signature cannot be parsed.
    #[error("this is not a signature of minisign, which is the four lines that `minisign -S` writes")]
    Malformed,
    /// The signature is by another key.
    #[error("the signature was made with another key than the one that is trusted")]
    OtherKey,
    /// The signature does not match the bytes or its own trusted comment.
    #[error("the signature does not match the bytes: one of them was changed after signing")]
    Wrong,
}

/// Verifies a signature over some bytes. `signature` is the text of a `.minisig` file, made with or
/// without hashing first.
///
/// # Errors
/// Fails when the text is not a signature by this key over these bytes.
pub fn verify(bytes: &[u8], signature: &str, key: &PublicKey) -> Result<(), SignatureError> {
    let signature = Signature::decode(signature).map_err(|_| SignatureError::Malformed)?;
    // Old versions of minisign sign the bytes themselves instead of their hash, which is as secure.
    let allow_legacy = true;
    key.0.verify(bytes, &signature, allow_legacy).map_err(|error| match error {
        Error::UnexpectedKeyId => SignatureError::OtherKey,
        _ => SignatureError::Wrong,
    })
}

impl FromStr for PublicKey {
    type Err = InvalidPublicKey;

    fn from_str(text: &str) -> Result<Self, InvalidPublicKey> {
        minisign_verify::PublicKey::from_base64(text.trim()).map(Self).map_err(|_| InvalidPublicKey)
    }
}
