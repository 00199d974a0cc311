//! References to artifacts in OCI registries.

use std::fmt;

use pointsman_domain::ids::Digest;
use reqwest::Url;

use super::{InvalidSource, is_loopback};

/// Length of the longest tag.
const MAX_TAG_LENGTH: usize = 128;
/// Length of the longest name of a repository.
const MAX_REPOSITORY_LENGTH: usize = 255;
/// Name of Docker Hub in references, and the host of its API.
const DOCKER_HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// A reference to an artifact: `REGISTRY/REPOSITORY:TAG` or `REGISTRY/REPOSITORY@sha256:HEX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    registry: String,
    repository: String,
    version: ReferenceVersion,
}

/// The version of an artifact in its repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceVersion {
    /// The artifact that a tag refers to at the moment.
    Tag(String),
    /// The artifact whose manifest has this SHA-256.
    Digest(Digest),
}

impl Reference {
    /// Parses the part after `oci://`, which may be there. A digest takes precedence over a tag before
    /// it.
    ///
    /// # Errors
    /// Fails when the text is not a reference.
    pub fn parse(text: &str) -> Result<Self, InvalidSource> {
        let invalid = |reason: String| InvalidSource::Reference { reason };
        let text = text.strip_prefix("oci://").unwrap_or(text);
        let Some((registry, path)) = text.split_once('/') else {
            return Err(invalid("there is no repository".to_owned()));
        };
        if registry.contains('@') {
            return Err(InvalidSource::Secret);
        }
        let is_host = Url::parse(&format!("https://{registry}/"))
            .is_ok_and(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none());
        if registry.is_empty() || !is_host {
            return Err(invalid(format!("{registry:?} is not a host")));
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
            let rule = "names of a-z 0-9 . _ - with slashes between them";
            return Err(invalid(format!("{repository:?} is not a repository, which is {rule}")));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(invalid(format!("{tag:?} is not a tag, which is up to 128 of a-z A-Z 0-9 . _ -")));
        }
        let version = match (digest, tag) {
            (Some(text), _) => {
                let digest = text.strip_prefix("sha256:").and_then(|hex| hex.parse().ok());
                ReferenceVersion::Digest(digest.ok_or_else(|| {
                    invalid(format!("{text:?} is not a digest, which is sha256: and 64 hex digits"))
                })?)
            }
            (None, Some(tag)) => ReferenceVersion::Tag(tag.to_owned()),
            (None, None) => return Err(invalid("there is neither a tag nor a digest".to_owned())),
        };
        Ok(Self { registry: registry.to_owned(), repository: repository.to_owned(), version })
    }

    /// Parses a repository without a version, as a reference to its tag `latest`, which is the usual one where
    /// none is named.
    ///
    /// # Errors
    /// Fails when the text names a version, or is not a repository.
    pub fn parse_repository(text: &str) -> Result<Self, InvalidSource> {
        // After a version, this is part of an invalid one.
        Self::parse(&format!("{text}:latest"))
    }

    /// Returns the registry's host, with its port if it is not the default.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns the name of the repository.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the version of the artifact.
    pub fn version(&self) -> &ReferenceVersion {
        &self.version
    }

    /// Returns the reference to another version of the same repository.
    #[must_use]
    pub fn with_version(&self, version: ReferenceVersion) -> Self {
        Self { version, ..self.clone() }
    }

    /// Returns the base URL of the registry's API. On this machine that is plain HTTP, unless
    /// certificate authorities are configured.
    pub(crate) fn api(&self, has_authorities: bool) -> String {
        let host = self.registry.rsplit_once(':').map_or(&*self.registry, |(host, port)| {
            if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { &self.registry }
        });
        let scheme = if is_loopback(host) && !has_authorities { "http" } else { "https" };
        let registry = if self.registry == DOCKER_HUB.0 { DOCKER_HUB.1 } else { &self.registry };
        format!("{scheme}://{registry}/v2/{}", self.repository)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { registry, repository, version } = self;
        match version {
            ReferenceVersion::Tag(tag) => write!(f, "oci://{registry}/{repository}:{tag}"),
            ReferenceVersion::Digest(digest) => write!(f, "oci://{registry}/{repository}@sha256:{digest}"),
        }
    }
}

fn is_repository(text: &str) -> bool {
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        let is_plain = |byte: &u8| is_alphanumeric(*byte) || matches!(byte, b'.' | b'_' | b'-');
        // `..` would be a path to another repository.
        bytes.iter().all(is_plain)
            && !part.contains("..")
            && bytes.first().is_some_and(|byte| is_alphanumeric(*byte))
            && bytes.last().is_some_and(|byte| is_alphanumeric(*byte))
    };
    text.len() <= MAX_REPOSITORY_LENGTH && text.split('/').all(is_part)
}

/// Returns whether a text can be a tag: up to 128 of `a-z A-Z 0-9 . _ -`.
pub fn is_tag(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    text.len() <= MAX_TAG_LENGTH
        && text.bytes().all(is_plain)
        && text.bytes().next().is_some_and(|byte| !matches!(byte, b'.' | b'-'))
}
