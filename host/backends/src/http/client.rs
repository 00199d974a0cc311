//! HTTP clients. This module alone knows which libraries they are.
//!
//! Servers of the operator speak plain HTTP over a near network, where each microsecond
//! shows: they are called by hyper's client as it is. A provider on the internet speaks TLS,
//! or is behind a proxy: reqwest negotiates HTTP/2 and opens tunnels. It costs some 15 µs more
//! for each call (it parses the address again and copies headers), which is little compared
//! with the round trip.

use std::fmt;
use std::time::Instant;

use ::http::header::CONTENT_LENGTH;
use ::http::{HeaderMap, Method};
use pointsman_domain::failure::CallFailure;
use pointsman_wire::CallBody;

use super::{HttpConfig, InvalidBackend};

mod address;
mod connect_cause;
mod kept_connections;
mod plain;
mod redirect;
mod request_body;
mod reqwest_client;
mod response_body;
mod tls;

pub(crate) use address::Address;
pub use connect_cause::ConnectCause;
pub(crate) use kept_connections::SendError;
use kept_connections::{KeptConnections, LocalPort};
use plain::PlainClient;
use redirect::RedirectPolicy;
use request_body::RequestBody;
use reqwest_client::ReqwestClient;
pub(crate) use response_body::HttpBody;

/// Client of one server, with its connections.
pub(crate) struct HttpClient {
    library: ClientLibrary,
    kept: KeptConnections,
    redirects: RedirectPolicy,
}

#[expect(clippy::large_enum_variant, reason = "there is one for each backend")]
enum ClientLibrary {
    Plain(PlainClient),
    Reqwest(ReqwestClient),
}

/// Request that can be sent more than once.
struct OutgoingRequest {
    method: Method,
    headers: HeaderMap,
    body: CallBody,
}

/// Head of a response, and the body that follows.
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: HttpBody,
}

/// Response before redirects are followed and content codings removed.
struct RawResponse {
    status: u16,
    headers: HeaderMap,
    body: RawBody,
    /// Local port of the connection that it arrived on.
    port: Option<LocalPort>,
}

/// Body as it is on the wire. Dropping it closes the connection or the stream.
enum RawBody {
    Plain(plain::PlainBody),
    Reqwest(reqwest_client::ReqwestBody),
}

/// Client with a pool of connections, and one with the same settings and no pool.
struct ClientPair<C> {
    pooled: C,
    unpooled: C,
}

impl<C> ClientPair<C> {
    fn get(&self, choice: ConnectionChoice) -> &C {
        match choice {
            ConnectionChoice::Reusable => &self.pooled,
            ConnectionChoice::New => &self.unpooled,
        }
    }
}

/// Connections that a request may be sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConnectionChoice {
    /// An idle connection of the pool, or a new one if there is none.
    Reusable,
    /// A new connection.
    New,
}

impl HttpClient {
    pub(crate) fn new(config: &HttpConfig, base: &Address) -> Result<Self, InvalidBackend> {
        let library = if base.is_encrypted() || config.proxy.is_some() {
            ClientLibrary::Reqwest(ReqwestClient::new(config, base)?)
        } else {
            ClientLibrary::Plain(PlainClient::new(config))
        };
        Ok(Self { library, kept: KeptConnections::default(), redirects: RedirectPolicy::default() })
    }

    pub(crate) async fn post(
        &self,
        to: &Address,
        headers: HeaderMap,
        body: CallBody,
    ) -> Result<HttpResponse, CallFailure> {
        let body = request_body::joined(body);
        let request = OutgoingRequest { method: Method::POST, headers, body };
        self.send(to, request).await.map_err(|error| error.failure)
    }

    pub(crate) async fn get(&self, from: &Address, headers: HeaderMap) -> Result<HttpResponse, CallFailure> {
        self.send_empty(Method::GET, from, headers).await
    }

    pub(crate) async fn send_empty(
        &self,
        method: Method,
        to: &Address,
        headers: HeaderMap,
    ) -> Result<HttpResponse, CallFailure> {
        let request = OutgoingRequest { method, headers, body: Vec::new().into() };
        self.send(to, request).await.map_err(|error| error.failure)
    }

    /// Sends a request whose failure states why no connection could be opened.
    pub(crate) async fn diagnose(
        &self,
        method: Method,
        to: &Address,
        headers: HeaderMap,
        body: CallBody,
    ) -> Result<HttpResponse, SendError> {
        self.send(to, OutgoingRequest { method, headers, body }).await
    }

    /// Sends a request, and follows redirects within the same server.
    async fn send(&self, to: &Address, request: OutgoingRequest) -> Result<HttpResponse, SendError> {
        let mut response = self.send_to(to, &request).await?;
        let mut redirected: Option<Address> = None;
        let mut hops = 0;
        while let at = redirected.as_ref().unwrap_or(to)
            && let Some(next) = self.redirects.next(at, response.status, &response.headers, hops)
        {
            response = self.send_to(&next, &request).await?;
            redirected = Some(next);
            hops += 1;
        }
        let RawResponse { status, mut headers, body, .. } = response;
        let body = HttpBody::new(body, &mut headers);
        // It counted the bytes before decoding.
        headers.remove(CONTENT_LENGTH);
        Ok(HttpResponse { status, headers, body })
    }

    /// Sends a request, and once more on a new connection where the server did not process it.
    async fn send_to(&self, to: &Address, request: &OutgoingRequest) -> Result<RawResponse, SendError> {
        let sent_at = Instant::now();
        let mut response = self.library.send(to, request, ConnectionChoice::Reusable).await;
        if let Err(error) = &response
            && self.kept.is_unprocessed(error, sent_at.elapsed())
        {
            response = self.library.send(to, request, ConnectionChoice::New).await;
        }
        let response = response?;
        self.kept.record_response(response.port);
        Ok(response)
    }
}

impl ClientLibrary {
    async fn send(
        &self,
        to: &Address,
        request: &OutgoingRequest,
        choice: ConnectionChoice,
    ) -> Result<RawResponse, SendError> {
        match self {
            Self::Plain(client) => client.send(to, request, choice).await,
            Self::Reqwest(client) => client.send(to, request, choice).await,
        }
    }
}

impl OutgoingRequest {
    /// Returns a copy of the body, which shares the bytes.
    fn body(&self) -> RequestBody {
        RequestBody::new(self.body.clone())
    }
}

impl fmt::Debug for RawBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawBody")
    }
}
