//! HTTP requests with bounds on redirects and on the size of responses.

use std::sync::Once;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Method};
use pointsman_domain::failure::source_chain;
use reqwest::{Certificate, Client, NoProxy, Proxy, Response, Url};

use crate::error::SupplyError;
use crate::fetch_spec::{Credentials, Proxies};
use crate::source::is_loopback;

const USER_AGENT_VALUE: &str = concat!("pointsman/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for which connections stay open: enough for the requests of one fetch, but not until the next.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// Most redirects in a row. A registry usually redirects once, to the store of its blobs.
const MAX_REDIRECTS: usize = 5;

/// A client for the requests of one source, with its proxies and certificate authorities.
#[derive(Debug)]
pub(crate) struct HttpClient(Client);

/// A request. Clones share the content.
#[derive(Clone, Debug)]
pub(crate) struct HttpRequest {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) accept: &'static str,
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) content: Option<RequestContent>,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) struct RequestContent {
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Bytes,
}

/// A response whose body has not been read.
#[derive(Debug)]
pub(crate) struct HttpResponse {
    /// URL of the response, without secrets.
    at: String,
    response: Response,
}

impl HttpClient {
    pub(crate) fn new(ca_pem: Option<&[u8]>, proxies: &Proxies) -> Result<Self, SupplyError> {
        install_crypto_provider();
        let mut builder = Client::builder()
            .no_proxy()
            // Followed by `send`, which checks each of them.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT);
        for proxy in [proxies.https.as_ref().map(Proxy::https), proxies.http.as_ref().map(Proxy::http)] {
            if let Some(proxy) = proxy.transpose().map_err(|_| invalid_proxy())? {
                builder = builder.proxy(proxy.no_proxy(NoProxy::from_string(&proxies.exempt)));
            }
        }
        if let Some(pem) = ca_pem {
            builder = builder.tls_certs_only(parse_authorities(pem)?);
        }
        builder.build().map(Self).map_err(|error| match ca_pem {
            // The certificates are parsed only when the client is built.
            Some(_) => SupplyError::Authorities { reason: source_chain(&error) },
            None => SupplyError::Client { reason: source_chain(&error) },
        })
    }

    /// Sends a request and follows redirects. Returns any other response, whatever its status.
    pub(crate) async fn send(&self, mut request: HttpRequest) -> Result<HttpResponse, SupplyError> {
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send_once(&request).await?;
            match response.status() {
                307 | 308 => {}
                301..=303 if request.is_read() => {}
                // They would turn an upload into a GET.
                301..=303 => return Err(response.changed_method()),
                _ => return Ok(response),
            }
            let target = response.redirect_target(&request.url)?;
            if target.origin() != request.url.origin() {
                // Credentials are only for the origin that the source names.
                request.authorization = None;
            }
            request.url = target;
        }
        let reason = format!("more than {MAX_REDIRECTS} times");
        Err(SupplyError::Redirect { at: without_secrets(&request.url), reason })
    }

    async fn send_once(&self, request: &HttpRequest) -> Result<HttpResponse, SupplyError> {
        let at = without_secrets(&request.url);
        let mut headers = HeaderMap::from_iter([
            (USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE)),
            (ACCEPT, HeaderValue::from_static(request.accept)),
            (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        ]);
        if let Some(authorization) = &request.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let mut sending = self.0.request(request.method.clone(), request.url.clone());
        if let Some(content) = &request.content {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content.media_type));
            sending = sending.body(content.bytes.clone());
        } else if !request.is_read() {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        match sending.headers(headers).send().await {
            Ok(response) => Ok(HttpResponse { at, response }),
            Err(error) if error.is_connect() => {
                Err(SupplyError::Unreachable { at, reason: source_chain(&error) })
            }
            Err(error) => Err(SupplyError::Broken { at, reason: source_chain(&error) }),
        }
    }
}

fn invalid_proxy() -> SupplyError {
    SupplyError::Client { reason: "the address of the proxy is invalid".to_owned() }
}

impl HttpRequest {
    /// Creates a GET that accepts any media type.
    pub(crate) fn get(url: Url) -> Self {
        Self { method: Method::GET, url, accept: "*/*", authorization: None, content: None }
    }

    /// Returns whether it only reads, so that a redirect with any status keeps its meaning.
    fn is_read(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

impl HttpResponse {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// Returns the URL of the response, without secrets.
    pub(crate) fn at(&self) -> &str {
        &self.at
    }

    /// Returns the values of a header that are visible ASCII.
    pub(crate) fn header(&self, name: &str) -> impl Iterator<Item = &str> {
        self.response.headers().get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// Returns an error unless the status is a success.
    pub(crate) fn error_for_status(self) -> Result<Self, SupplyError> {
        match self.status() {
            200..300 => Ok(self),
            status => Err(SupplyError::Status { at: self.at, status }),
        }
    }

    /// Reads the whole body, which may have at most `limit` bytes.
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

    /// Returns the error of a redirect that does not keep the method of the request.
    fn changed_method(self) -> SupplyError {
        let reason = format!("an upload with status {}, which only 307 and 308 may", self.status());
        SupplyError::Redirect { at: self.at, reason }
    }

    /// Returns the URL in the header `location`. It must not be less safe than the requested URL, and
    /// must not contain credentials.
    pub(crate) fn redirect_target(&self, requested: &Url) -> Result<Url, SupplyError> {
        let refused = |reason: String| SupplyError::Redirect { at: self.at.clone(), reason };
        let location =
            self.header(LOCATION.as_str()).next().ok_or_else(|| refused("to nowhere".to_owned()))?;
        let target =
            requested.join(location).map_err(|error| refused(format!("to an invalid URL: {error}")))?;
        let is_as_safe = match target.scheme() {
            "https" => true,
            "http" => requested.scheme() == "http" && is_loopback(target.host_str().unwrap_or_default()),
            _ => false,
        };
        let has_secret = !target.username().is_empty() || target.password().is_some();
        match (is_as_safe, has_secret) {
            (true, false) => Ok(target),
            (false, _) => {
                Err(refused(format!("to {}, and only https:// is followed", without_secrets(&target))))
            }
            (true, true) => {
                Err(refused(format!("to {} with a user name in the address", without_secrets(&target))))
            }
        }
    }
}

/// Formats credentials for the `Authorization` header. `None` if no header can carry them.
pub(crate) fn basic_authorization(credentials: &Credentials) -> Option<HeaderValue> {
    let Credentials { username, password } = credentials;
    sensitive_value(&format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
}

/// Creates a header value that `Debug` does not show. `None` if no header can carry it.
pub(crate) fn sensitive_value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Formats a URL without user name, password, query and fragment. Queries of blob stores contain
/// signatures.
pub(crate) fn without_secrets(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Fails only for URLs without a host, which cannot have either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// Installs the process-wide default of rustls, unless there is one already.
fn install_crypto_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn parse_authorities(pem: &[u8]) -> Result<Vec<Certificate>, SupplyError> {
    match Certificate::from_pem_bundle(pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(SupplyError::Authorities { reason: "no certificate found".to_owned() }),
        Err(error) => Err(SupplyError::Authorities { reason: source_chain(&error) }),
    }
}
