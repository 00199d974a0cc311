//! Policies in OCI registries: a manifest with one layer of WebAssembly, as `wkg oci push` writes
//! it, or an index of one such manifest.
//!
//! Implements the part of the distribution API that a pull and a push need: manifests, blobs and
//! tokens. Every response is bounded in size, and its digest is verified.

mod artifact;
mod authorization;
mod challenge;
mod manifest;
mod tags;
mod upload;

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Method};
use pointsman_domain::ids::Digest;
use reqwest::Url;

use crate::error::SupplyError;
use crate::fetch_spec::Credentials;
use crate::http::{HttpClient, HttpRequest, HttpResponse};
use crate::source::{Reference, ReferenceVersion};
use crate::verification::{sha256, verify_digest};
pub(crate) use artifact::EncodedArtifact;
pub use artifact::{Artifact, ComponentInterfaces};
pub(crate) use authorization::Access;
pub use manifest::SIGNATURE_ANNOTATION;
use manifest::{ManifestOrIndex, PolicyManifest};

/// Largest size of a manifest in bytes. A policy's has some hundred.
const MAX_MANIFEST_BYTES: usize = 256 << 10;
const DIGEST_HEADER: &str = "docker-content-digest";

/// A repository, with the credentials for its registry.
pub(crate) struct Repository<'a> {
    http: &'a HttpClient,
    reference: &'a Reference,
    api: String,
    access: Access,
    credentials: Option<&'a Credentials>,
    /// `Authorization` header that the registry accepted last.
    authorization: &'a Mutex<Option<HeaderValue>>,
}

impl<'a> Repository<'a> {
    /// Creates a repository. With certificate authorities, a registry on this machine is called over
    /// HTTPS as well.
    pub(crate) fn new(
        http: &'a HttpClient,
        reference: &'a Reference,
        has_authorities: bool,
        access: Access,
        credentials: Option<&'a Credentials>,
        authorization: &'a Mutex<Option<HeaderValue>>,
    ) -> Self {
        Self { http, reference, api: reference.api(has_authorities), access, credentials, authorization }
    }

    /// Returns the digest of the manifest that the reference leads to. `None` if the registry does not
    /// report it without sending the manifest.
    pub(crate) async fn resolve(&self) -> Result<Option<Digest>, SupplyError> {
        let path = self.manifest_path();
        let response = self.request(Method::HEAD, &path, manifest::ACCEPTED).await?.error_for_status()?;
        Ok(reported_digest(&response))
    }

    /// Gets the manifest of the policy. The digest is that of the document that the reference leads
    /// to, which may be an index, as for [`resolve`](Self::resolve).
    pub(crate) async fn manifest(&self) -> Result<(Digest, PolicyManifest), SupplyError> {
        let pinned = match self.reference.version() {
            ReferenceVersion::Digest(digest) => Some(*digest),
            ReferenceVersion::Tag(_) => None,
        };
        let (at, digest, document) = self.document(&self.manifest_path(), pinned).await?;
        let index = match document {
            ManifestOrIndex::Manifest(manifest) => return Ok((digest, manifest)),
            ManifestOrIndex::Index(manifest) => manifest,
        };
        match self.indexed_manifest(&at, index).await? {
            ManifestOrIndex::Manifest(manifest) => Ok((digest, manifest)),
            ManifestOrIndex::Index(_) => {
                Err(SupplyError::Manifest { at, reason: "it is an index of an index".to_owned() })
            }
        }
    }

    /// Gets the manifest that an index names.
    async fn indexed_manifest(&self, index: &str, manifest: Digest) -> Result<ManifestOrIndex, SupplyError> {
        match self.document(&format!("manifests/sha256:{manifest}"), Some(manifest)).await {
            Ok((_, _, document)) => Ok(document),
            Err(SupplyError::Status { status: 404, .. }) => Err(SupplyError::Manifest {
                at: index.to_owned(),
                reason: format!("it is an index, and the registry does not have its image sha256:{manifest}"),
            }),
            Err(error) => Err(error),
        }
    }

    /// Gets a manifest or an index, with its URL and its digest.
    async fn document(
        &self,
        path: &str,
        pinned: Option<Digest>,
    ) -> Result<(String, Digest, ManifestOrIndex), SupplyError> {
        let response = self.request(Method::GET, path, manifest::ACCEPTED).await?.error_for_status()?;
        let at = response.at().to_owned();
        let expected = pinned.or_else(|| reported_digest(&response));
        let body = response.body(MAX_MANIFEST_BYTES).await?;
        let digest = sha256(&body);
        if let Some(expected) = expected.filter(|expected| *expected != digest) {
            return Err(SupplyError::WrongDigest { at, expected, found: digest });
        }
        match ManifestOrIndex::parse(&body) {
            Ok(document) => Ok((at, digest, document)),
            Err(reason) => Err(SupplyError::Manifest { at, reason }),
        }
    }

    /// Gets the bytes of the policy that a manifest describes, and verifies their digest.
    pub(crate) async fn policy(&self, manifest: &PolicyManifest, limit: usize) -> Result<Bytes, SupplyError> {
        let at = self.reference.to_string();
        if manifest.size > limit {
            return Err(SupplyError::TooLarge { at, limit });
        }
        let path = format!("blobs/sha256:{}", manifest.policy);
        let response = self.request(Method::GET, &path, "*/*").await?.error_for_status()?;
        let body = response.body(manifest.size).await?;
        Ok(verify_digest(body, Some(manifest.policy), at).await?.bytes)
    }

    fn manifest_path(&self) -> String {
        match self.reference.version() {
            ReferenceVersion::Tag(tag) => format!("manifests/{tag}"),
            ReferenceVersion::Digest(digest) => format!("manifests/sha256:{digest}"),
        }
    }

    /// Sends a request without a body within the repository.
    async fn request(
        &self,
        method: Method,
        path: &str,
        accept: &'static str,
    ) -> Result<HttpResponse, SupplyError> {
        let request = HttpRequest { method, accept, ..HttpRequest::get(self.url(path)?) };
        self.send(request).await
    }

    /// Sends a request to the registry. If the registry demands authorization, obtains it and sends
    /// the request once more.
    async fn send(&self, mut request: HttpRequest) -> Result<HttpResponse, SupplyError> {
        request.authorization = self.authorization().clone();
        let response = self.http.send(request.clone()).await?;
        if response.status() != 401 {
            return Ok(response);
        }
        let authorization = self.authorize(&response).await?;
        request.authorization = Some(authorization.clone());
        let response = self.http.send(request).await?;
        if response.status() == 401 {
            return Err(self.unauthorized(response.at()));
        }
        *self.authorization() = Some(authorization);
        Ok(response)
    }

    fn url(&self, path: &str) -> Result<Url, SupplyError> {
        let text = format!("{}/{path}", self.api);
        Url::parse(&text)
            .map_err(|error| SupplyError::Unreachable { at: text.clone(), reason: error.to_string() })
    }

    fn authorization(&self) -> MutexGuard<'_, Option<HeaderValue>> {
        self.authorization.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the digest that the registry reports for a response.
fn reported_digest(response: &HttpResponse) -> Option<Digest> {
    response.header(DIGEST_HEADER).next()?.strip_prefix("sha256:")?.parse().ok()
}
