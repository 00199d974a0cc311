//! Keys and signatures of minisign, for authors of policies.

use std::fmt;
use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minisign::{KeyPair, SecretKeyBox};
use pointsman_domain::text::printable;

use crate::signature::{PublicKey, verify};

/// Length of a secret key in minisign's format, in bytes.
const KEY_BYTES: usize = 158;
/// Algorithm of the signature, at the start of a key.
const ALGORITHM: &[u8] = b"Ed";
/// Key derivation of a key without a password.
const NO_DERIVATION: &[u8] = &[0, 0];
/// Longest name of a file in a comment, in bytes.
const MAX_NAME: usize = 200;
const SECRET_KEY_COMMENT: &str = "Pointsman policy signing key, keep it secret";
const SIGNATURE_COMMENT: &str = "signature of a Pointsman policy";

/// A secret key could not be read, used or made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// The text is not a secret key.
    #[error(
        "this is not a secret key of minisign: it is the .key file that `pointsman policy keygen` or \
         `minisign -G` writes"
    )]
    Malformed,
    /// The key is encrypted, and no password was given.
    #[error("the key is encrypted, and there is no password for it")]
    PasswordRequired,
    /// The password does not decrypt the key.
    #[error("the password is not that of the key, or the key is damaged")]
    WrongPassword,
    /// The signature does not match the key's own public key.
    #[error("the key is damaged: its own public key does not verify its signature")]
    Damaged,
    /// The system has no randomness or memory for it.
    #[error("cannot make a key or a signature: {0}")]
    System(String),
}

/// A secret key as it is stored, encrypted or not.
#[derive(Clone)]
pub struct StoredKey {
    text: SecretKeyBox,
    bytes: Vec<u8>,
}

/// A secret key that signs.
pub struct SigningKey {
    secret: minisign::SecretKey,
    public: minisign::PublicKey,
}

/// A new key pair in minisign's file format.
pub struct GeneratedKey {
    /// Text of the file with the secret key.
    pub secret: String,
    /// Text of the file with the public key.
    pub public: String,
    /// The public key alone, for `public_key` in the configuration.
    pub public_key: String,
}

impl StoredKey {
    /// Parses the text of a key file.
    ///
    /// # Errors
    /// Fails if the text is not a secret key of minisign.
    pub fn parse(text: &str) -> Result<Self, SigningError> {
        let line = text.trim().lines().nth(1).ok_or(SigningError::Malformed)?;
        let bytes = STANDARD.decode(line.trim()).map_err(|_| SigningError::Malformed)?;
        if bytes.len() != KEY_BYTES || !bytes.starts_with(ALGORITHM) {
            return Err(SigningError::Malformed);
        }
        Ok(Self { text: SecretKeyBox::from(text.trim().to_owned()), bytes })
    }

    /// Returns whether a password is needed.
    pub fn is_encrypted(&self) -> bool {
        self.bytes.get(2..4) != Some(NO_DERIVATION)
    }

    /// Decrypts the key. Takes up to 1 GiB of memory and some seconds, as minisign itself does.
    ///
    /// # Errors
    /// Fails if the password is missing or wrong.
    pub fn decrypt(self, password: Option<&str>) -> Result<SigningKey, SigningError> {
        let secret = if self.is_encrypted() {
            let password = password.ok_or(SigningError::PasswordRequired)?;
            let decrypted = self.text.into_secret_key(Some(password.to_owned()));
            decrypted.map_err(|_| SigningError::WrongPassword)?
        } else {
            // Without a password, minisign writes no checksum, which other ways to read a key demand.
            minisign::SecretKey::from_bytes(&self.bytes).map_err(|_| SigningError::Malformed)?
        };
        let public = minisign::PublicKey::from_secret_key(&secret).map_err(|_| SigningError::Damaged)?;
        Ok(SigningKey { secret, public })
    }
}

impl SigningKey {
    /// Signs some bytes. `file` is their name and `time` the seconds since 1970, which become part of
    /// the signature. Returns the text of a `.minisig` file.
    ///
    /// # Errors
    /// Fails if the key is damaged.
    pub fn sign(&self, bytes: &[u8], file: &str, time: u64) -> Result<String, SigningError> {
        let comment = format!("timestamp:{time}\tfile:{}\thashed", printable(file, MAX_NAME));
        let signed =
            minisign::sign(None, &self.secret, Cursor::new(bytes), Some(&comment), Some(SIGNATURE_COMMENT));
        let signature = signed.map_err(|error| SigningError::System(error.to_string()))?.into_string();
        let key = self.public_key().parse().map_err(|_| SigningError::Damaged)?;
        verify(bytes, &signature, &key).map_err(|_| SigningError::Damaged)?;
        Ok(signature)
    }

    /// Returns the public key in the form of `public_key` in the configuration.
    pub fn public_key(&self) -> String {
        self.public.to_base64()
    }
}

