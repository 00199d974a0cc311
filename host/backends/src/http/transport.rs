//! The HTTP clients, and the only place that knows which they are.
//!
//! Servers of the operator's own speak plain HTTP on a near network, where each
//! microsecond shows: they are called by hyper's client as it is. A provider on
//! the internet speaks TLS: reqwest knows the system's certificate authorities
//! and negotiates HTTP/2, and what its comfort costs (some 15 µs a call: it
//! parses the address again and copies headers) is lost beside the way there.

use std::fmt;
use std::task::{Context, Poll};

use ::http::uri::InvalidUri;
use ::http::{HeaderMap, Method, Uri};
use bytes::Bytes;
use pointsman_domain::failure::{CallFailure, FailureKind, reason};
use reqwest::Url;

use super::{HttpConfig, InvalidBackend};
use crate::backend::broken;

mod encrypted;
mod pieces;
mod plain;

use encrypted::Encrypted;
use pieces::Pieces;
use plain::Plain;

/// A web address, parsed once, as each of the clients wants it.
#[derive(Clone)]
pub(crate) struct Address {
    url: Url,
    uri: Uri,
}

/// Connections to one server.
#[expect(clippy::large_enum_variant, reason = "there is one for each backend")]
pub(crate) enum Transport {
    Plain(Plain),
    Encrypted(Encrypted),
}

/// The head of an answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: TransportBody,
}

/// The rest of an answer; dropping it closes the connection or the stream.
pub(crate) enum TransportBody {
    Plain(plain::Rest),
    Encrypted(encrypted::Rest),
}

impl Address {
    /// Checks a base URL. Secrets in it are refused, so addresses may be logged.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidBackend> {
        let address = Self::new(text)?;
        let invalid = |reason: String| InvalidBackend::Url { url: text.to_owned(), reason };
        let url = &address.url;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid(format!("its scheme is {}, not http or https", url.scheme())));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("it has a query or a fragment".to_owned()));
        }
        Ok(address)
    }

    /// An address below this one.
    pub(crate) fn join(&self, path: &str) -> Result<Self, InvalidBackend> {
        Self::new(&format!("{}/{}", self.url.as_str().trim_end_matches('/'), path.trim_start_matches('/')))
    }

    fn new(text: &str) -> Result<Self, InvalidBackend> {
        let invalid = |reason: String| InvalidBackend::Url { url: text.to_owned(), reason };
        let url = Url::parse(text).map_err(|error| invalid(error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidBackend::Credentials);
        }
        let uri = url.as_str().parse().map_err(|error: InvalidUri| invalid(error.to_string()))?;
        Ok(Self { url, uri })
    }

    fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str())
    }
}

impl Transport {
    pub(crate) fn new(config: &HttpConfig, base: &Address) -> Result<Self, InvalidBackend> {
        if base.is_encrypted() {
            return Encrypted::new(config).map(Self::Encrypted);
        }
        Ok(Self::Plain(Plain::new(config)))
    }

    pub(crate) async fn post(
        &self,
        to: &Address,
        headers: HeaderMap,
        body: Vec<Bytes>,
    ) -> Result<Answer, CallFailure> {
        self.send(Method::POST, to, headers, Pieces::new(body)).await
    }

    pub(crate) async fn get(&self, from: &Address, headers: HeaderMap) -> Result<Answer, CallFailure> {
        self.send(Method::GET, from, headers, Pieces::new(Vec::new())).await
    }

    async fn send(
        &self,
        method: Method,
        to: &Address,
        headers: HeaderMap,
        body: Pieces,
    ) -> Result<Answer, CallFailure> {
        match self {
            Self::Plain(client) => client.send(method, to.uri.clone(), headers, body).await,
            Self::Encrypted(client) => client.send(method, to.url.clone(), headers, body).await,
        }
    }
}

impl TransportBody {
    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        match self {
            Self::Plain(rest) => rest.poll_chunk(cx),
            Self::Encrypted(rest) => rest.poll_chunk(cx),
        }
    }
}

impl fmt::Debug for TransportBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransportBody")
    }
}

fn cannot_connect(reason: String) -> CallFailure {
    CallFailure { kind: FailureKind::Connect(reason), retry_after: None }
}
