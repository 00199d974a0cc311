//! API keys of clients. Only their hashes are stored, so a leaked configuration grants no
//! access. Keys are long and random, so an unsalted hash cannot be reversed by guessing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use pointsman_domain::ids::KeyName;
use sha2::{Digest, Sha256};

use super::document::Node;
use super::problem::Problems;
use super::{names, raw};

/// Prefix of keys, by which secret scanners can detect leaked ones.
const PREFIX: &str = "pm-";
/// Prefix of hashes in the configuration.
const HASH_PREFIX: &str = "sha256:";
const RANDOM_BYTES: usize = 32;

/// An API key of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name, which policies see as the tenant.
    pub name: KeyName,
    /// SHA-256 of the key.
    pub sha256: [u8; 32],
    /// Routes and models that it may request; `None` for all.
    pub allowed: Option<BTreeSet<String>>,
}

/// A newly generated key.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The key that the client sends. It is shown once and not stored.
    pub key: String,
    /// Value of `hash` in the configuration: `sha256:` and hex digits.
    pub hash: String,
}

impl Key {
    /// Returns whether the key may request a route or a model of this name.
    pub fn may_ask_for(&self, name: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(name))
    }
}

/// Generates a key from 256 random bits. Fails if the system's random number generator does.
pub fn generate() -> Result<NewKey, getrandom::Error> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes)?;
    let key = format!("{PREFIX}{}", hex(&bytes));
    let hash = format!("{HASH_PREFIX}{}", hex(&hash(&key)));
    Ok(NewKey { key, hash })
}

/// Returns the SHA-256 of a key.
pub fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

pub(super) fn compile(
    keys: &BTreeMap<String, raw::Key>,
    root: Node<'_>,
    problems: &mut Problems<'_>,
) -> Vec<Key> {
    let routes = root.get("routes").entries().map(|(name, _)| name);
    let names: Vec<&str> = routes.chain(root.get("models").entries().map(|(id, _)| id)).collect();
    let mut compiled: Vec<Key> = Vec::new();
    for (name, node) in root.get("keys").entries() {
        names::check("key", name, node, problems);
        let Some(raw) = keys.get(name) else { continue };
        let allowed = raw.routes.as_ref().map(|patterns| {
            let allowed = names::expand("route", patterns, node.get("routes"), &names, problems);
            allowed.into_iter().map(str::to_owned).collect()
        });
        let Some(sha256) = hash_of(raw, node, problems) else { continue };
        if let Some(same) = compiled.iter().find(|key| key.sha256 == sha256) {
            problems
                .add(node.get("hash").place(), format!("key `{name}` is the same as key `{}`", same.name));
        }
        compiled.push(Key { name: KeyName::new(name), sha256, allowed });
    }
    compiled
}

fn hash_of(raw: &raw::Key, node: Node<'_>, problems: &mut Problems<'_>) -> Option<[u8; 32]> {
    const EXAMPLE: &str = "it is `sha256:` and 64 hex digits; `pointsman key` makes a key and its hash";
    let Some(text) = raw.hash.as_deref() else {
        problems.lacks(node, "the key has no `hash`", EXAMPLE);
        return None;
    };
    let sha256 = text.strip_prefix(HASH_PREFIX).and_then(unhex);
    if sha256.is_none() {
        // The value may be the key itself.
        problems.add(node.get("hash").place(), "this is not the hash of a key").secret().hint(EXAMPLE);
    }
    sha256
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, start) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[start..start + 2], 16).ok()?;
    }
    Some(bytes)
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("hash", &self.hash).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
