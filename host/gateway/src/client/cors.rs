//! Cross-origin resource sharing (CORS, Fetch standard, section 3.3): which web pages may read
//! what the client API answers.
//!
//! Credentials are never allowed. The API knows no cookies; a page sends its key in a header of
//! its own, which does not count as one.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use pointsman_config::cross_origin::{Allowed, WebOrigin};

use super::decision_headers::EXPOSED;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
/// Seconds for which a browser remembers a preflight response. No browser takes more than a day.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
const ANY: HeaderValue = HeaderValue::from_static("*");
const VARY_PREFLIGHT: HeaderValue =
    HeaderValue::from_static("origin, access-control-request-method, access-control-request-headers");

const REQUEST_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Origins whose pages may call the client API and read its responses.
#[derive(Clone, Debug)]
pub(super) struct CorsPolicy {
    origins: Arc<Allowed<WebOrigin>>,
}

impl CorsPolicy {
    pub(super) fn new(origins: Allowed<WebOrigin>) -> Self {
        Self { origins: Arc::new(origins) }
    }

    /// Returns whether a browser asks if a page may send a request.
    pub(super) fn is_preflight<B>(request: &Request<B>) -> bool {
        let headers = request.headers();
        request.method() == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The response to a preflight request. It needs no key, since browsers send none. Pages of
    /// other origins learn nothing from it, and their browser does not go on.
    pub(super) fn preflight(&self, request: &HeaderMap) -> (StatusCode, HeaderMap) {
        let mut headers = HeaderMap::from_iter([(header::VARY, VARY_PREFLIGHT)]);
        if let Some(origin) = self.allowed_origin(request) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
            // Client libraries add headers of their own, and `*` does not cover `authorization`.
            if let Some(names) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
                headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
            }
            if request.contains_key(REQUEST_PRIVATE_NETWORK) {
                headers.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
            }
        }
        (StatusCode::NO_CONTENT, headers)
    }

    /// Returns what `access-control-allow-origin` says in the response to a request; `None` if
    /// no page of an allowed origin sent it.
    pub(super) fn allowed_origin(&self, request: &HeaderMap) -> Option<HeaderValue> {
        if !self.origins.has_origin_of(request) {
            return None;
        }
        match *self.origins {
            Allowed::All => Some(ANY),
            Allowed::Only(_) => request.get(header::ORIGIN).cloned(),
        }
    }

    /// Lets pages of an allowed origin read a response.
    pub(super) fn expose(&self, origin: Option<HeaderValue>, response: &mut HeaderMap) {
        if let Allowed::Only(origins) = &*self.origins
            && !origins.is_empty()
        {
            response.append(header::VARY, HeaderValue::from_static("origin"));
        }
        if let Some(origin) = origin {
            response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }
}

#[cfg(test)]
mod tests;
