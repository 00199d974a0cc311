//! Requests over HTTP whose answers are bounded in bytes and in redirects.

use std::sync::Once;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method};
use pointsman_domain::failure::source_chain;
use reqwest::{Certificate, Client, NoProxy, Proxy, Response, Url};

use crate::error::SupplyError;
use crate::order::{Credentials, Proxies};
use crate::source::is_loopback;

const PRODUCT: &str = concat!("pointsman/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections serve the requests of one fetch, and are not kept until the next.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// Most redirects in a row: a registry's blob is usually one away, in a store.
const MAX_REDIRECTS: usize = 5;

/// Connections to whatever an order's source leads to.
#[derive(Debug)]
pub(crate) struct Http(Client);

/// A request without a body.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) accept: &'static str,
    pub(crate) authorization: Option<HeaderValue>,
}

/// An answer whose body was not read yet.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Who answered, for messages.
    at: String,
    response: Response,
}

impl Http {
    pub(crate) fn new(ca_pem: Option<&[u8]>, proxies: &Proxies) -> Result<Self, SupplyError> {
        use_ring();
        let mut builder = Client::builder()
            .no_proxy()
            // Followed here, so that each can be looked at.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT);
        for proxy in [proxies.https.as_ref().map(Proxy::https), proxies.http.as_ref().map(Proxy::http)] {
            if let Some(proxy) = proxy.transpose().map_err(|_| unusable_proxy())? {
                builder = builder.proxy(proxy.no_proxy(NoProxy::from_string(&proxies.exempt)));
            }
        }
        if let Some(pem) = ca_pem {
            builder = builder.tls_certs_only(authorities(pem)?);
        }
        builder.build().map(Self).map_err(|error| match ca_pem {
            // What looks like a certificate is looked into only here.
            Some(_) => SupplyError::Authorities { reason: source_chain(&error) },
            None => SupplyError::Client { reason: source_chain(&error) },
        })
    }

    /// Sends a request, and again wherever it is redirected to. Any status but a
    /// redirect is an answer.
    pub(crate) async fn send(&self, mut ask: Ask) -> Result<Answer, SupplyError> {
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.send_once(&ask).await?;
            if !matches!(answer.status(), 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let to = answer.redirected_from(&ask.url)?;
            if to.origin() != ask.url.origin() {
                // Credentials are for whom the source names.
                ask.authorization = None;
            }
            ask.url = to;
        }
        let reason = format!("more than {MAX_REDIRECTS} times");
        Err(SupplyError::Redirect { at: shown(&ask.url), reason })
    }

    async fn send_once(&self, ask: &Ask) -> Result<Answer, SupplyError> {
        let at = shown(&ask.url);
        let mut headers = HeaderMap::from_iter([
            (USER_AGENT, HeaderValue::from_static(PRODUCT)),
            (ACCEPT, HeaderValue::from_static(ask.accept)),
            (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        ]);
        if let Some(authorization) = &ask.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let request = self.0.request(ask.method.clone(), ask.url.clone()).headers(headers);
        match request.send().await {
            Ok(response) => Ok(Answer { at, response }),
            Err(error) if error.is_connect() => {
                Err(SupplyError::Unreachable { at, reason: source_chain(&error) })
            }
            Err(error) => Err(SupplyError::Broken { at, reason: source_chain(&error) }),
        }
    }
}

fn unusable_proxy() -> SupplyError {
    SupplyError::Client { reason: "the address of its proxy is none".to_owned() }
}

impl Ask {
    /// A GET of anything.
    pub(crate) fn get(url: Url) -> Self {
        Self { method: Method::GET, url, accept: "*/*", authorization: None }
    }
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub(crate) fn at(&self) -> &str {
        &self.at
    }

    /// The values of a header that are text.
    pub(crate) fn header(&self, name: &str) -> impl Iterator<Item = &str> {
        self.response.headers().get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// Itself, unless its status is no success.
    pub(crate) fn success(self) -> Result<Self, SupplyError> {
        match self.status() {
            200..300 => Ok(self),
            status => Err(SupplyError::Status { at: self.at, status }),
        }
    }

    /// The whole body, if it has no more bytes than this.
    pub(crate) async fn body(mut self, limit: usize) -> Result<Bytes, SupplyError> {
        let Self { at, response } = &mut self;
        let too_large = || SupplyError::TooLarge { at: at.clone(), limit };
        let announced = response.content_length().unwrap_or_default();
        let announced = usize::try_from(announced).unwrap_or(usize::MAX);
        if announced > limit {
            return Err(too_large());
        }
        let mut body = Vec::with_capacity(announced);
        loop {
            let chunk = response.chunk().await;
            let chunk = chunk
                .map_err(|error| SupplyError::Broken { at: at.clone(), reason: source_chain(&error) })?;
            let Some(chunk) = chunk else { return Ok(body.into()) };
            if chunk.len() > limit - body.len() {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
    }

    /// Where a redirect leads, if it may be followed: never to an address that is
    /// less safe than the one that was asked.
    fn redirected_from(&self, asked: &Url) -> Result<Url, SupplyError> {
        let refused = |reason: String| SupplyError::Redirect { at: self.at.clone(), reason };
        let location =
            self.header(LOCATION.as_str()).next().ok_or_else(|| refused("to nowhere".to_owned()))?;
        let to = asked.join(location).map_err(|error| refused(format!("to no address: {error}")))?;
        let is_as_safe = match to.scheme() {
            "https" => true,
            "http" => asked.scheme() == "http" && is_loopback(to.host_str().unwrap_or_default()),
            _ => false,
        };
        let has_secret = !to.username().is_empty() || to.password().is_some();
        match (is_as_safe, has_secret) {
            (true, false) => Ok(to),
            (false, _) => Err(refused(format!("to {}, and only https:// is followed", shown(&to)))),
            (true, true) => Err(refused(format!("to {} with a user name in the address", shown(&to)))),
        }
    }
}

/// What `authorization: Basic` is followed by, and all of it.
pub(crate) fn basic(credentials: &Credentials) -> Option<HeaderValue> {
    let Credentials { username, password } = credentials;
    sensitive(&format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
}

/// A header's value that is not shown; `None` if no header can carry it.
pub(crate) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// An address without what may be secret in it: stores are redirected to with a
/// signed query.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Only addresses without a host cannot have either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// The client takes its cryptography from a process-wide default. One that was
/// installed before stays.
fn use_ring() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn authorities(pem: &[u8]) -> Result<Vec<Certificate>, SupplyError> {
    match Certificate::from_pem_bundle(pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(SupplyError::Authorities { reason: "no certificate found".to_owned() }),
        Err(error) => Err(SupplyError::Authorities { reason: source_chain(&error) }),
    }
}
