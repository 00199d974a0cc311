use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::HeaderMap;
use bytes::{Bytes, BytesMut};
use pointsman_domain::failure::CallFailure;
use pointsman_wire::provider::ProviderDialect;

use crate::call::{BackendCall, BackendRequest};
use crate::http::{HttpBackend, HttpBody, HttpConfig, InvalidBackend};
use crate::simulated::{SimulatedBody, SimulatedConfig, SimulatedFleet};

/// Server, or simulated fleet, that answers model calls: a transport and the dialect that is
/// spoken over it. Clones are cheap and share the connections.
#[derive(Clone, Debug)]
pub struct Backend {
    transport: Transport,
    dialect: ProviderDialect,
}

#[derive(Clone, Debug)]
enum Transport {
    Http(Arc<HttpBackend>),
    Simulated(Arc<SimulatedFleet>),
}

/// Settings of a transport. Backends with equal settings can share connections.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there is one for each backend")]
pub enum TransportConfig {
    /// HTTP, with or without TLS, to a server.
    Http(HttpConfig),
    /// Calls of a fleet in this process.
    Simulated(SimulatedConfig),
}

/// Head of a response, whatever its status, and the body that follows.
#[derive(Debug)]
pub struct BackendResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers that a client may see.
    pub headers: HeaderMap,
    /// Body that follows.
    pub body: BackendBody,
}

/// Body of a response as it arrives. Dropping it ends the call at the backend.
#[derive(Debug)]
pub struct BackendBody(BodySource);

#[derive(Debug)]
enum BodySource {
    Http(HttpBody),
    Simulated(SimulatedBody),
}

impl Backend {
    /// Sets up a backend. Opens no connection yet.
    pub fn new(transport: TransportConfig, dialect: ProviderDialect) -> Result<Self, InvalidBackend> {
        let transport = match transport {
            TransportConfig::Http(config) => Transport::Http(Arc::new(HttpBackend::new(&config, dialect)?)),
            TransportConfig::Simulated(config) => Transport::Simulated(Arc::new(SimulatedFleet::new(config))),
        };
        Ok(Self { transport, dialect })
    }

    /// Returns the dialect that is spoken.
    pub fn dialect(&self) -> ProviderDialect {
        self.dialect
    }

    /// Returns the host name of the server; empty for a simulated fleet.
    pub fn host(&self) -> &str {
        match &self.transport {
            Transport::Http(backend) => backend.host(),
            Transport::Simulated(_) => "",
        }
    }

    /// Returns the server that it calls; `None` for a simulated fleet.
    pub(crate) fn server(&self) -> Option<&HttpBackend> {
        match &self.transport {
            Transport::Http(backend) => Some(backend),
            Transport::Simulated(_) => None,
        }
    }

    /// Takes over the key that another configuration of the same backend has read from a file, if it
    /// is another one than that of the configuration before. The backend may have a newer key than
    /// both: it reads the file too.
    pub fn adopt_key(&self, before: &TransportConfig, now: &TransportConfig) {
        if let (Transport::Http(backend), TransportConfig::Http(before), TransportConfig::Http(now)) =
            (&self.transport, before, now)
        {
            backend.adopt_key(before, now);
        }
    }

    /// Calls a model. Returns with the head of the response; an error status is a response
    /// too. Waits without limit: dropping the future cancels the call.
    pub async fn call(&self, call: BackendCall<'_>) -> Result<BackendResponse, CallFailure> {
        match &self.transport {
            Transport::Http(backend) => {
                let response = backend.call(call).await?;
                let body = BackendBody::from(response.body);
                Ok(BackendResponse { status: response.status, headers: response.headers, body })
            }
            Transport::Simulated(fleet) => {
                let response = fleet.call(call).await;
                let body = BackendBody(BodySource::Simulated(response.body));
                Ok(BackendResponse { status: response.status, headers: response.headers, body })
            }
        }
    }

    /// Sends a request that calls no model, and returns the head of the response. A simulated fleet
    /// keeps no state, so it finds nothing. Waits without limit.
    pub async fn request(&self, request: BackendRequest<'_>) -> Result<BackendResponse, CallFailure> {
        match &self.transport {
            Transport::Http(backend) => {
                let response = backend.request(request).await?;
                let body = BackendBody::from(response.body);
                Ok(BackendResponse { status: response.status, headers: response.headers, body })
            }
            Transport::Simulated(_) => {
                let response = SimulatedFleet::not_found(request.path);
                let body = BackendBody(BodySource::Simulated(response.body));
                Ok(BackendResponse { status: response.status, headers: response.headers, body })
            }
        }
    }

    /// Returns the status of the response to a GET below the base URL. A simulated fleet
    /// always returns 200.
    ///
    /// # Errors
    /// Fails without a response in time, and with a status of 500 or more. A server that
    /// responds with any other status is alive.
    pub async fn probe(&self, path: &str, timeout: Duration) -> Result<u16, CallFailure> {
        match &self.transport {
            Transport::Http(backend) => backend.probe(path, timeout).await,
            Transport::Simulated(_) => Ok(200),
        }
    }
}

impl BackendBody {
    /// Returns the next chunk; `None` at the end. An error ends the body.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, CallFailure>> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// Polls for the next chunk, as [`chunk`](Self::chunk) does.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        match &mut self.0 {
            BodySource::Http(body) => body.poll_chunk(cx),
            BodySource::Simulated(body) => body.poll_chunk(cx).map(|chunk| chunk.map(Ok)),
        }
    }

    /// Reads the whole body into one piece.
    ///
    /// # Errors
    /// Fails when the body is longer than `limit` bytes.
    pub async fn whole(mut self, limit: usize) -> Result<Bytes, CallFailure> {
        // A body of one chunk is returned without a copy.
        let Some(first) = self.chunk().await.transpose()? else { return Ok(Bytes::new()) };
        check_length(first.len(), limit)?;
        let Some(second) = self.chunk().await.transpose()? else { return Ok(first) };
        let mut whole = BytesMut::from(first);
        let mut next = Some(second);
        while let Some(chunk) = next {
            check_length(whole.len() + chunk.len(), limit)?;
            whole.extend_from_slice(&chunk);
            next = self.chunk().await.transpose()?;
        }
        Ok(whole.freeze())
    }
}

impl From<HttpBody> for BackendBody {
    fn from(body: HttpBody) -> Self {
        Self(BodySource::Http(body))
    }
}

fn check_length(length: usize, limit: usize) -> Result<(), CallFailure> {
    if length <= limit {
        return Ok(());
    }
    Err(CallFailure::broken(format!("longer than {limit} bytes")))
}
