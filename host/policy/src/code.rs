//! A policy's bytes and their digest.

use bytes::Bytes;
use pointsman_domain::ids::Digest;
use sha2::{Digest as _, Sha256};

/// The bytes that a policy is loaded from, with their SHA-256, which is computed only once. Clones
/// share the bytes.
#[derive(Clone, Debug)]
pub struct Code {
    bytes: Bytes,
    digest: Digest,
    trusted: bool,
}

impl Code {
    /// Computes the SHA-256, which takes milliseconds for a large policy.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let digest = sha256(&bytes);
        Self::with_digest(bytes, digest)
    }

    /// Wraps bytes whose SHA-256 is known.
    pub fn with_digest(bytes: Bytes, digest: Digest) -> Self {
        Self { bytes, digest, trusted: false }
    }

    /// Wraps code that is part of this program, and so trusted like the rest of it: it is compiled in
    /// this process, which is faster. Its limits apply as usual.
    pub fn embedded(bytes: &'static [u8]) -> Self {
        Self { trusted: true, ..Self::new(bytes) }
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// The bytes, as they are given to the compiler.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The SHA-256 of the bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// Computes the digest that identifies a version.
pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}
