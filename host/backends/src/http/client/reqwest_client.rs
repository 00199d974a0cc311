//! Client for TLS and proxies, on reqwest.

use std::error::Error as _;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper_util::client::legacy;
use pointsman_domain::failure::{CallFailure, source_chain};
use reqwest::{Client, ClientBuilder, Error, Proxy, Request, Response};

use super::kept_connections::{LocalPort, SendError, SendErrorCause};
use super::{
    Address, ClientPair, ConnectCause, ConnectionChoice, OutgoingRequest, RawBody, RawResponse, tls,
};
use crate::http::{HttpConfig, InvalidBackend};

pub(super) struct ReqwestClient(ClientPair<Client>);

pub(super) struct ReqwestBody(Response);

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
            proxied(builder, config)?.build().map_err(|error| InvalidBackend::Client(source_chain(&error)))
        };
        Ok(Self(ClientPair { pooled: build(config.max_idle_connections)?, unpooled: build(0)? }))
    }

    pub(super) async fn send(
        &self,
        to: &Address,
        outgoing: &OutgoingRequest,
        choice: ConnectionChoice,
    ) -> Result<RawResponse, SendError> {
        let mut request = Request::new(outgoing.method.clone(), to.url().clone());
        *request.headers_mut() = outgoing.headers.clone();
        *request.body_mut() = Some(reqwest::Body::wrap(outgoing.body()));
        let mut response = self.0.get(choice).execute(request).await.map_err(send_error)?;
        let headers = std::mem::take(response.headers_mut());
        let status = response.status().as_u16();
        let port = LocalPort::of(response.extensions());
        Ok(RawResponse { status, headers, body: RawBody::Reqwest(ReqwestBody(response)), port })
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

impl ReqwestBody {
    pub(super) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        // `chunk` keeps its progress in the response, so a future can be made for each poll.
        pin!(self.0.chunk()).poll(cx).map(|chunk| chunk.map_err(|error| failure(&error)).transpose())
    }
}

fn send_error(error: Error) -> SendError {
    let source = error.source().and_then(|source| source.downcast_ref::<legacy::Error>());
    let connect = error.is_connect().then(|| match &error {
        error if error.is_timeout() => ConnectCause::Timeout,
        error if error.is_dns() => ConnectCause::Dns,
        error => ConnectCause::of(error),
    });
    SendError {
        failure: failure(&error),
        connect,
        cause: source.map_or(SendErrorCause::Other, SendErrorCause::of),
        port: source.and_then(LocalPort::of_error),
    }
}

fn failure(error: &Error) -> CallFailure {
    if error.is_connect() {
        CallFailure::connect(source_chain(error))
    } else {
        CallFailure::broken(source_chain(error))
    }
}
