//! API keys of clients. Only their hashes are stored, so a leaked configuration grants no
//! access. Keys are long and random, so an unsalted hash cannot be reversed by guessing.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use pointsman_domain::ids::KeyName;
use pointsman_domain::names::{NamePattern, nearest_name};
use sha2::{Digest, Sha256};

use super::document::Node;
use super::problem::Problems;
use super::routes::Route;
use super::{Config, names, raw};

/// Prefix of keys, by which secret scanners can detect leaked ones.
const PREFIX: &str = "pm-";
/// Prefix of hashes in the configuration.
const HASH_PREFIX: &str = "sha256:";
const RANDOM_BYTES: usize = 32;

/// Rule for names of keys, for messages.
pub const NAME_RULE: &str = names::RULE;

/// An API key of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name, which policies see as the tenant.
    pub name: KeyName,
    /// SHA-256 of the key.
    pub sha256: [u8; 32],
    /// Names that it may request; `None` for all.
    pub allowed: Option<AllowedNames>,
}

/// Names of routes, models and aliases that a key may request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedNames {
    /// Names and patterns as they are listed.
    listed: Vec<String>,
    names: HashSet<String>,
    patterns: Vec<NamePattern>,
}

/// An entry of a list of allowed names that matches nothing that clients can request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// Its index in the list.
    pub index: usize,
    /// Description, with the name that was likely meant.
    pub message: String,
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
    /// Returns whether the key may request a name: that of a route or a model, or an alias. A route
    /// may be requested under any of its names if one of the two is allowed: its own, or the one that
    /// the client sends.
    pub fn may_ask_for(&self, name: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(name))
    }
}

impl AllowedNames {
    /// Returns the names and patterns as they are listed.
    pub fn listed(&self) -> &[String] {
        &self.listed
    }

    fn contains(&self, name: &str) -> bool {
        self.names.contains(name) || self.patterns.iter().any(|pattern| pattern.matches(name))
    }

    fn insert(&mut self, listed: &str, pattern: NamePattern) {
        self.listed.push(listed.to_owned());
        match pattern.is_exact() {
            true => _ = self.names.insert(pattern.as_str().to_owned()),
            false => self.patterns.push(pattern),
        }
    }
}

impl<'a> FromIterator<&'a String> for AllowedNames {
    /// Allows names and patterns, whether or not there are routes or models of these names.
    fn from_iter<T: IntoIterator<Item = &'a String>>(listed: T) -> Self {
        let mut allowed = Self::default();
        listed.into_iter().for_each(|entry| allowed.insert(entry, NamePattern::new(entry)));
        allowed
    }
}

impl Config {
    /// Finds the first entry of a list of names and patterns that matches no route, model or alias.
    pub fn unknown_name(&self, listed: &[String]) -> Option<UnknownName> {
        let routes = self.routes.iter().map(|route| route.name.as_str());
        let models = self.models.iter().map(|model| model.id.as_str());
        let known = KnownNames::new(routes.chain(models), &self.routes);
        let (index, entry) =
            listed.iter().enumerate().find(|(_, entry)| !known.has(&NamePattern::new(entry)))?;
        let what = match entry.contains('*') {
            true => format!("no route, model or alias matches `{entry}`"),
            false => format!("there is no route, model or alias `{entry}`"),
        };
        let message = match nearest_name(entry, known.names.iter().copied()) {
            Some(near) => format!("{what}: did you mean `{near}`?"),
            None => format!("{what}: `GET /v1/models` lists what there is"),
        };
        Some(UnknownName { index, message })
    }
}

/// Returns whether a key may have a name.
pub fn is_valid_name(name: &str) -> bool {
    names::is_plain(name)
}

/// Generates a key from 256 random bits. Fails if the system's random number generator does.
pub fn generate() -> Result<NewKey, getrandom::Error> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes)?;
    let key = format!("{PREFIX}{}", hex(&bytes));
    let hash = hash_for_config(&key);
    Ok(NewKey { key, hash })
}

/// Returns the value of `hash` in the configuration for a key that exists already.
pub fn hash_for_config(key: &str) -> String {
    format!("{HASH_PREFIX}{}", hex(&hash(key)))
}

/// Returns the SHA-256 of a key.
pub fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

pub(super) fn compile(
    keys: &BTreeMap<String, raw::Key>,
    root: Node<'_>,
    routes: &[Route],
    problems: &mut Problems<'_>,
) -> Vec<Key> {
    let of_routes = root.get("routes").entries().map(|(name, _)| name);
    let of_models = root.get("models").entries().map(|(id, _)| id);
    let known = KnownNames::new(of_routes.chain(of_models), routes);
    let mut compiled: Vec<Key> = Vec::new();
    for (name, node) in root.get("keys").entries() {
        names::check("key", name, node, problems);
        let Some(raw) = keys.get(name) else { continue };
        let patterns = raw.routes.as_ref();
        let allowed = patterns.map(|patterns| known.allowed(patterns, node.get("routes"), problems));
        let Some(sha256) = hash_of(raw, node, problems) else { continue };
        if let Some(same) = compiled.iter().find(|key| key.sha256 == sha256) {
            problems
                .add(node.get("hash").place(), format!("key `{name}` is the same as key `{}`", same.name));
        }
        compiled.push(Key { name: KeyName::new(name), sha256, allowed });
    }
    compiled
}

/// Names that clients can request.
struct KnownNames<'d> {
    /// Routes, models and exact aliases.
    names: Vec<&'d str>,
    /// Aliases that are patterns.
    patterns: Vec<&'d NamePattern>,
}

impl<'d> KnownNames<'d> {
    /// Adds the aliases of routes to the names of routes and models.
    fn new(names: impl Iterator<Item = &'d str>, routes: &'d [Route]) -> Self {
        let aliases = routes.iter().flat_map(|route| &route.aliases);
        let (exact, patterns): (Vec<_>, Vec<_>) = aliases.partition(|alias| alias.is_exact());
        let names = names.chain(exact.into_iter().map(NamePattern::as_str)).collect();
        Self { names, patterns }
    }

    /// Returns whether a pattern matches any.
    fn has(&self, pattern: &NamePattern) -> bool {
        self.names.iter().any(|name| pattern.matches(name))
            || self.patterns.iter().any(|alias| alias.overlaps(pattern))
    }

    /// Returns the names that a list allows. Each entry has to match some that there are.
    fn allowed(&self, list: &[String], node: Node<'_>, problems: &mut Problems<'_>) -> AllowedNames {
        let mut allowed = AllowedNames::default();
        for (index, entry) in list.iter().enumerate() {
            let pattern = NamePattern::new(entry);
            if !self.has(&pattern) {
                names::report_unknown("route", entry, node.at(index), &self.names, problems);
            }
            allowed.insert(entry, pattern);
        }
        allowed
    }
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
