//! Parts of every call of a backend: headers and addresses, one of which carries the key.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use ::http::{HeaderMap, HeaderValue};
use pointsman_domain::failure::CallFailure;
use pointsman_domain::secret::Secret;

use super::{Address, HttpConfig, InvalidBackend, call_headers};
use crate::auth::{KeyPlacement, RefreshedKey};

/// Most parsed addresses that are kept.
const MAX_ADDRESSES: usize = 1024;
/// Status of a response to a call with an invalid key.
const UNAUTHORIZED: u16 = 401;

/// Parts of every call, with a key that changes or not.
pub(super) enum KeyedSettings {
    /// The key does not change, or there is none.
    Fixed(Arc<CallSettings>),
    /// The key changes.
    Refreshed(RefreshedKey<CallSettings>),
}

/// Parts of every call, with one key.
pub(super) struct CallSettings {
    pub(super) headers: HeaderMap,
    base: Address,
    /// Addresses by path, parsed once.
    addresses: RwLock<HashMap<String, Arc<Address>>>,
}

impl KeyedSettings {
    pub(super) fn new(config: &HttpConfig, base: &Address) -> Result<Self, InvalidBackend> {
        let source = config.auth.as_ref().map(|auth| &auth.source);
        let key = source.and_then(|source| source.first_key());
        let first = CallSettings::new(config, key)?;
        let Some(changing) = source.and_then(|source| source.changing()) else {
            return Ok(Self::Fixed(Arc::new(first)));
        };
        let first = key.map(|key| (key.clone(), first));
        let config = config.clone();
        let build =
            move |key: &Secret| CallSettings::new(&config, Some(key)).map_err(|error| error.to_string());
        Ok(Self::Refreshed(RefreshedKey::start(changing, first, base.origin(), build)))
    }

    /// Returns the parts with the key in use.
    ///
    /// # Errors
    /// Fails if there has never been a key.
    pub(super) async fn current(&self) -> Result<Arc<CallSettings>, CallFailure> {
        match self {
            Self::Fixed(settings) => Ok(Arc::clone(settings)),
            Self::Refreshed(refreshed) => refreshed.current().await,
        }
    }

    /// Takes over the key of another configuration, if it is in a file and has changed.
    pub(super) fn adopt_key(&self, before: &HttpConfig, now: &HttpConfig) {
        let [before, now] = [before, now].map(|config| config.auth.as_ref()?.source.first_key());
        if let (Self::Refreshed(refreshed), Some(key)) = (self, now)
            && before != now
        {
            refreshed.replace(key);
        }
    }

    /// Fetches the key again if the status of a response says that it is not valid any more.
    pub(super) fn check(&self, status: u16) {
        if let (Self::Refreshed(refreshed), UNAUTHORIZED) = (self, status) {
            refreshed.reject();
        }
    }
}

impl CallSettings {
    /// Returns the parts with a key, or without any.
    fn new(config: &HttpConfig, key: Option<&Secret>) -> Result<Self, InvalidBackend> {
        let mut headers = call_headers(config);
        let parameters = config.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut base = Address::parse(&config.base_url)?.with_query(parameters)?;
        match (config.auth.as_ref().map(|auth| &auth.placement), key) {
            (Some(KeyPlacement::Header { name, prefix }), Some(key)) => {
                let value = HeaderValue::from_str(&format!("{prefix}{}", key.expose()));
                let mut value = value.map_err(|_| InvalidBackend::ApiKey)?;
                value.set_sensitive(true);
                headers.insert(name.clone(), value);
            }
            (Some(KeyPlacement::Query { parameter }), Some(key)) => {
                base = base.with_query([(parameter.as_str(), key.expose())])?;
            }
            _ => {}
        }
        Ok(Self { headers, base, addresses: RwLock::default() })
    }

    /// Returns the address of a path that is not remembered.
    pub(super) fn join(&self, path: &str) -> Result<Address, CallFailure> {
        self.base.join(path).map_err(|error| CallFailure::broken(error.to_string()))
    }

    /// Returns the address of a path. The paths of a backend are few: they name operations and
    /// configured models.
    pub(super) fn address(&self, path: &str) -> Result<Arc<Address>, CallFailure> {
        let known = self.addresses.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some(address) = known {
            return Ok(address);
        }
        let address = Arc::new(self.join(path)?);
        let mut addresses = self.addresses.write().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() < MAX_ADDRESSES {
            addresses.insert(path.to_owned(), Arc::clone(&address));
        }
        Ok(address)
    }
}
