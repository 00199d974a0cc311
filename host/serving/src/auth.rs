//! Authentication of clients by API key.
//!
//! Keys are looked up by their hash, which takes the same time for any input: first those of the
//! configuration, then the [`StoredKeys`]. A key comes in one of several headers, as the client
//! libraries of different providers send it. The first header in [`presented`]'s order that holds
//! one counts; others are ignored.

mod stored_keys;

use std::collections::HashMap;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use pointsman_config::{Key, keys};
use pointsman_domain::date::rfc3339;
use pointsman_domain::ids::KeyName;
use pointsman_domain::serving_error::{ErrorKind, ServingError};

pub use stored_keys::{MAX_STORED_KEYS, StoredKeys};

/// Header of a key for clients of Anthropic and many others.
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// Header of a key for clients of Azure OpenAI.
const API_KEY: HeaderName = HeaderName::from_static("api-key");

/// A request without a valid key. Only a client that presents a key learns about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The request has no key.
    #[error(
        "no API key: send one in the header `Authorization: Bearer KEY`, `x-api-key: KEY` or `api-key: KEY`"
    )]
    NoKey,
    /// The key is unknown.
    #[error("the API key is not known to this gateway, or was withdrawn")]
    UnknownKey,
    /// The key is disabled.
    #[error("the API key `{0}` is disabled: ask the operator of this gateway to enable it")]
    Disabled(KeyName),
    /// The time of the key is over.
    #[error("the API key `{name}` expired at {}: ask the operator of this gateway for another one", rfc3339(*.at))]
    Expired {
        /// Name of the key.
        name: KeyName,
        /// Time from which it is not accepted, in seconds since 1970.
        at: u64,
    },
    /// The key was replaced, and its grace period is over.
    #[error(
        "the API key `{name}` was replaced by a new one, and the old one is not accepted since {}: send the new one",
        rfc3339(*.at)
    )]
    Replaced {
        /// Name of the key.
        name: KeyName,
        /// End of the grace period, in seconds since 1970.
        at: u64,
    },
}

impl From<AuthError> for ServingError {
    fn from(error: AuthError) -> Self {
        Self::new(ErrorKind::InvalidApiKey, error.to_string())
    }
}

/// The keys of a configuration.
#[derive(Debug, Default)]
pub struct Keyring {
    by_hash: HashMap<[u8; 32], Arc<Key>>,
    /// True if the configuration requires a key, whether or not it has any.
    is_required: bool,
}

impl Keyring {
    /// Creates a keyring with the keys of a configuration. `is_required` is true if a key is required even if
    /// there is none.
    pub fn new(keys: &[Key], is_required: bool) -> Self {
        let by_hash: HashMap<_, _> = keys.iter().map(|key| (key.sha256, Arc::new(key.clone()))).collect();
        let is_required = is_required || !by_hash.is_empty();
        Self { by_hash, is_required }
    }

    /// Returns whether requests need a key: the configuration has one or requires one, or one was ever stored.
    pub fn is_required(&self, stored: &StoredKeys) -> bool {
        self.is_required || stored.were_created()
    }

    /// Returns the key of a request; `None` where none is required. `now` returns the time in seconds since 1970.
    ///
    /// # Errors
    /// Fails if a key is required, and the request has none that is accepted.
    pub fn authenticate(
        &self,
        stored: &StoredKeys,
        headers: &HeaderMap,
        now: impl FnOnce() -> u64,
    ) -> Result<Option<Arc<Key>>, AuthError> {
        let stored = stored.current();
        if !self.is_required && !stored.were_created {
            return Ok(None);
        }
        let Some(secret) = presented(headers) else {
            return Err(AuthError::NoKey);
        };
        let hash = keys::hash(secret);
        match self.by_hash.get(&hash) {
            Some(key) => Ok(Some(Arc::clone(key))),
            None => stored.authenticate(&hash, now).map(Some),
        }
    }
}

/// The key that a request presents: in `authorization: Bearer`, else in `x-api-key`, else in
/// `api-key`.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let plain = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    [bearer(headers), plain(X_API_KEY), plain(API_KEY)].into_iter().flatten().find(|key| !key.is_empty())
}

/// The token of an `Authorization: Bearer` header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_first_header_with_a_key_counts() {
        type Headers = &'static [(&'static str, &'static str)];
        let cases: &[(Headers, Option<&str>)] = &[
            (&[("authorization", "Bearer one")], Some("one")),
            (&[("authorization", "bearer  one ")], Some("one")),
            (&[("x-api-key", " one ")], Some("one")),
            (&[("api-key", "one")], Some("one")),
            (&[("api-key", "three"), ("x-api-key", "two"), ("authorization", "Bearer one")], Some("one")),
            (&[("api-key", "three"), ("x-api-key", "two")], Some("two")),
            (&[("authorization", "Basic cG06cG0="), ("api-key", "three")], Some("three")),
            (&[("authorization", "Bearer "), ("x-api-key", ""), ("api-key", "three")], Some("three")),
            (&[("authorization", "Bearer")], None),
            (&[("authorization", "one"), ("x-api-key", "")], None),
            (&[], None),
        ];
        for (sent, expected) in cases {
            let headers: HeaderMap = sent
                .iter()
                .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            assert_eq!(presented(&headers), *expected, "{sent:?}");
        }
    }
}
