//! Policies in OCI registries: a manifest with one layer of WebAssembly, as `wkg oci push`
//! writes it, or an index of one such manifest.
//!
//! Of the registry's API this is what a pull needs: manifests, blobs and tokens.
//! Every answer is bounded, and counts only with the digest that it was asked by.

mod challenge;
mod manifest;

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Method};
use pointsman_domain::ids::Digest;
use reqwest::Url;
use serde::Deserialize;

use crate::check::{sha256, with_digest};
use crate::error::SupplyError;
use crate::http::{Answer, Ask, Http, basic, sensitive};
use crate::order::{Credentials, Order};
use crate::source::{Reference, Version, is_loopback};
use challenge::Challenge;
pub(crate) use manifest::SIGNATURE;
use manifest::{Document, Manifest};

/// Most bytes of a manifest. That of a policy has some hundred.
const MAX_MANIFEST: usize = 256 << 10;
/// Most bytes of what a token comes in.
const MAX_TOKEN: usize = 64 << 10;
const DIGEST: &str = "docker-content-digest";
const CHALLENGE: &str = "www-authenticate";

/// One repository, and who asks.
pub(crate) struct Repository<'a> {
    http: &'a Http,
    reference: &'a Reference,
    api: String,
    credentials: Option<&'a Credentials>,
    /// What the registry let in last.
    authorization: &'a Mutex<Option<HeaderValue>>,
}

#[derive(Deserialize)]
struct Token {
    #[serde(alias = "access_token")]
    token: String,
}

impl<'a> Repository<'a> {
    pub(crate) fn new(
        http: &'a Http,
        reference: &'a Reference,
        order: &'a Order,
        authorization: &'a Mutex<Option<HeaderValue>>,
    ) -> Self {
        let api = reference.api(order.ca_pem.is_some());
        Self { http, reference, api, credentials: order.credentials.as_ref(), authorization }
    }

    /// Which manifest the reference leads to, if the registry tells without
    /// sending it.
    pub(crate) async fn resolve(&self) -> Result<Option<Digest>, SupplyError> {
        let answer = self.ask(Method::HEAD, &self.manifest_path(), manifest::ACCEPTED).await?.success()?;
        Ok(told_digest(&answer))
    }

    /// The manifest that the reference leads to, with its digest.
    pub(crate) async fn manifest(&self) -> Result<(Digest, Manifest), SupplyError> {
        let pinned = match self.reference.version() {
            Version::Digest(digest) => Some(*digest),
            Version::Tag(_) => None,
        };
        let (at, digest, document) = self.document(&self.manifest_path(), pinned).await?;
        let index = match document {
            Document::Manifest(manifest) => return Ok((digest, manifest)),
            Document::Index(manifest) => manifest,
        };
        match self.image_of(&at, index).await? {
            // What the reference leads to is the index, and so is what `resolve` returns.
            Document::Manifest(manifest) => Ok((digest, manifest)),
            Document::Index(_) => {
                Err(SupplyError::Manifest { at, reason: "it is an index of an index".to_owned() })
            }
        }
    }

    /// Gets the manifest that an index names.
    async fn image_of(&self, index: &str, manifest: Digest) -> Result<Document, SupplyError> {
        match self.document(&format!("manifests/sha256:{manifest}"), Some(manifest)).await {
            Ok((_, _, document)) => Ok(document),
            Err(SupplyError::Status { status: 404, .. }) => Err(SupplyError::Manifest {
                at: index.to_owned(),
                reason: format!("it is an index, and the registry does not have its image sha256:{manifest}"),
            }),
            Err(error) => Err(error),
        }
    }

    /// Gets a manifest or an index. Returns its address, its digest, and what it says.
    async fn document(
        &self,
        path: &str,
        pinned: Option<Digest>,
    ) -> Result<(String, Digest, Document), SupplyError> {
        let answer = self.ask(Method::GET, path, manifest::ACCEPTED).await?.success()?;
        let at = answer.at().to_owned();
        let expected = pinned.or_else(|| told_digest(&answer));
        let body = answer.body(MAX_MANIFEST).await?;
        let digest = sha256(&body);
        if let Some(expected) = expected.filter(|expected| *expected != digest) {
            return Err(SupplyError::WrongDigest { at, expected, found: digest });
        }
        match Document::parse(&body) {
            Ok(document) => Ok((at, digest, document)),
            Err(reason) => Err(SupplyError::Manifest { at, reason }),
        }
    }

