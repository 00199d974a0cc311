//! Sources of policy code.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pointsman_domain::ids::Digest;
use pointsman_supply::{Credentials, FetchSpec, InvalidSource, Location, Proxies, PublicKey, Source};

use super::document::Node;
use super::problem::Problems;
use super::secrets::{self, Secrets};
use super::{names, proxies, raw};

/// Names of the built-in policies, as written after `builtin:`. The file is the only list of
/// them: the gateway's build script reads it too.
pub const BUILTIN_POLICIES: &[&str] = &include!("builtin-policies.json");

/// Prefix of the source of a built-in policy.
pub const BUILTIN: &str = "builtin:";
/// Extension of policy files in `policy_dir`.
const WASM: &str = ".wasm";

/// Source of a policy's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// Built into the binary: one of [`BUILTIN_POLICIES`].
    Builtin(&'static str),
    /// A file, which existed when the configuration was read, a web server or a registry.
    Fetched(Box<FetchSpec>),
}

impl PolicySource {
    /// Returns the path of the file, if the source is one.
    pub fn file(&self) -> Option<&Path> {
        match self.fetch_spec()?.source.location() {
            Location::File(path) => Some(path),
            _ => None,
        }
    }

    /// Returns the files to watch for changes: the file itself and its signature.
    pub fn watched(&self) -> Vec<PathBuf> {
        let Some(file) = self.file() else { return Vec::new() };
        let signed = self.fetch_spec().is_some_and(|spec| spec.public_key.is_some());
        let signature = signed.then(|| pointsman_supply::signature_path(file));
        std::iter::once(file.to_owned()).chain(signature).collect()
    }

    /// Returns the fetch specification; `None` for a built-in policy.
    pub fn fetch_spec(&self) -> Option<&FetchSpec> {
        match self {
            Self::Builtin(_) => None,
            Self::Fetched(spec) => Some(spec),
        }
    }
}

impl fmt::Display for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(name) => write!(f, "{BUILTIN}{name}"),
            Self::Fetched(spec) => spec.source.fmt(f),
        }
    }
}

/// Contents of `policy_dir`.
pub(super) struct PolicyDir {
    pub(super) path: Option<PathBuf>,
    /// Policy files by policy name.
    pub(super) files: BTreeMap<String, PathBuf>,
    /// One warning for each file whose name is not a valid policy name.
    pub(super) warnings: Vec<String>,
}

impl PolicyDir {
    /// Lists the directory that `policy_dir` names, if it is set.
    pub(super) fn read(
        directory: Option<&str>,
        node: Node<'_>,
        base_dir: &Path,
        problems: &mut Problems<'_>,
    ) -> Self {
        let path = directory.map(|directory| base_dir.join(directory));
        let mut found = Self { path, files: BTreeMap::new(), warnings: Vec::new() };
        let Some(path) = &found.path else { return found };
        let entries = match std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
            Ok(entries) => entries,
            Err(error) => {
                problems.note_io_error(&error);
                let message = format!("cannot read the directory {}: {error}", path.display());
                problems.add(node.place(), message).hint("paths are relative to the configuration file");
                return found;
            }
        };
        for entry in entries {
            let (name, path) = (entry.file_name(), entry.path());
            let name = name.to_string_lossy();
            let Some(name) = name.strip_suffix(WASM).filter(|_| path.is_file()) else { continue };
            if names::is_plain(name) {
                found.files.insert(name.to_owned(), path);
            } else {
                let path = path.display();
                found.warnings.push(format!("{path} is not loaded because of its name: {}", names::RULE));
            }
        }
        found.warnings.sort();
        found
    }
}

/// Source of a policy that is in `policy_dir` but not in the configuration.
pub(super) fn in_directory(path: &Path) -> PolicySource {
    PolicySource::Fetched(Box::new(FetchSpec::new(Source::file(path, None))))
}

/// Reads `source` and the keys that belong to it, except the size limit.
pub(super) fn compile(
    raw: &raw::Policy,
    node: Node<'_>,
    in_directory: Option<&Path>,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
) -> Option<PolicySource> {
    if let Some(name) = raw.source.as_deref().and_then(|source| source.strip_prefix(BUILTIN)) {
        const ALL: [&str; 7] =
            ["sha256", "public_key", "poll", "ca_file", "username", "password_env", "password_file"];
        meaningless(&ALL, "a built-in policy", node, problems);
        return builtin(name, node, problems);
    }
    let sha256 = sha256(raw, node, problems);
    let source = match (&raw.source, in_directory) {
        (Some(text), _) => parse(text, sha256, raw, node, problems)?.relative_to(secrets.base_dir),
        (None, Some(path)) => Source::file(path, sha256),
        (None, None) => {
            problems.lacks(
                node,
                "the policy has no `source`",
                "it is \"builtin:cost\", the path of a WebAssembly file, or an https:// or oci:// address; \
                 a policy in `policy_dir` needs none",
            );
            return None;
        }
    };
    let mut proxies = Proxies::default();
    match source.location() {
        Location::File(path) => {
            let remote = ["poll", "ca_file", "username", "password_env", "password_file"];
            meaningless(&remote, "a policy in a file, which is watched", node, problems);
            check_file(path, raw, node, problems);
        }
        _ if source.is_fixed() => {
            meaningless(&["poll"], "a policy that is fixed by a digest", node, problems);
        }
        _ => {}
    }
    if !matches!(source.location(), Location::File(_)) {
        proxies = proxies::of_source(node, secrets.env, problems);
    }
    let mut spec = FetchSpec::new(source);
    spec.public_key = public_key(raw, node, problems);
    spec.access.ca_pem =
        raw.ca_file.as_ref().and_then(|path| secrets.bytes(path, node.get("ca_file"), problems));
    spec.access.proxies = proxies;
    spec.access.credentials = credentials(raw, node, secrets, problems);
    Some(PolicySource::Fetched(Box::new(spec)))
}

