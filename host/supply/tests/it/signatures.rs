use pointsman_supply::{InvalidPublicKey, PublicKey, SignatureError, verify};

use super::POLICY;
use crate::keys::Signer;

/// Made by the program minisign 0.11 over the text `test`, with a key that was
/// thrown away: as it does now, and with `-l` as older ones did.
const HASHED: &str = include_str!("../fixtures/hashed.minisig");
const LEGACY: &str = include_str!("../fixtures/legacy.minisig");
const PUBLIC_KEY: &str = include_str!("../fixtures/minisign.pub");

#[test]
fn bytes_signed_by_the_key_are_taken() {
    let signer = Signer::new();
    assert_eq!(verify(POLICY, &signer.sign(POLICY), &signer.public_key()), Ok(()));
    assert_eq!(verify(b"", &signer.sign(b""), &signer.public_key()), Ok(()));
}

#[test]
fn a_changed_byte_is_noticed_wherever_it_is() {
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
fn a_changed_comment_that_was_trusted_is_noticed() {
    let signer = Signer::new();
    let signature = signer.sign(POLICY);
    let changed = signature.replace("version 1", "version 2");
    assert_ne!(signature, changed);
    assert_eq!(verify(POLICY, &changed, &signer.public_key()), Err(SignatureError::Wrong));
}

#[test]
fn another_key_is_told_apart_from_a_wrong_signature() {
    let signature = Signer::new().sign(POLICY);
    assert_eq!(verify(POLICY, &signature, &Signer::new().public_key()), Err(SignatureError::OtherKey));
}

#[test]
fn what_is_no_signature_is_refused() {
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
fn signatures_of_the_program_minisign_are_taken_old_and_new() {
    let key: PublicKey = PUBLIC_KEY.lines().nth(1).unwrap().parse().unwrap();
    for signature in [HASHED, LEGACY] {
        assert_eq!(verify(b"test", signature, &key), Ok(()));
        assert_eq!(verify(b"tent", signature, &key), Err(SignatureError::Wrong));
    }
}

#[test]
fn what_is_no_public_key_is_refused() {
    for text in ["", "RW", "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO", LEGACY, PUBLIC_KEY] {
        assert_eq!(text.parse::<PublicKey>(), Err(InvalidPublicKey), "{text}");
    }
}
