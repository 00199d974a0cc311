//! Signing keys, generated for each test.

use std::io::Cursor;

use minisign::KeyPair;
use pointsman_supply::PublicKey;

/// Signs policies with a key pair of its own.
pub struct Signer(KeyPair);

impl Signer {
    pub fn new() -> Self {
        Self(KeyPair::generate_unencrypted_keypair().unwrap())
    }

    pub fn public_key(&self) -> PublicKey {
        self.0.pk.to_base64().parse().unwrap()
    }

    /// The text of a `.minisig` file.
    pub fn sign(&self, bytes: &[u8]) -> String {
        let signed = minisign::sign(None, &self.0.sk, Cursor::new(bytes), Some("version 1"), None);
        signed.unwrap().into_string()
    }
}