    /// The policy that a manifest describes.
    pub(crate) async fn policy(&self, manifest: &Manifest, limit: usize) -> Result<Bytes, SupplyError> {
        let at = self.reference.to_string();
        if manifest.size > limit {
            return Err(SupplyError::TooLarge { at, limit });
        }
        let path = format!("blobs/sha256:{}", manifest.policy);
        let body = self.ask(Method::GET, &path, "*/*").await?.success()?.body(manifest.size).await?;
        Ok(with_digest(body, Some(manifest.policy), at).await?.bytes)
    }

    fn manifest_path(&self) -> String {
        match self.reference.version() {
            Version::Tag(tag) => format!("manifests/{tag}"),
            Version::Digest(digest) => format!("manifests/sha256:{digest}"),
        }
    }

    /// Asks for something in the repository, and for permission if need be.
    async fn ask(&self, method: Method, path: &str, accept: &'static str) -> Result<Answer, SupplyError> {
        let url = self.url(path)?;
        let before = self.authorization().clone();
        let mut ask = Ask { method, url, accept, authorization: before };
        let answer = self.http.send(ask.clone()).await?;
        if answer.status() != 401 {
            return Ok(answer);
        }
        let authorization = self.authorize(&answer).await?;
        ask.authorization = Some(authorization.clone());
        let answer = self.http.send(ask).await?;
        if answer.status() == 401 {
            return Err(self.unauthorized(&answer));
        }
        *self.authorization() = Some(authorization);
        Ok(answer)
    }

    fn url(&self, path: &str) -> Result<Url, SupplyError> {
        let text = format!("{}/{path}", self.api);
        Url::parse(&text)
            .map_err(|error| SupplyError::Unreachable { at: text.clone(), reason: error.to_string() })
    }

    /// What a registry that answered "unauthorized" wants to be sent.
    async fn authorize(&self, answer: &Answer) -> Result<HeaderValue, SupplyError> {
        let mut challenges: Vec<_> = answer.header(CHALLENGE).filter_map(Challenge::parse).collect();
        // Credentials for a token are sent less often than by themselves.
        challenges.sort_by_key(|challenge| matches!(challenge, Challenge::Basic));
        match challenges.first() {
            Some(Challenge::Bearer { realm, service }) => {
                self.token(answer.at(), realm, service.as_deref()).await
            }
            Some(Challenge::Basic) => {
                self.credentials.and_then(basic).ok_or_else(|| self.unauthorized(answer))
            }
            None => Err(SupplyError::Unauthorized {
                at: answer.at().to_owned(),
                reason: "it asks for credentials in no way that is known here".to_owned(),
            }),
        }
    }

    /// Gets a token to read this repository. The registry says where, but not
    /// for what.
    async fn token(&self, at: &str, realm: &str, service: Option<&str>) -> Result<HeaderValue, SupplyError> {
        let refused = |reason: &str| SupplyError::Unauthorized {
            at: at.to_owned(),
            reason: format!("it issues tokens at {realm:?}, {reason}"),
        };
        let mut url = Url::parse(realm).map_err(|_| refused("which is no address"))?;
        let is_here = is_loopback(url.host_str().unwrap_or_default()) && self.api.starts_with("http://");
        if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
            return Err(refused("where nobody's credentials are safe"));
        }
        url.query_pairs_mut()
            .extend_pairs(service.map(|service| ("service", service)))
            .append_pair("scope", &format!("repository:{}:pull", self.reference.repository()));
        let ask = Ask { authorization: self.credentials.and_then(basic), ..Ask::get(url) };
        let answer = self.http.send(ask).await?;
        if matches!(answer.status(), 401 | 403) {
            return Err(self.unauthorized(&answer));
        }
        let body = answer.success()?.body(MAX_TOKEN).await?;
        let token: Token = serde_json::from_slice(&body).map_err(|_| refused("but what is there is none"))?;
        sensitive(&format!("Bearer {}", token.token)).ok_or_else(|| refused("but what is there is none"))
    }

    fn unauthorized(&self, answer: &Answer) -> SupplyError {
        let reason = match self.credentials {
            None => "it wants a user name and a password or token".to_owned(),
            Some(credentials) => format!(
                "the credentials of `{}` are wrong, or do not allow to read `{}`",
                credentials.username,
                self.reference.repository()
            ),
        };
        SupplyError::Unauthorized { at: answer.at().to_owned(), reason }
    }

    fn authorization(&self) -> std::sync::MutexGuard<'_, Option<HeaderValue>> {
        self.authorization.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The digest that the registry says it answers with.
fn told_digest(answer: &Answer) -> Option<Digest> {
    answer.header(DIGEST).next()?.strip_prefix("sha256:")?.parse().ok()
}
