//! HTTP over TLS or through a proxy, by reqwest.

use std::error::Error as _;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper_util::client::legacy;
use pointsman_domain::failure::CallFailure;
use reqwest::{Client, ClientBuilder, Error, Proxy, Request, Response};

use super::kept::{LocalPort, SendError, SendErrorCause};
use super::{
    Address, Clients, Freshness, Outgoing, RawAnswer, TransportBody, broken, cannot_connect, reason, tls,
};
use crate::http::{HttpConfig, InvalidBackend};

/// Connections to a server.
pub(super) struct ReqwestClient(Clients<Client>);

/// The rest of an answer.
pub(super) struct Rest(Response);

impl ReqwestClient {
    pub(super) fn new(config: &HttpConfig, base: &Address) -> Result<Self, InvalidBackend> {
        let tls = tls::client_config(config)?;
        let build = |max_idle_connections| {
            let mut builder = Client::builder()
                .https_only(base.is_encrypted())
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never())
                .tcp_nodelay(true)
                .connect_timeout(config.connect_timeout)
                .pool_idle_timeout(config.idle_timeout)
                .pool_max_idle_per_host(max_idle_connections)
                .tls_backend_preconfigured(tls.clone());
            if config.http2 {
                builder = builder.http2_prior_knowledge();
            }
            proxied(builder, config)?.build().map_err(|error| InvalidBackend::Client(reason(&error)))
        };
        Ok(Self(Clients { keeping: build(config.max_idle_connections)?, fresh: build(0)? }))
    }

    pub(super) async fn send(
        &self,
        to: &Address,
        outgoing: &Outgoing,
        freshness: Freshness,
    ) -> Result<RawAnswer, SendError> {
        let mut request = Request::new(outgoing.method.clone(), to.url().clone());
        *request.headers_mut() = outgoing.headers.clone();
        *request.body_mut() = Some(reqwest::Body::wrap(outgoing.pieces()));
        let mut response = self.0.of(freshness).execute(request).await.map_err(send_error)?;
        let headers = std::mem::take(response.headers_mut());
        let status = response.status().as_u16();
        let port = LocalPort::of(response.extensions());
        Ok(RawAnswer { status, headers, body: TransportBody::Reqwest(Rest(response)), port })
    }
}

fn proxied(builder: ClientBuilder, config: &HttpConfig) -> Result<ClientBuilder, InvalidBackend> {
    let Some(settings) = &config.proxy else {
        return Ok(builder);
    };
    let mut proxy = Proxy::all(settings.url.expose()).map_err(|_| InvalidBackend::Proxy)?;
    if let Some(credentials) = &settings.credentials {
        let (user, password) =
            credentials.expose().split_once(':').ok_or(InvalidBackend::ProxyCredentials)?;
        proxy = proxy.basic_auth(user, password);
    }
    Ok(builder.proxy(proxy))
}

impl Rest {
    pub(super) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        // The future holds no progress of its own, so one can be made for each poll.
        pin!(self.0.chunk()).poll(cx).map(|chunk| chunk.map_err(|error| failure(&error)).transpose())
    }
}

fn send_error(error: Error) -> SendError {
    let below = error.source().and_then(|source| source.downcast_ref::<legacy::Error>());
    SendError {
        failure: failure(&error),
        cause: below.map_or(SendErrorCause::Other, SendErrorCause::of),
        port: below.and_then(LocalPort::of_error),
    }
}

fn failure(error: &Error) -> CallFailure {
    if error.is_connect() { cannot_connect(reason(error)) } else { broken(reason(error)) }
}
