//! Minisign signatures over a policy's bytes.

use std::str::FromStr;

use minisign_verify::{Error, Signature};

/// Who must have signed: a minisign public key, one line of base64 that begins
/// with `RW`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(minisign_verify::PublicKey);

/// Not a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not a public key of minisign: it is the line that begins with RW in the .pub file that \
     `minisign -G` writes"
)]
pub struct InvalidPublicKey;

/// Why bytes do not count as signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is none.
    #[error("there is no signature, and only signed bytes are taken")]
    Missing,
    /// It cannot be read.
    #[error("the signature is not one of minisign: it is the four lines that `minisign -S` writes")]
    Malformed,
    /// Somebody else signed.
    #[error("the signature was made with another key than the one that is trusted")]
    OtherKey,
    /// It does not fit, in the bytes or in its own trusted comment.
    #[error("the signature does not fit the bytes: one of them was changed after signing")]
    Wrong,
}

/// Checks that a key's owner signed these bytes. `signature` is the text of a
/// `.minisig` file, made with or without hashing first.
///
/// # Errors
/// When the text is no signature, or none by this key over these bytes.
pub fn verify(bytes: &[u8], signature: &str, key: &PublicKey) -> Result<(), SignatureError> {
    let signature = Signature::decode(signature).map_err(|_| SignatureError::Malformed)?;
    // Signatures of old versions of minisign are over the bytes themselves, which is as sound.
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
