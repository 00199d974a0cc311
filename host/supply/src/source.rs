//! The places that policies are fetched from, read from text.

mod reference;

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use pointsman_domain::ids::Digest;
use reqwest::Url;

pub use reference::{Reference, Version};

const OCI: &str = "oci";

/// Where a policy is, with its digest where that is known. There is none on a web
/// server without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    location: Location,
    sha256: Option<Digest>,
}

/// The kinds of place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file on this machine.
    File(PathBuf),
    /// A file on a web server: `https`, or `http` on this machine.
    Web(Url),
    /// An artifact in an OCI registry.
    Registry(Reference),
}

/// Why a text names no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSource {
    /// Nothing there.
    #[error("the source is empty")]
    Empty,
    /// A scheme that nothing is fetched by.
    #[error("nothing is fetched by {scheme}://; there are paths of files, https:// and oci://")]
    Scheme {
        /// The part before `://`.
        scheme: String,
    },
    /// Unencrypted, from another machine.
    #[error("{host} is another machine, so it is asked by https:// and not by http://")]
    Plain {
        /// The host.
        host: String,
    },
    /// Not an address.
    #[error("this is no web address: {reason}")]
    Url {
        /// What is wrong with it.
        reason: String,
    },
    /// A secret in a place that gets logged.
    #[error("the address holds a user name, a password or a query; credentials are given apart from it")]
    Secret,
    /// Bytes that anybody could have put there.
    #[error("what a web server hands out is taken only with its SHA-256; `sha256sum FILE` tells it")]
    NoDigest,
    /// Not `oci://REGISTRY/REPOSITORY:TAG`.
    #[error("{reason}; a reference is oci://REGISTRY/REPOSITORY:TAG or oci://REGISTRY/REPOSITORY@sha256:HEX")]
    Reference {
        /// What is wrong with it.
        reason: String,
    },
}

impl Source {
    /// Reads `https://…`, `oci://…` or the path of a file. `sha256` is that of the
    /// policy's bytes, wherever they come from.
    ///
    /// # Errors
    /// When the text names no place, or a web server without a digest.
    pub fn parse(text: &str, sha256: Option<Digest>) -> Result<Self, InvalidSource> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return if text.is_empty() { Err(InvalidSource::Empty) } else { Ok(Self::file(text, sha256)) };
        };
        let location = match scheme {
            "https" | "http" => Location::Web(web(text)?),
            OCI => Location::Registry(Reference::parse(rest)?),
            _ => return Err(InvalidSource::Scheme { scheme: scheme.to_owned() }),
        };
        if matches!(location, Location::Web(_)) && sha256.is_none() {
            return Err(InvalidSource::NoDigest);
        }
        Ok(Self { location, sha256 })
    }

    /// A file.
    pub fn file(path: impl Into<PathBuf>, sha256: Option<Digest>) -> Self {
        Self { location: Location::File(path.into()), sha256 }
    }

    /// With the path of a file, if it is one, taken to be relative to a directory.
    #[must_use]
    pub fn relative_to(mut self, directory: &Path) -> Self {
        if let Location::File(path) = &mut self.location {
            *path = directory.join(&*path);
        }
        self
    }

    /// The place.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The SHA-256 that the policy's bytes must have, if one is demanded.
    pub fn sha256(&self) -> Option<Digest> {
        self.sha256
    }

    /// Whether it leads to the same bytes for ever, so that it need not be asked
    /// again. A file's digest says no more than which of its contents is good.
    pub fn is_fixed(&self) -> bool {
        match &self.location {
            Location::File(_) => false,
            Location::Web(_) => true,
            Location::Registry(reference) => {
                self.sha256.is_some() || matches!(reference.version(), Version::Digest(_))
            }
        }
    }

    /// Whether it is asked over the network.
    pub fn is_remote(&self) -> bool {
        !matches!(self.location, Location::File(_))
    }
}

impl fmt::Display for Source {
    /// As it was parsed, without the digest of the bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Location::File(path) => path.display().fmt(f),
            Location::Web(url) => url.fmt(f),
            Location::Registry(reference) => reference.fmt(f),
        }
    }
}

fn web(text: &str) -> Result<Url, InvalidSource> {
    let url = Url::parse(text).map_err(|error| InvalidSource::Url { reason: error.to_string() })?;
    let host = url.host_str().unwrap_or_default();
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(InvalidSource::Secret);
    }
    if url.fragment().is_some() {
        return Err(InvalidSource::Url { reason: "it has a fragment".to_owned() });
    }
    if url.path().ends_with('/') {
        return Err(InvalidSource::Url { reason: "it names no file".to_owned() });
    }
    if url.scheme() == "http" && !is_loopback(host) {
        return Err(InvalidSource::Plain { host: host.to_owned() });
    }
    Ok(url)
}

/// Whether a host, as an address has it, is this machine, where nobody listens in.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
