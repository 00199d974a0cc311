//! What a call to a backend is, whichever kind it is.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::HeaderMap;
use bytes::{Bytes, BytesMut};
use pointsman_domain::failure::{CallFailure, FailureKind};
use pointsman_domain::model::{Model, Operation};

use crate::http::transport::AnswerBody;
use crate::http::{HttpBackend, HttpConfig, InvalidBackend};
use crate::simulated::{Simulated, SimulatedBody, SimulatedConfig};

/// Something that answers model calls. Cheap to clone; clones share the
/// connections.
#[derive(Clone, Debug)]
pub struct Backend(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Http(Arc<HttpBackend>),
    Simulated(Arc<Simulated>),
}

/// One request to be sent.
#[derive(Debug)]
pub struct Call<'a> {
    /// The model, one of this backend's.
    pub model: &'a Model,
    /// What it is called for: where the request goes.
    pub operation: Operation,
    /// What the body is; `None` for JSON.
    pub content_type: Option<&'a str>,
    /// The request, in pieces that are sent one after the other. It already
    /// carries the name by which the backend knows the model.
    pub body: Vec<Bytes>,
    /// Headers of the client's that may go upstream. What the backend's
    /// configuration sets wins over them.
    pub headers: HeaderMap,
}

/// The head of an answer, whatever its status, and the body that follows.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers that a client may see.
    pub headers: HeaderMap,
    /// What follows.
    pub body: ReplyBody,
}

/// An answer's body as it arrives. Dropping it ends the call at the backend.
#[derive(Debug)]
pub struct ReplyBody(BodyKind);

#[derive(Debug)]
enum BodyKind {
    Http(AnswerBody),
    Simulated(SimulatedBody),
}

impl Backend {
    /// A server spoken to by HTTP. Opens no connection yet.
    pub fn http(config: HttpConfig) -> Result<Self, InvalidBackend> {
        Ok(Self(Kind::Http(Arc::new(HttpBackend::new(config)?))))
    }

    /// A fleet in this process.
    pub fn simulated(config: SimulatedConfig) -> Self {
        Self(Kind::Simulated(Arc::new(Simulated::new(config))))
    }

    /// Calls a model. Returns as soon as the head of the answer is there; an
    /// error status is an answer too. Waits without limit: dropping the future
    /// cancels the call.
    pub async fn call(&self, call: Call<'_>) -> Result<Reply, CallFailure> {
        match &self.0 {
            Kind::Http(backend) => backend.call(call).await,
            Kind::Simulated(fleet) => Ok(fleet.call(call).await),
        }
    }

    /// Returns the status of the answer to a GET below the base URL. Fails without an
    /// answer in time, and with a status of 500 or more: any other is that of a server
    /// which is alive. A simulated fleet always is.
    pub async fn probe(&self, path: &str, timeout: Duration) -> Result<u16, CallFailure> {
        match &self.0 {
            Kind::Http(backend) => backend.probe(path, timeout).await,
            Kind::Simulated(_) => Ok(200),
        }
    }
}

impl ReplyBody {
    pub(crate) fn http(body: AnswerBody) -> Self {
        Self(BodyKind::Http(body))
    }

    pub(crate) fn simulated(body: SimulatedBody) -> Self {
        Self(BodyKind::Simulated(body))
    }

    /// The next piece; `None` at the end. An error ends the body.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, CallFailure>> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// [`chunk`](Self::chunk) for callers that are polled themselves.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        match &mut self.0 {
            BodyKind::Http(body) => body.poll_chunk(cx),
            BodyKind::Simulated(body) => body.poll_chunk(cx).map(|chunk| chunk.map(Ok)),
        }
    }

    /// The whole body, in one piece. Fails when it is longer than `limit` bytes.
    pub async fn whole(mut self, limit: usize) -> Result<Bytes, CallFailure> {
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

fn check_length(length: usize, limit: usize) -> Result<(), CallFailure> {
    if length <= limit {
        return Ok(());
    }
    Err(broken(format!("longer than {limit} bytes")))
}

pub(crate) fn broken(what: String) -> CallFailure {
    CallFailure { kind: FailureKind::Broken(what), retry_after: None }
}
