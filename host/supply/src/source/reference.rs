//! References to artifacts in OCI registries.

use std::fmt;

use pointsman_domain::ids::Digest;
use reqwest::Url;

use super::{InvalidSource, is_loopback};

/// Longest tag, and longest name of a repository.
const LONGEST_TAG: usize = 128;
const LONGEST_REPOSITORY: usize = 255;
/// What Docker Hub is called, and where it is.
const HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// An artifact: `REGISTRY/REPOSITORY:TAG` or `REGISTRY/REPOSITORY@sha256:HEX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    registry: String,
    repository: String,
    version: Version,
}

/// Which of a repository's artifacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// The one that a name leads to now.
    Tag(String),
    /// The one whose manifest has this SHA-256.
    Digest(Digest),
}

impl Reference {
    /// Reads what stands behind `oci://`. A digest counts over a tag before it.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidSource> {
        let invalid = |reason: String| InvalidSource::Reference { reason };
        let Some((registry, path)) = text.split_once('/') else {
            return Err(invalid("there is no repository".to_owned()));
        };
        if registry.contains('@') {
            return Err(InvalidSource::Secret);
        }
        let is_host = Url::parse(&format!("https://{registry}/"))
            .is_ok_and(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none());
        if registry.is_empty() || !is_host {
            return Err(invalid(format!("{registry:?} is no host")));
        }
        let (name, digest) = match path.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (path, None),
        };
        let (repository, tag) = match name.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (name, None),
        };
        if !is_repository(repository) {
            let rule = "repositories are names of a-z 0-9 . _ - with slashes between them";
            return Err(invalid(format!("{repository:?} is no repository: {rule}")));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(invalid(format!("{tag:?} is no tag: tags are up to 128 of a-z A-Z 0-9 . _ -")));
        }
        let version = match (digest, tag) {
            (Some(text), _) => {
                let digest = text.strip_prefix("sha256:").and_then(|hex| hex.parse().ok());
                Version::Digest(digest.ok_or_else(|| {
                    invalid(format!("{text:?} is no digest: it is sha256: and 64 hex digits"))
                })?)
            }
            (None, Some(tag)) => Version::Tag(tag.to_owned()),
            (None, None) => return Err(invalid("there is neither a tag nor a digest".to_owned())),
        };
        Ok(Self { registry: registry.to_owned(), repository: repository.to_owned(), version })
    }

    /// Host, and port if it is not the usual one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The name of the repository.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Which of its artifacts.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Where the registry's API begins. On this machine it is plain HTTP, unless
    /// it is said whose certificates to trust.
    pub(crate) fn api(&self, has_authorities: bool) -> String {
        let host = self.registry.rsplit_once(':').map_or(&*self.registry, |(host, port)| {
            if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { &self.registry }
        });
        let scheme = if is_loopback(host) && !has_authorities { "http" } else { "https" };
        let registry = if self.registry == HUB.0 { HUB.1 } else { &self.registry };
        format!("{scheme}://{registry}/v2/{}", self.repository)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { registry, repository, version } = self;
        match version {
            Version::Tag(tag) => write!(f, "oci://{registry}/{repository}:{tag}"),
            Version::Digest(digest) => write!(f, "oci://{registry}/{repository}@sha256:{digest}"),
        }
    }
}

fn is_repository(text: &str) -> bool {
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        let is_plain = |byte: &u8| is_alphanumeric(*byte) || matches!(byte, b'.' | b'_' | b'-');
        // Two dots in a row would lead out of the repository.
        bytes.iter().all(is_plain)
            && !part.contains("..")
            && bytes.first().is_some_and(|byte| is_alphanumeric(*byte))
            && bytes.last().is_some_and(|byte| is_alphanumeric(*byte))
    };
    text.len() <= LONGEST_REPOSITORY && text.split('/').all(is_part)
}

fn is_tag(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    text.len() <= LONGEST_TAG
        && text.bytes().all(is_plain)
        && text.bytes().next().is_some_and(|byte| !matches!(byte, b'.' | b'-'))
}
