//! A policy's bytes and what they are known by.

use std::borrow::Cow;

use pointsman_domain::ids::Digest;
use sha2::{Digest as _, Sha256};

/// The bytes that a policy is loaded from, with their SHA-256: taken once,
/// however often it is compared with that of what serves.
#[derive(Clone, Debug)]
pub struct Code<'a> {
    bytes: Cow<'a, [u8]>,
    digest: Digest,
    trusted: bool,
}

impl<'a> Code<'a> {
    /// Takes the SHA-256, which is milliseconds for a large policy.
    pub fn new(bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        let bytes = bytes.into();
        let digest = Digest::new(Sha256::digest(&bytes).into());
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
