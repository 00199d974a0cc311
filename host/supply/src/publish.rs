//! Publication of policies in OCI registries.

use std::sync::Mutex;
use std::time::Duration;

use pointsman_domain::ids::Digest;

use crate::error::SupplyError;
use crate::fetch_spec::RemoteAccess;
use crate::http::HttpClient;
use crate::registry::{Access, Artifact, EncodedArtifact, Repository};
use crate::source::{Reference, ReferenceVersion};

/// An artifact to publish, and the place for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushSpec {
    /// The repository, and the tag to set.
    pub reference: Reference,
    /// Further tags to set in the repository.
    pub more_tags: Vec<String>,
    /// The artifact.
    pub artifact: Artifact,
    /// Longest time for all requests.
    pub timeout: Duration,
    /// Access to the servers.
    pub access: RemoteAccess,
}

/// A policy that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedPolicy {
    /// SHA-256 of the manifest, which pins the artifact.
    pub manifest: Digest,
    /// SHA-256 of the policy's bytes.
    pub policy: Digest,
    /// True if the policy's bytes were sent; false if the repository had them.
    pub sent_policy: bool,
}

impl PushSpec {
    /// Creates a specification with the usual limits: five minutes, the system's certificate
    /// authorities.
    pub fn new(reference: Reference, artifact: Artifact) -> Self {
        Self {
            reference,
            more_tags: Vec::new(),
            artifact,
            timeout: Duration::from_secs(300),
            access: RemoteAccess::default(),
        }
    }
}

/// Publishes an artifact: its blobs, unless the repository has them, then its manifest under each tag.
/// Dropping the future may leave blobs, but no tag without them.
///
/// # Errors
/// Fails when the reference has no tag, and when the registry cannot be reached or refuses.
pub async fn push(spec: &PushSpec) -> Result<PushedPolicy, SupplyError> {
    let timed_out = |_| SupplyError::TimedOut { at: spec.reference.to_string(), limit: spec.timeout };
    tokio::time::timeout(spec.timeout, push_untimed(spec)).await.map_err(timed_out)?
}

async fn push_untimed(spec: &PushSpec) -> Result<PushedPolicy, SupplyError> {
    let ReferenceVersion::Tag(tag) = spec.reference.version() else {
        return Err(SupplyError::NoTag { at: spec.reference.to_string() });
    };
    let http = HttpClient::new(spec.access.ca_pem.as_deref(), &spec.access.proxies)?;
    let authorization = Mutex::default();
    let (has_authorities, credentials) = (spec.access.ca_pem.is_some(), spec.access.credentials.as_ref());
    let repository =
        Repository::new(&http, &spec.reference, has_authorities, Access::Push, credentials, &authorization);
    let EncodedArtifact { config, layer, manifest } = spec.artifact.encode();
    let sent_policy = repository.upload_blob(&layer).await?;
    repository.upload_blob(&config).await?;
    for tag in std::iter::once(tag).chain(&spec.more_tags) {
        repository.put_manifest(tag, &manifest).await?;
    }
    Ok(PushedPolicy { manifest: manifest.digest, policy: layer.digest, sent_policy })
}
