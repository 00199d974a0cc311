//! Who may call.
//!
//! Keys are looked up by their hash, which takes the same time whatever came in.

use std::collections::HashMap;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::error::ApiError;
use crate::config::{Key, keys};

/// All keys. Without any, everybody may call.
#[derive(Debug, Default)]
pub(crate) struct Keyring {
    by_hash: HashMap<[u8; 32], Key>,
}

impl Keyring {
    pub(crate) fn new(keys: &[Key]) -> Self {
        Self { by_hash: keys.iter().map(|key| (key.sha256, key.clone())).collect() }
    }

    /// Returns whether everybody may call.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// The key that a request came with; `None` where no keys are configured.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<Option<&Key>, ApiError> {
        if self.by_hash.is_empty() {
            return Ok(None);
        }
        let Some(secret) = bearer(headers) else {
            let message = "no API key: send one in the header `Authorization: Bearer KEY`";
            return Err(ApiError::unauthorized(message));
        };
        self.by_hash.get(&keys::hash(secret)).map(Some).ok_or_else(|| {
            ApiError::unauthorized("the API key is not known to this gateway, or was withdrawn")
        })
    }
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
