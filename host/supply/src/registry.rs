//! Policies in OCI registries: a manifest with one layer of WebAssembly, as `wkg oci push` writes
//! it, or an index of one such manifest.
//!
//! Implements the part of the distribution API that a pull needs: manifests, blobs and tokens. Every
//! response is bounded in size, and its digest is verified.

mod challenge;
mod manifest;

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Method};
use pointsman_domain::ids::Digest;
use reqwest::Url;
use serde::Deserialize;

use crate::error::SupplyError;
use crate::fetch_spec::{Credentials, FetchSpec};
use crate::http::{BodylessRequest, HttpClient, HttpResponse, basic_authorization, sensitive_value};
use crate::source::{Reference, ReferenceVersion, is_loopback};
use crate::verification::{sha256, verify_digest};
use challenge::AuthChallenge;
pub(crate) use manifest::SIGNATURE_ANNOTATION;
use manifest::{ManifestOrIndex, PolicyManifest};

/// Largest size of a manifest in bytes. A policy's has some hundred.
const MAX_MANIFEST_BYTES: usize = 256 << 10;
/// Largest size of a token response in bytes.
const MAX_TOKEN_BYTES: usize = 64 << 10;
const DIGEST_HEADER: &str = "docker-content-digest";
const CHALLENGE_HEADER: &str = "www-authenticate";

/// A repository, with the credentials for its registry.
pub(crate) struct Repository<'a> {
    http: &'a HttpClient,
    reference: &'a Reference,
    api: String,
    credentials: Option<&'a Credentials>,
    /// `Authorization` header that the registry accepted last.
    authorization: &'a Mutex<Option<HeaderValue>>,
}

#[derive(Deserialize)]
struct TokenResponse {
    #[serde(alias = "access_token")]
    token: String,
}

impl<'a> Repository<'a> {
    pub(crate) fn new(
        http: &'a HttpClient,
        reference: &'a Reference,
        spec: &'a FetchSpec,
        authorization: &'a Mutex<Option<HeaderValue>>,
    ) -> Self {
        let api = reference.api(spec.ca_pem.is_some());
        Self { http, reference, api, credentials: spec.credentials.as_ref(), authorization }
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

    /// Sends a request within the repository. If the registry demands authorization, obtains it and
    /// sends the request once more.
    async fn request(
        &self,
        method: Method,
        path: &str,
        accept: &'static str,
    ) -> Result<HttpResponse, SupplyError> {
        let url = self.url(path)?;
        let authorization = self.authorization().clone();
        let mut request = BodylessRequest { method, url, accept, authorization };
        let response = self.http.send(request.clone()).await?;
        if response.status() != 401 {
            return Ok(response);
        }
        let authorization = self.authorize(&response).await?;
        request.authorization = Some(authorization.clone());
        let response = self.http.send(request).await?;
        if response.status() == 401 {
            return Err(self.unauthorized(&response));
        }
        *self.authorization() = Some(authorization);
        Ok(response)
    }

    fn url(&self, path: &str) -> Result<Url, SupplyError> {
        let text = format!("{}/{path}", self.api);
        Url::parse(&text)
            .map_err(|error| SupplyError::Unreachable { at: text.clone(), reason: error.to_string() })
    }

    /// Meets the challenge of a response with status 401. Returns the `Authorization` header to send.
    async fn authorize(&self, response: &HttpResponse) -> Result<HeaderValue, SupplyError> {
        let mut challenges: Vec<_> =
            response.header(CHALLENGE_HEADER).filter_map(AuthChallenge::parse).collect();
        // Tokens come first: credentials are then sent only to obtain one.
        challenges.sort_by_key(|challenge| matches!(challenge, AuthChallenge::Basic));
        match challenges.first() {
            Some(AuthChallenge::Bearer { realm, service }) => {
                self.token(response.at(), realm, service.as_deref()).await
            }
            Some(AuthChallenge::Basic) => {
                self.credentials.and_then(basic_authorization).ok_or_else(|| self.unauthorized(response))
            }
            None => Err(SupplyError::Unauthorized {
                at: response.at().to_owned(),
                reason: "it asks for credentials by an unknown scheme".to_owned(),
            }),
        }
    }

    /// Gets a token to pull from this repository. The registry chooses the issuer, but not the scope.
    async fn token(&self, at: &str, realm: &str, service: Option<&str>) -> Result<HeaderValue, SupplyError> {
        let refused = |reason: &str| SupplyError::Unauthorized {
            at: at.to_owned(),
            reason: format!("it issues tokens at {realm:?}, {reason}"),
        };
        let mut url = Url::parse(realm).map_err(|_| refused("which is not a URL"))?;
        let is_here = is_loopback(url.host_str().unwrap_or_default()) && self.api.starts_with("http://");
        if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
            return Err(refused("where credentials would not be safe"));
        }
        url.query_pairs_mut()
            .extend_pairs(service.map(|service| ("service", service)))
            .append_pair("scope", &format!("repository:{}:pull", self.reference.repository()));
        let authorization = self.credentials.and_then(basic_authorization);
        let request = BodylessRequest { authorization, ..BodylessRequest::get(url) };
        let response = self.http.send(request).await?;
        if matches!(response.status(), 401 | 403) {
            return Err(self.unauthorized(&response));
        }
        let body = response.error_for_status()?.body(MAX_TOKEN_BYTES).await?;
        let response: TokenResponse =
            serde_json::from_slice(&body).map_err(|_| refused("but the response is not a token"))?;
        sensitive_value(&format!("Bearer {}", response.token))
            .ok_or_else(|| refused("but the response is not a token"))
    }

    fn unauthorized(&self, response: &HttpResponse) -> SupplyError {
        let reason = match self.credentials {
            None => "it requires a user name and a password or token".to_owned(),
            Some(credentials) => format!(
                "the credentials of `{}` are wrong, or do not allow to read `{}`",
                credentials.username,
                self.reference.repository()
            ),
        };
        SupplyError::Unauthorized { at: response.at().to_owned(), reason }
    }

    fn authorization(&self) -> MutexGuard<'_, Option<HeaderValue>> {
        self.authorization.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the digest that the registry reports for a response.
fn reported_digest(response: &HttpResponse) -> Option<Digest> {
    response.header(DIGEST_HEADER).next()?.strip_prefix("sha256:")?.parse().ok()
}