impl GeneratedKey {
    /// Makes a key pair, encrypted if there is a password.
    ///
    /// # Errors
    /// Fails if the system has no randomness.
    pub fn new(password: Option<&str>) -> Result<Self, SigningError> {
        let system = |error: minisign::PError| SigningError::System(error.to_string());
        let pair = match password {
            Some(password) => KeyPair::generate_encrypted_keypair(Some(password.to_owned())),
            None => KeyPair::generate_unencrypted_keypair(),
        };
        let KeyPair { pk, sk } = pair.map_err(system)?;
        Ok(Self {
            secret: sk.to_box(Some(SECRET_KEY_COMMENT)).map_err(system)?.into_string(),
            public: pk.to_box().map_err(system)?.into_string(),
            public_key: pk.to_base64(),
        })
    }
}

/// Parses a public key from the line itself or from the text of a `.pub` file.
pub fn public_key_in(text: &str) -> Option<PublicKey> {
    text.lines().find_map(|line| line.parse().ok())
}

/// Returns the comment of a signature that the signature covers; empty if there is none.
pub fn trusted_comment(signature: &str) -> String {
    let parsed = minisign_verify::Signature::decode(signature);
    let comment = parsed.map(|signature| signature.trusted_comment().replace('\t', " "));
    comment.map(|comment| printable(&comment, MAX_NAME * 2)).unwrap_or_default()
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredKey").field("is_encrypted", &self.is_encrypted()).finish_non_exhaustive()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public_key()).finish_non_exhaustive()
    }
}

impl fmt::Debug for GeneratedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GeneratedKey").field("public_key", &self.public_key).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &[u8] = b"\0asm and so on";
    /// Bytes of a key before its checksum.
    const UNCHECKED_BYTES: usize = 126;

    /// Changes the bytes of an unencrypted key.
    fn changed(key: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
        let (comment, key) = key.trim().split_once('\n').unwrap();
        let mut bytes = STANDARD.decode(key).unwrap();
        change(&mut bytes);
        format!("{comment}\n{}\n", STANDARD.encode(bytes))
    }

    fn signed(key: StoredKey, password: Option<&str>) -> String {
        key.decrypt(password).unwrap().sign(POLICY, "router.wasm", 1_714_430_429).unwrap()
    }

    #[test]
    fn a_generated_key_signs_what_its_public_key_verifies() {
        for password in [None, Some("correct horse"), Some("")] {
            let generated = GeneratedKey::new(password).unwrap();
            let key = StoredKey::parse(&generated.secret).unwrap();
            assert_eq!(key.is_encrypted(), password.is_some());
            let signature = signed(key, password);
            let public = public_key_in(&generated.public).unwrap();
            assert_eq!(generated.public_key.parse(), Ok(public.clone()));
            assert_eq!(verify(POLICY, &signature, &public), Ok(()));
            assert_eq!(trusted_comment(&signature), "timestamp:1714430429 file:router.wasm hashed");
        }
    }

    #[test]
    fn a_key_without_a_checksum_signs_as_minisign_makes_it_without_a_password() {
        let generated = GeneratedKey::new(None).unwrap();
        let key = changed(&generated.secret, |bytes| bytes[UNCHECKED_BYTES..].fill(0));
        let key = StoredKey::parse(&key).unwrap();
        assert!(!key.is_encrypted());
        let public = public_key_in(&generated.public).unwrap();
        assert_eq!(verify(POLICY, &signed(key, None), &public), Ok(()));
    }

    #[test]
    fn a_missing_or_wrong_password_is_reported() {
        let generated = GeneratedKey::new(Some("correct horse")).unwrap();
        let key = StoredKey::parse(&generated.secret).unwrap();
        assert_eq!(key.clone().decrypt(None).unwrap_err(), SigningError::PasswordRequired);
        assert_eq!(key.decrypt(Some("battery staple")).unwrap_err(), SigningError::WrongPassword);
    }

    #[test]
    fn texts_that_are_no_secret_key_are_refused() {
        let generated = GeneratedKey::new(None).unwrap();
        let line = generated.secret.lines().nth(1).unwrap();
        let short = format!("comment\n{}", &line[..line.len() - 4]);
        for text in ["", "RW", "a\nb", &generated.public, &short, line] {
            assert_eq!(StoredKey::parse(text).unwrap_err(), SigningError::Malformed, "{text}");
        }
        assert!(StoredKey::parse(&generated.secret.replace('\n', "\r\n")).is_ok());
    }

    #[test]
    fn a_key_with_changed_bytes_does_not_sign() {
        let generated = GeneratedKey::new(None).unwrap();
        let key = changed(&generated.secret, |bytes| bytes[70] ^= 1);
        let key = StoredKey::parse(&key).and_then(|key| key.decrypt(None));
        let signed = key.and_then(|key| key.sign(POLICY, "router.wasm", 0));
        assert!(matches!(signed, Err(SigningError::Damaged | SigningError::Malformed)), "{signed:?}");
    }

    #[test]
    fn secrets_are_not_shown_by_debug() {
        let generated = GeneratedKey::new(None).unwrap();
        let secret = generated.secret.lines().nth(1).unwrap().to_owned();
        let stored = StoredKey::parse(&generated.secret).unwrap();
        let shown = format!("{generated:?} {stored:?} {:?}", stored.clone().decrypt(None).unwrap());
        assert!(shown.contains(&generated.public_key) && !shown.contains(&secret), "{shown}");
    }
}
