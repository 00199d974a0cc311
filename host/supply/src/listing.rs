//! Versions of a policy in an OCI registry.

use std::sync::Mutex;
use std::time::Duration;

use pointsman_domain::ids::Digest;

use crate::error::SupplyError;
use crate::fetch_spec::RemoteAccess;
use crate::http::HttpClient;
use crate::registry::{Access, Repository};
use crate::source::{Reference, ReferenceVersion};

/// A repository whose tags are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSpec {
    /// Any reference to the repository.
    pub repository: Reference,
    /// Most tags.
    pub limit: usize,
    /// Longest time for all requests.
    pub timeout: Duration,
    /// Access to the servers.
    pub access: RemoteAccess,
}

/// A tag, with the artifact that it refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTag {
    /// Name of the tag.
    pub tag: String,
    /// SHA-256 of the manifest; `None` if the registry does not report it.
    pub manifest: Option<Digest>,
}

impl ListSpec {
    /// Creates a specification with the usual limits: 1,000 tags, five minutes, the system's certificate
    /// authorities.
    pub fn new(repository: Reference) -> Self {
        Self { repository, limit: 1_000, timeout: Duration::from_secs(300), access: RemoteAccess::default() }
    }
}

/// Lists the tags of a repository, in the registry's order.
///
/// # Errors
/// Fails when the registry cannot be reached, refuses, or sends no list.
pub async fn list(spec: &ListSpec) -> Result<Vec<ListedTag>, SupplyError> {
    let timed_out = |_| SupplyError::TimedOut { at: spec.repository.to_string(), limit: spec.timeout };
    tokio::time::timeout(spec.timeout, list_untimed(spec)).await.map_err(timed_out)?
}

async fn list_untimed(spec: &ListSpec) -> Result<Vec<ListedTag>, SupplyError> {
    let http = HttpClient::new(spec.access.ca_pem.as_deref(), &spec.access.proxies)?;
    let authorization = Mutex::default();
    let (has_authorities, credentials) = (spec.access.ca_pem.is_some(), spec.access.credentials.as_ref());
    let repository =
        Repository::new(&http, &spec.repository, has_authorities, Access::Pull, credentials, &authorization);
    let mut listed = Vec::new();
    for tag in repository.tags(spec.limit).await? {
        let reference = spec.repository.with_version(ReferenceVersion::Tag(tag.clone()));
        let tagged =
            Repository::new(&http, &reference, has_authorities, Access::Pull, credentials, &authorization);
        listed.push(ListedTag { tag, manifest: tagged.resolve().await? });
    }
    Ok(listed)
}
