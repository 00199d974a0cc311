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
    /// Native code of the same bytes, which is part of this program.
    native: Option<&'static [u8]>,
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
        Self { bytes, digest, trusted: false, native: None }
    }

    /// Wraps code that is part of this program, and so trusted like the rest of it: it is compiled in
    /// this process, which is faster. Its limits apply as usual.
    pub fn embedded(bytes: &'static [u8]) -> Self {
        Self { trusted: true, ..Self::new(bytes) }
    }

    /// Adds native code that [`precompile`](crate::precompile) made of the same bytes, and that is part of this
    /// program too. It is run without a check of what it does; code of another engine is ignored.
    #[must_use]
    pub fn with_native(self, native: &'static [u8]) -> Self {
        Self { native: Some(native), ..self }
    }

    pub(crate) fn native(&self) -> Option<&'static [u8]> {
        self.native.filter(|_| self.trusted)
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
