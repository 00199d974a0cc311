//! Fetching, with a cache of the last result for each specification.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::HeaderValue;
use reqwest::Url;

use crate::error::SupplyError;
use crate::fetch_spec::FetchSpec;
use crate::http::{HttpClient, without_secrets};
use crate::registry::{Access, Repository, SIGNATURE_ANNOTATION};
use crate::source::{Location, Reference};
use crate::verification::{FetchedPolicy, verify_policy};
use crate::{file, web};

/// Largest size of a signature in bytes. A usual one has some 300.
const MAX_SIGNATURE_BYTES: usize = 8 << 10;
/// Suffix of a signature's path beside a file or a URL.
const SIGNATURE_SUFFIX: &str = ".minisig";

/// Fetches policies, and caches the last result of each specification. A remote source with a fixed
/// version is requested once, and one with a movable tag costs one small request while the tag does
/// not move. Files are read every time.
#[derive(Debug, Default)]
pub struct Fetcher {
    sources: Mutex<Vec<Arc<RemoteSource>>>,
}

/// State of one remote specification between fetches.
#[derive(Debug)]
struct RemoteSource {
    spec: FetchSpec,
    http: HttpClient,
    /// `Authorization` header that the server accepted last.
    authorization: Mutex<Option<HeaderValue>>,
    cached: Mutex<Option<FetchedPolicy>>,
}

impl Fetcher {
    /// Creates a fetcher with an empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// Fetches the current policy. Dropping the future cancels the fetch.
    ///
    /// # Errors
    /// Fails when the source cannot be reached, or its policy does not meet the specification. An
    /// earlier result stays [cached](Self::cached).
    pub async fn fetch(&self, spec: &FetchSpec) -> Result<FetchedPolicy, SupplyError> {
        let fetching = async {
            match spec.source.location() {
                Location::File(path) => fetch_file(spec, path).await,
                Location::Web(url) => self.remote_source(spec)?.fetch_web(url).await,
                Location::Registry(reference) => self.remote_source(spec)?.fetch_registry(reference).await,
            }
        };
        let timed_out = |_| SupplyError::TimedOut { at: spec.source.to_string(), limit: spec.timeout };
        tokio::time::timeout(spec.timeout, fetching).await.map_err(timed_out)?
    }

    /// Returns the last result for a specification, without any request. Files are not cached.
    pub fn cached(&self, spec: &FetchSpec) -> Option<FetchedPolicy> {
        let sources = self.sources();
        let source = sources.iter().find(|source| source.spec == *spec)?;
        source.cached().clone()
    }

    /// Drops the results for all other specifications.
    pub fn retain(&self, specs: &[FetchSpec]) {
        self.sources().retain(|source| specs.contains(&source.spec));
    }

    fn remote_source(&self, spec: &FetchSpec) -> Result<Arc<RemoteSource>, SupplyError> {
        let mut sources = self.sources();
        if let Some(source) = sources.iter().find(|source| source.spec == *spec) {
            return Ok(Arc::clone(source));
        }
        let source = Arc::new(RemoteSource {
            spec: spec.clone(),
            http: HttpClient::new(spec.access.ca_pem.as_deref(), &spec.access.proxies)?,
            authorization: Mutex::default(),
            cached: Mutex::default(),
        });
        sources.push(Arc::clone(&source));
        Ok(source)
    }

    fn sources(&self) -> MutexGuard<'_, Vec<Arc<RemoteSource>>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RemoteSource {
    async fn fetch_web(&self, url: &Url) -> Result<FetchedPolicy, SupplyError> {
        // A web source always names a digest, so its content is fixed.
        if let Some(cached) = self.cached().clone() {
            return Ok(cached);
        }
        let spec = &self.spec;
        let credentials = spec.access.credentials.as_ref();
        let bytes = web::get(&self.http, url, credentials, spec.max_bytes).await?;
        let mut beside = url.clone();
        beside.set_path(&format!("{}{SIGNATURE_SUFFIX}", url.path()));
        let signature =
            async || web::get_if_exists(&self.http, &beside, credentials, MAX_SIGNATURE_BYTES).await;
        let policy = verify_policy(spec, bytes, without_secrets(&beside), signature).await?;
        Ok(self.cache(policy))
    }

    async fn fetch_registry(&self, reference: &Reference) -> Result<FetchedPolicy, SupplyError> {
        let spec = &self.spec;
        let (has_authorities, credentials) = (spec.access.ca_pem.is_some(), spec.access.credentials.as_ref());
        let repository = Repository::new(
            &self.http,
            reference,
            has_authorities,
            Access::Pull,
            credentials,
            &self.authorization,
        );
        let cached = self.cached().clone();
        if let Some(cached) = &cached
            && (spec.source.is_fixed() || repository.resolve().await? == cached.manifest)
        {
            return Ok(cached.clone());
        }
        let (digest, manifest) = repository.manifest().await?;
        let at = spec.source.to_string();
        if let Some(expected) = spec.source.sha256().filter(|expected| *expected != manifest.policy) {
            return Err(SupplyError::WrongDigest { at, expected, found: manifest.policy });
        }
        let bytes = match cached.filter(|cached| cached.digest == manifest.policy) {
            // The manifest has changed, but not the policy.
            Some(cached) => cached.bytes,
            None => repository.policy(&manifest, spec.max_bytes).await?,
        };
        let annotation = format!("the annotation {SIGNATURE_ANNOTATION} of {at}");
        let found = manifest.signature.map(Bytes::from);
        let signature = async || Ok(found.clone());
        let policy = verify_policy(spec, bytes, annotation, signature).await?;
        Ok(self.cache(FetchedPolicy { manifest: Some(digest), signature: found, ..policy }))
    }

    fn cache(&self, policy: FetchedPolicy) -> FetchedPolicy {
        *self.cached() = Some(policy.clone());
        policy
    }

    fn cached(&self) -> MutexGuard<'_, Option<FetchedPolicy>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the path of the signature of a file.
pub fn signature_path(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(SIGNATURE_SUFFIX);
    path.into()
}

async fn fetch_file(spec: &FetchSpec, path: &Path) -> Result<FetchedPolicy, SupplyError> {
    let bytes = file::read(path, spec.max_bytes).await?;
    let beside = signature_path(path);
    let signature = async || file::read_if_exists(&beside, MAX_SIGNATURE_BYTES).await;
    verify_policy(spec, bytes, beside.display().to_string(), signature).await
}
