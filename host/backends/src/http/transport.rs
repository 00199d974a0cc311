//! The HTTP clients, and the only place that knows which they are.
//!
//! Servers of the operator's own speak plain HTTP on a near network, where each
//! microsecond shows: they are called by hyper's client as it is. A provider on
//! the internet speaks TLS, or is behind a proxy: reqwest negotiates HTTP/2 and
//! opens tunnels, and what its comfort costs (some 15 µs a call: it parses the
//! address again and copies headers) is lost beside the way there.

use std::fmt;
use std::time::Instant;

use ::http::header::CONTENT_LENGTH;
use ::http::{HeaderMap, Method};
use bytes::Bytes;
use pointsman_domain::failure::{CallFailure, FailureKind, reason};

use super::{HttpConfig, InvalidBackend};
use crate::backend::broken;

mod address;
mod body;
mod kept;
mod pieces;
mod plain;
mod redirect;
mod reqwest_client;
mod tls;

pub(crate) use address::Address;
pub(crate) use body::AnswerBody;
use kept::{KeptConnections, SendError};
use pieces::Pieces;
use plain::Plain;
use redirect::Redirects;
use reqwest_client::ReqwestClient;

/// Connections to one server.
pub(crate) struct Transport {
    client: Client,
    kept: KeptConnections,
    redirects: Redirects,
}

#[expect(clippy::large_enum_variant, reason = "there is one for each backend")]
enum Client {
    Plain(Plain),
    Reqwest(ReqwestClient),
}

/// A request, which may have to be sent more than once.
pub(crate) struct Outgoing {
    method: Method,
    headers: HeaderMap,
    body: Vec<Bytes>,
}

/// The head of an answer, and what follows.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: AnswerBody,
}

/// The head of an answer as it came.
struct RawAnswer {
    status: u16,
    headers: HeaderMap,
    body: TransportBody,
    /// Of the connection that it came on.
    port: Option<kept::LocalPort>,
}

/// The rest of an answer; dropping it closes the connection or the stream.
enum TransportBody {
    Plain(plain::Rest),
    Reqwest(reqwest_client::Rest),
}

/// A client that keeps connections, and one with the same settings that keeps none.
struct Clients<C> {
    keeping: C,
    fresh: C,
}

impl<C> Clients<C> {
    /// The client for a kind of connection.
    fn of(&self, freshness: Freshness) -> &C {
        match freshness {
            Freshness::Any => &self.keeping,
            Freshness::Fresh => &self.fresh,
        }
    }
}

/// The kind of connection that a request is sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freshness {
    /// One that was kept, if there is one.
    Any,
    /// One of its own.
    Fresh,
}

impl Transport {
    pub(crate) fn new(config: &HttpConfig, base: &Address) -> Result<Self, InvalidBackend> {
        let client = if base.is_encrypted() || config.proxy.is_some() {
            Client::Reqwest(ReqwestClient::new(config, base)?)
        } else {
            Client::Plain(Plain::new(config))
        };
        Ok(Self { client, kept: KeptConnections::default(), redirects: Redirects::default() })
    }

    pub(crate) async fn post(
        &self,
        to: &Address,
        headers: HeaderMap,
        body: Vec<Bytes>,
    ) -> Result<Answer, CallFailure> {
        self.send(to, Outgoing { method: Method::POST, headers, body: pieces::joined(body) }).await
    }

    pub(crate) async fn get(&self, from: &Address, headers: HeaderMap) -> Result<Answer, CallFailure> {
        self.send(from, Outgoing { method: Method::GET, headers, body: Vec::new() }).await
    }

    /// Sends a request, and again to wherever the same server redirects it.
    async fn send(&self, to: &Address, request: Outgoing) -> Result<Answer, CallFailure> {
        let mut answer = self.send_to(to, &request).await?;
        let mut redirected: Option<Address> = None;
        let mut hops = 0;
        while let at = redirected.as_ref().unwrap_or(to)
            && let Some(next) = self.redirects.next(at, answer.status, &answer.headers, hops)
        {
            answer = self.send_to(&next, &request).await?;
            redirected = Some(next);
            hops += 1;
        }
        let RawAnswer { status, mut headers, body, .. } = answer;
        let body = AnswerBody::new(body, &mut headers);
        headers.remove(CONTENT_LENGTH);
        Ok(Answer { status, headers, body })
    }

    /// Sends a request once more where the server did nothing with it.
    async fn send_to(&self, to: &Address, request: &Outgoing) -> Result<RawAnswer, CallFailure> {
        let sent_at = Instant::now();
        let mut answer = self.client.send(to, request, Freshness::Any).await;
        if let Err(error) = &answer
            && self.kept.is_unprocessed(error, sent_at.elapsed())
        {
            answer = self.client.send(to, request, Freshness::Fresh).await;
        }
        let answer = answer.map_err(|error| error.failure)?;
        self.kept.answered(answer.port);
        Ok(answer)
    }
}

impl Client {
    async fn send(
        &self,
        to: &Address,
        request: &Outgoing,
        freshness: Freshness,
    ) -> Result<RawAnswer, SendError> {
        match self {
            Self::Plain(client) => client.send(to, request, freshness).await,
            Self::Reqwest(client) => client.send(to, request, freshness).await,
        }
    }
}

impl Outgoing {
    fn pieces(&self) -> Pieces {
        Pieces::new(self.body.clone())
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