/// Reads `poll`.
pub(super) fn poll(raw: &raw::Policy, node: Node<'_>, problems: &mut Problems<'_>) -> Option<Duration> {
    let poll = raw.poll?.get();
    if poll.is_zero() {
        problems
            .add(node.get("poll").place(), "`poll` is zero")
            .hint("leave it out to resolve the tag only on a reload for another reason");
    }
    Some(poll)
}

fn builtin(name: &str, node: Node<'_>, problems: &mut Problems<'_>) -> Option<PolicySource> {
    let builtin = BUILTIN_POLICIES.iter().copied().find(|builtin| *builtin == name);
    if builtin.is_none() {
        problems
            .add(node.get("source").place(), format!("there is no built-in policy `{name}`"))
            .did_you_mean(name, BUILTIN_POLICIES, "built-in policies");
    }
    builtin.map(PolicySource::Builtin)
}

fn parse(
    text: &str,
    sha256: Option<Digest>,
    raw: &raw::Policy,
    node: Node<'_>,
    problems: &mut Problems<'_>,
) -> Option<Source> {
    match Source::parse(text, sha256) {
        Ok(source) => return Some(source),
        // An invalid digest is already reported.
        Err(InvalidSource::NoDigest) if raw.sha256.is_some() => {}
        Err(InvalidSource::NoDigest) => {
            let message = "a policy from a web server needs its `sha256`";
            problems.lacks(node, message, "`sha256sum FILE` prints it");
        }
        Err(InvalidSource::Secret) => {
            problems
                .add(node.get("source").place(), InvalidSource::Secret.to_string())
                .secret()
                .hint("use `username` with `password_env` or `password_file`");
        }
        Err(error) => {
            problems.add(node.get("source").place(), error.to_string());
        }
    }
    None
}

fn check_file(path: &Path, raw: &raw::Policy, node: Node<'_>, problems: &mut Problems<'_>) {
    let Some(text) = raw.source.as_deref().filter(|_| !path.is_file()) else { return };
    let added = problems.add(node.get("source").place(), format!("there is no file {}", path.display()));
    if BUILTIN_POLICIES.contains(&text) {
        added.hint(format!("the built-in policy is \"{BUILTIN}{text}\""));
    } else {
        added.hint("paths are relative to the configuration file; built-in policies begin with \"builtin:\"");
    }
}

fn meaningless(keys: &[&str], to: &str, node: Node<'_>, problems: &mut Problems<'_>) {
    for (key, entry) in node.entries().filter(|(key, _)| keys.contains(key)) {
        problems.add(entry.key(), format!("`{key}` does not apply to {to}")).hint("remove it");
    }
}

fn sha256(raw: &raw::Policy, node: Node<'_>, problems: &mut Problems<'_>) -> Option<Digest> {
    let digest = raw.sha256.as_ref()?.parse().ok();
    if digest.is_none() {
        problems
            .add(node.get("sha256").place(), "this is not a SHA-256")
            .hint("it is 64 hex digits; `sha256sum FILE` prints it");
    }
    digest
}

fn public_key(raw: &raw::Policy, node: Node<'_>, problems: &mut Problems<'_>) -> Option<PublicKey> {
    match raw.public_key.as_ref()?.parse() {
        Ok(key) => Some(key),
        Err(error) => {
            problems.add(node.get("public_key").place(), format!("{error}"));
            None
        }
    }
}

fn credentials(
    raw: &raw::Policy,
    node: Node<'_>,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
) -> Option<Credentials> {
    let source = secrets::SecretSource {
        keys: ["password_env", "password_file"],
        env: raw.password_env.as_deref(),
        file: raw.password_file.as_deref(),
    };
    let is_given = source.env.is_some() || source.file.is_some();
    let password = secrets.read(&source, node, problems);
    match (&raw.username, is_given) {
        (Some(_), false) => {
            problems
                .add(node.get("username").key(), "there is a `username` without a password")
                .hint("add `password_env` or `password_file`");
        }
        (None, true) => {
            let key = source.keys.into_iter().find(|key| node.entries().any(|(name, _)| name == *key));
            let place = node.get(key.unwrap_or_default()).key();
            problems.add(place, "there is a password without a `username`").hint("add `username`");
        }
        _ => {}
    }
    Some(Credentials { username: raw.username.clone()?, password: password?.expose().to_owned() })
}
