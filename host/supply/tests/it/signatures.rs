use pointsman_supply::{InvalidPublicKey, PublicKey, SignatureError, verify};

use super::POLICY;
use crate::keys::Signer;

/// Signatures by minisign 0.11 over the text `test`, with a key that was discarded: in the current
/// format, and in the legacy format (`-l`).
const HASHED: &str = include_str!("../fixtures/hashed.minisig");
const LEGACY: &str = include_str!("../fixtures/legacy.minisig");
const PUBLIC_KEY: &str = include_str!("../fixtures/minisign.pub");

#[test]
fn bytes_signed_by_the_key_are_accepted() {
    let signer = Signer::new();
    assert_eq!(verify(POLICY, &signer.sign(POLICY), &signer.public_key()), Ok(()));
    assert_eq!(verify(b"", &signer.sign(b""), &signer.public_key()), Ok(()));
}

#[test]
fn a_change_of_any_byte_is_detected() {
    let (signer, mut bytes) = (Signer::new(), POLICY.to_vec());
    let signature = signer.sign(&bytes);
    for index in 0..bytes.len() {
        bytes[index] ^= 1;
        assert_eq!(verify(&bytes, &signature, &signer.public_key()), Err(SignatureError::Wrong));
        bytes[index] ^= 1;
    }
    assert_eq!(verify(&bytes[1..], &signature, &signer.public_key()), Err(SignatureError::Wrong));
}

#[test]
fn a_changed_trusted_comment_is_detected() {
    let signer = Signer::new();
    let signature = signer.sign(POLICY);
    let changed = signature.replace("version 1", "version 2");
    assert_ne!(signature, changed);
    assert_eq!(verify(POLICY, &changed, &signer.public_key()), Err(SignatureError::Wrong));
}

#[test]
fn another_key_is_distinguished_from_a_wrong_signature() {
    let signature = Signer::new().sign(POLICY);
    assert_eq!(verify(POLICY, &signature, &Signer::new().public_key()), Err(SignatureError::OtherKey));
}

#[test]
fn malformed_signatures_are_refused() {
    let signer = Signer::new();
    let signature = signer.sign(POLICY);
    let lines: Vec<&str> = signature.lines().collect();
    let cut = lines[..3].join("\n");
    let unlabelled = signature.replace("trusted comment: ", "");
    for text in ["", "signed", "\n\n\n\n", &cut, &unlabelled, &signature.replace("RU", "XX")] {
        assert_eq!(verify(POLICY, text, &signer.public_key()), Err(SignatureError::Malformed), "{text}");
    }
}

#[test]
fn current_and_legacy_signatures_of_minisign_are_accepted() {
    let key: PublicKey = PUBLIC_KEY.lines().nth(1).unwrap().parse().unwrap();
    for signature in [HASHED, LEGACY] {
        assert_eq!(verify(b"test", signature, &key), Ok(()));
        assert_eq!(verify(b"tent", signature, &key), Err(SignatureError::Wrong));
    }
}

#[test]
fn malformed_public_keys_are_refused() {
    for text in ["", "RW", "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO", LEGACY, PUBLIC_KEY] {
        assert_eq!(text.parse::<PublicKey>(), Err(InvalidPublicKey), "{text}");
    }
}
