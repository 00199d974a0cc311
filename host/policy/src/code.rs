//! A policy's bytes and what they are known by.

use bytes::Bytes;
use pointsman_domain::ids::Digest;
use sha2::{Digest as _, Sha256};

/// The bytes that a policy is loaded from, with their SHA-256: taken once,
/// however often it is compared with that of what serves. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Code {
    bytes: Bytes,
    digest: Digest,
    trusted: bool,
}

impl Code {
    /// Takes the SHA-256, which is milliseconds for a large policy.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let digest = sha256(&bytes);
        Self::with_digest(bytes, digest)
    }

    /// Bytes whose SHA-256 was taken where they came from.
    pub fn with_digest(bytes: Bytes, digest: Digest) -> Self {
        Self { bytes, digest, trusted: false }
    }

    /// Code that is part of this program, and so trusted like the rest of it: it
    /// is compiled in this process, which is quicker. Held to its limits like any.
    pub fn embedded(bytes: &'static [u8]) -> Self {
        Self { trusted: true, ..Self::new(bytes) }
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// What the compiler is given.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The SHA-256 of the bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// What versions are known by.
pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}
