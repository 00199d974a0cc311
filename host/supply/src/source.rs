//! Sources of policies, parsed from text.

mod reference;

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use pointsman_domain::ids::Digest;
use reqwest::Url;

pub use reference::{Reference, ReferenceVersion, is_tag};

const OCI_SCHEME: &str = "oci";

/// The place of a policy, with its digest if known. A source on a web server always has a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    location: Location,
    sha256: Option<Digest>,
}

/// A place of one of the supported kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file on this machine.
    File(PathBuf),
    /// A file on a web server: over `https`, or over `http` on this machine.
    Web(Url),
    /// An artifact in an OCI registry.
    Registry(Reference),
}

/// The text is not a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSource {
    /// The text is empty.
    #[error("the source is empty")]
    Empty,
    /// The URL has an unsupported scheme.
    #[error(
        "{scheme}:// is not supported; a source is the path of a file, or begins with https:// or oci://"
    )]
    Scheme {
        /// The part before `://`.
        scheme: String,
    },
    /// Unencrypted access to another machine.
    #[error("{host} is another machine, which needs https:// instead of http://")]
    Plain {
        /// The host.
        host: String,
    },
    /// The URL is malformed, or does not name a file.
    #[error("this is not the URL of a file: {reason}")]
    Url {
        /// The reason.
        reason: String,
    },
    /// The URL contains a secret, although URLs are logged.
    #[error(
        "the address contains a user name, a password or a query; credentials have settings of their own"
    )]
    Secret,
    /// A web server is named without a digest, so its content could be replaced.
    #[error("a policy from a web server needs its SHA-256, which `sha256sum FILE` prints")]
    NoDigest,
    /// The text is not `oci://REGISTRY/REPOSITORY:TAG`.
    #[error("{reason}; a reference is oci://REGISTRY/REPOSITORY:TAG or oci://REGISTRY/REPOSITORY@sha256:HEX")]
    Reference {
        /// The reason.
        reason: String,
    },
}

impl Source {
    /// Parses `https://…`, `oci://…` or the path of a file. `sha256` is the digest of the policy's
    /// bytes, for every kind of source.
    ///
    /// # Errors
    /// Fails when the text is not a source, or names a web server without a digest.
    pub fn parse(text: &str, sha256: Option<Digest>) -> Result<Self, InvalidSource> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return if text.is_empty() { Err(InvalidSource::Empty) } else { Ok(Self::file(text, sha256)) };
        };
        let location = match scheme {
            "https" | "http" => Location::Web(parse_url(text)?),
            OCI_SCHEME => Location::Registry(Reference::parse(rest)?),
            _ => return Err(InvalidSource::Scheme { scheme: scheme.to_owned() }),
        };
        if matches!(location, Location::Web(_)) && sha256.is_none() {
            return Err(InvalidSource::NoDigest);
        }
        Ok(Self { location, sha256 })
    }

    /// Creates the source of a file.
    pub fn file(path: impl Into<PathBuf>, sha256: Option<Digest>) -> Self {
        Self { location: Location::File(path.into()), sha256 }
    }

    /// Resolves the path of a file relative to a directory. Leaves other sources as they are.
    #[must_use]
    pub fn relative_to(mut self, directory: &Path) -> Self {
        if let Location::File(path) = &mut self.location {
            *path = directory.join(&*path);
        }
        self
    }

    /// Returns the place.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Returns the SHA-256 that the policy's bytes must have, if any.
    pub fn sha256(&self) -> Option<Digest> {
        self.sha256
    }

    /// Returns whether the source refers to the same bytes forever, so that one fetch is enough. A
    /// file with a digest is not fixed: the digest only says which content is valid.
    pub fn is_fixed(&self) -> bool {
        match &self.location {
            Location::File(_) => false,
            Location::Web(_) => true,
            Location::Registry(reference) => {
                self.sha256.is_some() || matches!(reference.version(), ReferenceVersion::Digest(_))
            }
        }
    }

    /// Returns whether the source is on the network.
    pub fn is_remote(&self) -> bool {
        !matches!(self.location, Location::File(_))
    }
}

impl fmt::Display for Source {
    /// Formats the source as it was parsed, without the digest of the bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Location::File(path) => path.display().fmt(f),
            Location::Web(url) => url.fmt(f),
            Location::Registry(reference) => reference.fmt(f),
        }
    }
}

fn parse_url(text: &str) -> Result<Url, InvalidSource> {
    let url = Url::parse(text).map_err(|error| InvalidSource::Url { reason: error.to_string() })?;
    let host = url.host_str().unwrap_or_default();
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(InvalidSource::Secret);
    }
    if url.fragment().is_some() {
        return Err(InvalidSource::Url { reason: "it has a fragment".to_owned() });
    }
    if url.path().ends_with('/') {
        return Err(InvalidSource::Url { reason: "it does not name a file".to_owned() });
    }
    if url.scheme() == "http" && !is_loopback(host) {
        return Err(InvalidSource::Plain { host: host.to_owned() });
    }
    Ok(url)
}

/// Returns whether the host of a URL is this machine, to which connections cannot be intercepted.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
