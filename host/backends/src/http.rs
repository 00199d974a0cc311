//! Backends over HTTP.

use std::fmt;
use std::time::Duration;

use ::http::header::{ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method};
use bytes::Bytes;
use pointsman_domain::failure::{CallFailure, FailureKind, TimeLimit};
use pointsman_domain::secret::Secret;
use pointsman_wire::provider::ProviderDialect;

use crate::auth::ProviderAuth;
use crate::call::{BackendCall, BackendRequest};

mod call_settings;
mod client;

use call_settings::KeyedSettings;
pub use client::ConnectCause;
pub(crate) use client::{Address, HttpBody, HttpClient, HttpResponse, SendError};

const PRODUCT: &str = concat!("pointsman/", env!("CARGO_PKG_VERSION"));
/// Response headers that a client may see, whatever the dialect.
const PUBLIC_HEADERS: [HeaderName; 4] = [
    CONTENT_TYPE,
    RETRY_AFTER,
    HeaderName::from_static("retry-after-ms"),
    HeaderName::from_static("x-request-id"),
];

/// Settings for calls to a server.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpConfig {
    /// Address of the API, usually with `/v1` at the end. A query is sent with every call.
    pub base_url: String,
    /// Parameters that are added to the query of every call.
    pub query: Vec<(String, String)>,
    /// Credentials, if the server requires them.
    pub auth: Option<ProviderAuth>,
    /// Headers that are sent with every call.
    pub headers: HeaderMap,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Time after which an unused connection is closed.
    pub idle_timeout: Duration,
    /// Most unused connections that are kept.
    pub max_idle_connections: usize,
    /// True to speak HTTP/2 without negotiation. With TLS, HTTP/2 is negotiated anyway.
    pub http2: bool,
    /// Certificate authorities to trust instead of the system's, in PEM. A server's own
    /// certificate may be among them.
    pub ca_pem: Option<Vec<u8>>,
    /// Certificate for a server that requests one.
    pub client_certificate: Option<ClientCertificate>,
    /// Proxy to connect through.
    pub proxy: Option<ProxyConfig>,
}

/// Client certificate and its key.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientCertificate {
    /// The certificate and its intermediates, in PEM.
    pub chain_pem: Vec<u8>,
    /// Private key, in PEM.
    pub key_pem: Secret,
}

/// Proxy with the scheme `http`, `https`, `socks5` or `socks5h`.
#[derive(Clone, Debug, PartialEq)]
pub struct ProxyConfig {
    /// Address, which may contain a user name and a password.
    pub url: Secret,
    /// User name and password, separated by a colon.
    pub credentials: Option<Secret>,
}

/// Reason why a backend cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum InvalidBackend {
    /// The base URL is not the address of a web server.
    #[error("base_url {url:?} is not an address such as https://api.openai.com/v1: {reason}")]
    Url {
        /// Base URL of the configuration.
        url: String,
        /// Reason for the rejection.
        reason: String,
    },
    /// The base URL, which is logged, contains a secret.
    #[error("base_url holds a user name or a password; give the key as api_key instead")]
    Credentials,
    /// The key has characters that a header cannot carry.
    #[error("api_key has characters that a header cannot carry; is there a line end in it?")]
    ApiKey,
    /// The address of the proxy is invalid.
    #[error("the proxy's address is not one such as http://proxy.example.com:3128")]
    Proxy,
    /// The credentials for the proxy have no colon.
    #[error("the proxy's credentials are not a user name and a password with a colon between them")]
    ProxyCredentials,
    /// The client certificate is invalid.
    #[error("the client certificate cannot be used: {0}")]
    ClientCertificate(String),
    /// The key of the client certificate is invalid.
    #[error("the key of the client certificate cannot be used: {0}")]
    ClientKey(&'static str),
    /// The key belongs to another certificate.
    #[error("the key does not match the client certificate")]
    KeyMismatch,
    /// The certificate authorities are invalid.
    #[error("the certificate authorities are not PEM certificates: {0}")]
    Authorities(String),
    /// The client library rejects the settings.
    #[error("cannot set up the HTTP client: {0}")]
    Client(String),
}

/// Server at a base URL, and the dialect of its API.
pub(crate) struct HttpBackend {
    client: HttpClient,
    dialect: ProviderDialect,
    /// Base address without credentials.
    base: Address,
    settings: KeyedSettings,
    has_key: bool,
}

impl HttpConfig {
    /// Returns the default settings for a server at a base URL.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            query: Vec::new(),
            auth: None,
            headers: HeaderMap::new(),
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(60),
            max_idle_connections: 1024,
            http2: false,
            ca_pem: None,
            client_certificate: None,
            proxy: None,
        }
    }
}

