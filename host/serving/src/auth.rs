//! Authentication of clients by API key.
//!
//! Keys are looked up by their hash, which takes the same time for any input. A key comes in
//! one of several headers, as the client libraries of different providers send it. The first
//! header in [`presented`]'s order that holds one counts; others are ignored.

use std::collections::HashMap;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use pointsman_domain::serving_error::{ErrorKind, ServingError};

use pointsman_config::{Key, keys};

/// Header of a key for clients of Anthropic and many others.
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// Header of a key for clients of Azure OpenAI.
const API_KEY: HeaderName = HeaderName::from_static("api-key");

/// A request without a valid key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The request has no key.
    #[error(
        "no API key: send one in the header `Authorization: Bearer KEY`, `x-api-key: KEY` or `api-key: KEY`"
    )]
    NoKey,
    /// The key is unknown.
    #[error("the API key is not known to this gateway, or was withdrawn")]
    UnknownKey,
}

impl From<AuthError> for ServingError {
    fn from(error: AuthError) -> Self {
        Self::new(ErrorKind::InvalidApiKey, error.to_string())
    }
}

/// The keys of the configuration. Without any, every request is allowed.
#[derive(Debug, Default)]
pub struct Keyring {
    by_hash: HashMap<[u8; 32], Key>,
}

impl Keyring {
    /// Creates a keyring with the keys of a configuration.
    pub fn new(keys: &[Key]) -> Self {
        Self { by_hash: keys.iter().map(|key| (key.sha256, key.clone())).collect() }
    }

    /// Returns whether no key is required.
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// Returns the key of a request; `None` where no keys are configured.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<Option<&Key>, AuthError> {
        if self.by_hash.is_empty() {
            return Ok(None);
        }
        let Some(secret) = presented(headers) else {
            return Err(AuthError::NoKey);
        };
        self.by_hash.get(&keys::hash(secret)).map(Some).ok_or(AuthError::UnknownKey)
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
