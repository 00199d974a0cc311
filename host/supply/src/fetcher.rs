//! Carries out orders, and keeps what came last of each.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::HeaderValue;
use pointsman_domain::ids::Digest;
use reqwest::Url;

use crate::check::accepted;
use crate::error::SupplyError;
use crate::http::{Http, shown};
use crate::order::Order;
use crate::registry::{Repository, SIGNATURE};
use crate::source::{Location, Reference};
use crate::{file, web};

/// Most bytes of a signature, which has some 300.
const MAX_SIGNATURE: usize = 8 << 10;
/// What a signature's name ends with, beside a file or an address.
const SIGNATURE_SUFFIX: &str = ".minisig";

/// What came of an order: bytes that are all that it demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The policy.
    pub bytes: Bytes,
    /// Its SHA-256.
    pub digest: Digest,
}

/// Fetches policies. It keeps what it fetched last for each order, so that what
/// did not change is not sent again: a source with a fixed version is asked once,
/// one whose tag may move costs one small request. Files are read every time.
#[derive(Debug, Default)]
pub struct Fetcher {
    dealings: Mutex<Vec<Arc<Dealing>>>,
}

/// One order from over the network, and what came of it so far.
#[derive(Debug)]
struct Dealing {
    order: Order,
    http: Http,
    /// What the server let in last.
    authorization: Mutex<Option<HeaderValue>>,
    kept: Mutex<Option<Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    fetched: Fetched,
    /// The manifest that led to it, in a registry.
    manifest: Option<Digest>,
}

impl Fetcher {
    /// A fetcher that has nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Fetches what is there now. An order that was carried out before costs no
    /// more than the question whether something changed, or nothing at all.
    ///
    /// # Errors
    /// When the source cannot be asked, or what it has is not what the order
    /// demands. What was fetched before stays [kept](Self::kept).
    pub async fn fetch(&self, order: &Order) -> Result<Fetched, SupplyError> {
        let fetching = async {
            match order.source.location() {
                Location::File(path) => read_file(order, path).await,
                Location::Web(url) => self.dealing(order)?.ask_web(url).await,
                Location::Registry(reference) => self.dealing(order)?.ask_registry(reference).await,
            }
        };
        let too_long = |_| SupplyError::TimedOut { at: order.source.to_string(), limit: order.timeout };
        tokio::time::timeout(order.timeout, fetching).await.map_err(too_long)?
    }

    /// What was fetched last for an order, without asking anybody. Nothing of a
    /// file is kept.
    pub fn kept(&self, order: &Order) -> Option<Fetched> {
        let dealings = self.dealings();
        let dealing = dealings.iter().find(|dealing| dealing.order == *order)?;
        dealing.kept().as_ref().map(|kept| kept.fetched.clone())
    }

    /// Forgets what was fetched for all other orders than these.
    pub fn keep_only(&self, orders: &[Order]) {
        self.dealings().retain(|dealing| orders.contains(&dealing.order));
    }

    fn dealing(&self, order: &Order) -> Result<Arc<Dealing>, SupplyError> {
        let mut dealings = self.dealings();
        if let Some(dealing) = dealings.iter().find(|dealing| dealing.order == *order) {
            return Ok(Arc::clone(dealing));
        }
        let http = Http::new(order.ca_pem.as_deref(), &order.proxies)?;
        let (authorization, kept) = Default::default();
        let dealing = Arc::new(Dealing { order: order.clone(), http, authorization, kept });
        dealings.push(Arc::clone(&dealing));
        Ok(dealing)
    }

    fn dealings(&self) -> MutexGuard<'_, Vec<Arc<Dealing>>> {
        self.dealings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dealing {
    async fn ask_web(&self, url: &Url) -> Result<Fetched, SupplyError> {
        if let Some(kept) = self.kept().clone() {
            return Ok(kept.fetched);
        }
        let order = &self.order;
        let credentials = order.credentials.as_ref();
        let bytes = web::get(&self.http, url, credentials, order.max_bytes).await?;
        let mut beside = url.clone();
        beside.set_path(&format!("{}{SIGNATURE_SUFFIX}", url.path()));
        let signature = async || web::get_if_there(&self.http, &beside, credentials, MAX_SIGNATURE).await;
        let fetched = accepted(order, bytes, shown(&beside), signature).await?;
        Ok(self.keep(fetched, None))
    }

    async fn ask_registry(&self, reference: &Reference) -> Result<Fetched, SupplyError> {
        let order = &self.order;
        let repository = Repository::new(&self.http, reference, order, &self.authorization);
        let kept = self.kept().clone();
        if let Some(kept) = &kept
            && (order.source.is_fixed() || repository.resolve().await? == kept.manifest)
        {
            return Ok(kept.fetched.clone());
        }
        let (digest, manifest) = repository.manifest().await?;
        let at = order.source.to_string();
        if let Some(expected) = order.source.sha256().filter(|expected| *expected != manifest.policy) {
            return Err(SupplyError::WrongDigest { at, expected, found: manifest.policy });
        }
        let bytes = match kept.filter(|kept| kept.fetched.digest == manifest.policy) {
            // Another manifest, but the same policy.
            Some(kept) => kept.fetched.bytes,
            None => repository.policy(&manifest, order.max_bytes).await?,
        };
        let annotation = format!("the annotation {SIGNATURE} of {at}");
        let signature = async || Ok(manifest.signature.map(Bytes::from));
        let fetched = accepted(order, bytes, annotation, signature).await?;
        Ok(self.keep(fetched, Some(digest)))
    }

    fn keep(&self, fetched: Fetched, manifest: Option<Digest>) -> Fetched {
        *self.kept() = Some(Kept { fetched: fetched.clone(), manifest });
        fetched
    }

    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the signature of a file is.
pub fn signature_of(file: &Path) -> PathBuf {
    let mut beside = file.as_os_str().to_owned();
    beside.push(SIGNATURE_SUFFIX);
    beside.into()
}

async fn read_file(order: &Order, path: &Path) -> Result<Fetched, SupplyError> {
    let bytes = file::read(path, order.max_bytes).await?;
    let beside = signature_of(path);
    let signature = async || file::read_if_there(&beside, MAX_SIGNATURE).await;
    accepted(order, bytes, beside.display().to_string(), signature).await
}