impl HttpBackend {
    pub(crate) fn new(config: &HttpConfig, dialect: ProviderDialect) -> Result<Self, InvalidBackend> {
        let base = Address::parse(&config.base_url)?;
        Ok(Self {
            client: HttpClient::new(config, &base)?,
            settings: KeyedSettings::new(config, &base)?,
            has_key: config.auth.is_some(),
            dialect,
            base,
        })
    }

    /// Takes over the key of another configuration, if it is in a file and has changed.
    pub(crate) fn adopt_key(&self, before: &HttpConfig, now: &HttpConfig) {
        self.settings.adopt_key(before, now);
    }

    pub(crate) async fn call(&self, call: BackendCall<'_>) -> Result<HttpResponse, CallFailure> {
        let settings = self.settings.current().await?;
        let mut headers = self.headers_of(&settings.headers, call.headers);
        if let Some(content_type) = call.content_type {
            let value = HeaderValue::from_str(content_type).map_err(|_| {
                CallFailure::broken(format!("no header can say that a body is {content_type:?}"))
            })?;
            headers.insert(CONTENT_TYPE, value);
        }
        let address = settings.address(call.path)?;
        let response = self.client.post(&address, headers, call.body).await?;
        self.settings.check(response.status);
        Ok(HttpResponse { headers: public_headers(&response.headers, self.dialect), ..response })
    }

    /// Sends a request that calls no model.
    pub(crate) async fn request(&self, request: BackendRequest<'_>) -> Result<HttpResponse, CallFailure> {
        let settings = self.settings.current().await?;
        let headers = self.headers_of(&settings.headers, request.headers);
        // Not one of the few addresses that are remembered.
        let address = settings.join(request.path)?;
        let response = self.client.send_empty(request.method, &address, headers).await?;
        self.settings.check(response.status);
        Ok(HttpResponse { headers: public_headers(&response.headers, self.dialect), ..response })
    }

    /// Sends a request that calls no model, and whose failure states why no connection could be opened.
    pub(crate) async fn diagnose(
        &self,
        method: Method,
        path: &str,
        body: &'static str,
    ) -> Result<HttpResponse, SendError> {
        let settings = self.settings.current().await.map_err(SendError::before_sending)?;
        let headers = self.headers_of(&settings.headers, HeaderMap::new());
        let address = settings.join(path).map_err(SendError::before_sending)?;
        let pieces = (!body.is_empty()).then(|| Bytes::from_static(body.as_bytes()));
        let body = pieces.into_iter().collect::<Vec<_>>().into();
        self.client.diagnose(method, &address, headers, body).await
    }

    /// Returns whether calls carry a key.
    pub(crate) fn has_key(&self) -> bool {
        self.has_key
    }

    /// Returns the headers of a call: those of the configuration, the client's and the defaults.
    fn headers_of(&self, configured: &HeaderMap, client: HeaderMap) -> HeaderMap {
        let mut headers = configured.clone();
        for (name, value) in client {
            // `HeaderMap` yields the name with its first value only; further values are dropped.
            if let Some(name) = name.filter(|name| self.dialect.accepts_header(name.as_str())) {
                headers.entry(name).or_insert(value);
            }
        }
        self.add_default_headers(&mut headers);
        headers
    }

    fn add_default_headers(&self, headers: &mut HeaderMap) {
        for &(name, value) in self.dialect.default_headers() {
            headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
        }
    }

    /// Returns the host name of the server.
    pub(crate) fn host(&self) -> &str {
        self.base.host()
    }

    pub(crate) async fn probe(&self, path: &str, timeout: Duration) -> Result<u16, CallFailure> {
        let get = async {
            let settings = self.settings.current().await?;
            let mut headers = settings.headers.clone();
            self.add_default_headers(&mut headers);
            self.client.get(&*settings.address(path)?, headers).await
        };
        let response = tokio::time::timeout(timeout, get)
            .await
            .map_err(|_| FailureKind::Timeout { limit: TimeLimit::FirstByte, waited: timeout })
            .map_err(CallFailure::from)??;
        self.settings.check(response.status);
        match response.status {
            status @ ..500 => Ok(status),
            status => Err(FailureKind::server_error(status).into()),
        }
    }
}

impl fmt::Debug for HttpBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBackend").field("base", &self.base).finish_non_exhaustive()
    }
}

/// Returns the headers of every call without the key: those of the product, then those of the
/// configuration, which replace them.
pub(crate) fn call_headers(config: &HttpConfig) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(PRODUCT));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.extend(config.headers.clone());
    headers
}

fn public_headers(headers: &HeaderMap, dialect: ProviderDialect) -> HeaderMap {
    let mut public = HeaderMap::with_capacity(4);
    for (name, value) in headers {
        if PUBLIC_HEADERS.contains(name) || dialect.is_public_header(name.as_str()) {
            public.append(name, value.clone());
        }
    }
    public
}

#[cfg(test)]
mod tests;
