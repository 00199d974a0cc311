//! HTTP over TLS, by reqwest.

use std::pin::pin;
use std::sync::Once;
use std::task::{Context, Poll};

use ::http::{HeaderMap, Method};
use bytes::Bytes;
use pointsman_domain::failure::CallFailure;
use reqwest::{Certificate, Client, Error, Request, Response, Url};

use super::{Answer, Pieces, TransportBody, broken, cannot_connect, reason};
use crate::http::{HttpConfig, InvalidBackend};

/// Connections to a server.
pub(crate) struct Encrypted(Client);

/// The rest of an answer.
pub(crate) struct Rest(Response);

impl Encrypted {
    pub(super) fn new(config: &HttpConfig) -> Result<Self, InvalidBackend> {
        use_ring();
        let mut builder = Client::builder()
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .tcp_nodelay(true)
            .connect_timeout(config.connect_timeout)
            .pool_idle_timeout(config.idle_timeout)
            .pool_max_idle_per_host(config.max_idle_connections);
        if config.http2 {
            builder = builder.http2_prior_knowledge();
        }
        if let Some(pem) = &config.ca_pem {
            builder = builder.tls_certs_only(authorities(pem)?);
        }
        builder.build().map(Self).map_err(|error| InvalidBackend::Client(reason(&error)))
    }

    pub(super) async fn send(
        &self,
        method: Method,
        to: Url,
        headers: HeaderMap,
        body: Pieces,
    ) -> Result<Answer, CallFailure> {
        let mut request = Request::new(method, to);
        *request.headers_mut() = headers;
        *request.body_mut() = Some(reqwest::Body::wrap(body));
        let mut response = self.0.execute(request).await.map_err(|error| failure(&error))?;
        let headers = std::mem::take(response.headers_mut());
        let status = response.status().as_u16();
        Ok(Answer { status, headers, body: TransportBody::Encrypted(Rest(response)) })
    }
}

impl Rest {
    pub(super) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        // The future holds no progress of its own, so one can be made for each poll.
        pin!(self.0.chunk()).poll(cx).map(|chunk| chunk.map_err(|error| failure(&error)).transpose())
    }
}

/// The client takes its cryptography from a process-wide default. One that was
/// installed before stays.
fn use_ring() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn authorities(pem: &[u8]) -> Result<Vec<Certificate>, InvalidBackend> {
    let found =
        Certificate::from_pem_bundle(pem).map_err(|error| InvalidBackend::Authorities(reason(&error)))?;
    if found.is_empty() {
        return Err(InvalidBackend::Authorities("no certificate found".to_owned()));
    }
    Ok(found)
}

fn failure(error: &Error) -> CallFailure {
    if error.is_connect() { cannot_connect(reason(error)) } else { broken(reason(error)) }
}
