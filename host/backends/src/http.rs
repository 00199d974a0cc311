//! Backends that speak the OpenAI protocol over HTTP.

pub(crate) mod transport;

use std::fmt;
use std::time::Duration;

use ::http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use ::http::{HeaderMap, HeaderName, HeaderValue};
use pointsman_domain::failure::{CallFailure, FailureKind, TimeLimit};
use pointsman_domain::model::Operation;

use crate::backend::{Call, Reply, ReplyBody, broken};
use pointsman_domain::secret::Secret;
use transport::{Address, Transport};

const PRODUCT: &str = concat!("pointsman/", env!("CARGO_PKG_VERSION"));
/// Headers of an answer that a client may see, besides `x-ratelimit-*`. The rest
/// may name the operator's account, its cookies or its infrastructure.
const SHOWN: [HeaderName; 5] = [
    CONTENT_TYPE,
    RETRY_AFTER,
    HeaderName::from_static("retry-after-ms"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("openai-processing-ms"),
];
const RATE_LIMITS: &str = "x-ratelimit-";

/// A server and how to reach it. Equal configurations can share a [`Backend`],
/// and with it its connections.
///
/// [`Backend`]: crate::Backend
#[derive(Clone, Debug, PartialEq)]
pub struct HttpConfig {
    /// Address of the API, usually with `/v1` at the end. A query is sent with every call.
    pub base_url: String,
    /// The key, if the server wants one.
    pub api_key: Option<Secret>,
    /// Header that carries the key: as `Bearer` in `authorization`, as it is in any other.
    pub api_key_header: HeaderName,
    /// Sent with every call.
    pub headers: HeaderMap,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// How long an unused connection is kept.
    pub idle_timeout: Duration,
    /// Most unused connections kept.
    pub max_idle_connections: usize,
    /// Speak HTTP/2 from the first byte, without asking. With TLS, HTTP/2 is
    /// negotiated anyway.
    pub http2: bool,
    /// Certificate authorities to trust instead of the system's, in PEM. A server's own
    /// certificate may be among them.
    pub ca_pem: Option<Vec<u8>>,
    /// Certificate that the server gets to see, if it asks for one.
    pub client_certificate: Option<ClientCertificate>,
    /// Proxy to go through.
    pub proxy: Option<ProxyConfig>,
}

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientCertificate {
    /// The certificate and those between it and its authority, in PEM.
    pub chain_pem: Vec<u8>,
    /// The private key, in PEM.
    pub key_pem: Secret,
}

/// A proxy: `http://`, `https://`, `socks5://` or `socks5h://`.
#[derive(Clone, Debug, PartialEq)]
pub struct ProxyConfig {
    /// Its address, in which there may be a user name and a password.
    pub url: Secret,
    /// User name and password with a colon between them.
    pub credentials: Option<Secret>,
}

/// Why a backend cannot be made from its configuration.
#[derive(Debug, thiserror::Error)]
pub enum InvalidBackend {
    /// Not a web address.
    #[error("base_url {url:?} is not an address such as https://api.openai.com/v1: {reason}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A secret in a place that gets logged.
    #[error("base_url holds a user name or a password; give the key as api_key instead")]
    Credentials,
    /// A key that no header can carry.
    #[error("api_key has characters that a header cannot carry; is there a line end in it?")]
    ApiKey,
    /// No proxy's address.
    #[error("the proxy's address is not one such as http://proxy.example.com:3128")]
    Proxy,
    /// One word where two were expected.
    #[error("the proxy's credentials are not a user name and a password with a colon between them")]
    ProxyCredentials,
    /// The client's certificate cannot be used.
    #[error("the client certificate cannot be used: {0}")]
    ClientCertificate(String),
    /// The client's key cannot be used.
    #[error("the key of the client certificate cannot be used: {0}")]
    ClientKey(&'static str),
    /// The client's key is another's.
    #[error("the key does not match the client certificate")]
    KeyMismatch,
    /// No certificate found.
    #[error("the certificate authorities are not PEM certificates: {0}")]
    Authorities(String),
    /// The client cannot be built.
    #[error("cannot set up the HTTP client: {0}")]
    Client(String),
}

/// A server behind a base URL.
pub(crate) struct HttpBackend {
    transport: Transport,
    base: Address,
    endpoints: Endpoints,
    /// What every call sends, made once.
    headers: HeaderMap,
}

/// Where each operation is.
struct Endpoints {
    chat: Address,
    transcription: Address,
    embedding: Address,
}

impl Endpoints {
    fn below(base: &Address) -> Result<Self, InvalidBackend> {
        Ok(Self {
            chat: base.join("chat/completions")?,
            transcription: base.join("audio/transcriptions")?,
            embedding: base.join("embeddings")?,
        })
    }

    fn of(&self, operation: Operation) -> &Address {
        match operation {
            Operation::Chat => &self.chat,
            Operation::Transcription => &self.transcription,
            Operation::Embedding => &self.embedding,
        }
    }
}

impl HttpConfig {
    /// The usual settings for a server at a base URL.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key: None,
            api_key_header: AUTHORIZATION,
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
    pub(crate) fn new(config: HttpConfig) -> Result<Self, InvalidBackend> {
        let base = Address::parse(&config.base_url)?;
        Ok(Self {
            endpoints: Endpoints::below(&base)?,
            headers: own_headers(&config)?,
            transport: Transport::new(&config, &base)?,
            base,
        })
    }

    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Reply, CallFailure> {
        let mut headers = self.headers.clone();
        for (name, value) in call.headers {
            // Further values of a name come without it; one is enough.
            if let Some(name) = name {
                headers.entry(name).or_insert(value);
            }
        }
        if let Some(content_type) = call.content_type {
            let value = HeaderValue::from_str(content_type)
                .map_err(|_| broken(format!("no header can say that a body is {content_type:?}")))?;
            headers.insert(CONTENT_TYPE, value);
        }
        let answer = self.transport.post(self.endpoints.of(call.operation), headers, call.body).await?;
        Ok(Reply {
            status: answer.status,
            headers: shown(answer.headers),
            body: ReplyBody::http(answer.body),
        })
    }

    pub(crate) async fn probe(&self, path: &str, timeout: Duration) -> Result<u16, CallFailure> {
        let failure = |kind| CallFailure { kind, retry_after: None };
        let url = self.base.join(path).map_err(|error| failure(FailureKind::Connect(error.to_string())))?;
        let answer =
            tokio::time::timeout(timeout, self.transport.get(&url, self.headers.clone())).await.map_err(
                |_| failure(FailureKind::Timeout { limit: TimeLimit::FirstByte, waited: timeout }),
            )??;
        match answer.status {
            status @ ..500 => Ok(status),
            status => Err(failure(FailureKind::server_error(status))),
        }
    }
}

impl fmt::Debug for HttpBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBackend").field("base", &self.base).finish_non_exhaustive()
    }
}

pub(crate) fn own_headers(config: &HttpConfig) -> Result<HeaderMap, InvalidBackend> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(PRODUCT));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.extend(config.headers.clone());
    if let Some(key) = &config.api_key {
        let value = match config.api_key_header == AUTHORIZATION {
            true => HeaderValue::from_str(&format!("Bearer {}", key.expose())),
            false => HeaderValue::from_str(key.expose()),
        };
        let mut value = value.map_err(|_| InvalidBackend::ApiKey)?;
        value.set_sensitive(true);
        headers.insert(config.api_key_header.clone(), value);
    }
    Ok(headers)
}

fn shown(headers: HeaderMap) -> HeaderMap {
    let mut shown = HeaderMap::with_capacity(4);
    for (name, value) in &headers {
        if SHOWN.contains(name) || name.as_str().starts_with(RATE_LIMITS) {
            shown.append(name, value.clone());
        }
    }
    shown
}

#[cfg(test)]
mod tests;
