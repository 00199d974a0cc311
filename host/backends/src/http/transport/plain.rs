//! Plain HTTP, by hyper's client.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::Request;
use bytes::Bytes;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use pointsman_domain::failure::CallFailure;

use super::kept::{LocalPort, SendError, SendErrorCause};
use super::{
    Address, Clients, Freshness, Outgoing, Pieces, RawAnswer, TransportBody, broken, cannot_connect, reason,
};
use crate::http::HttpConfig;

/// Connections to a server.
pub(super) struct Plain(Clients<Client<HttpConnector, Pieces>>);

/// The rest of an answer.
pub(super) struct Rest(Incoming);

impl Plain {
    pub(super) fn new(config: &HttpConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(config.connect_timeout));
        let build = |max_idle_connections| {
            Client::builder(TokioExecutor::new())
                .timer(TokioTimer::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(config.idle_timeout)
                .pool_max_idle_per_host(max_idle_connections)
                .http2_only(config.http2)
                .build(tcp.clone())
        };
        Self(Clients { keeping: build(config.max_idle_connections), fresh: build(0) })
    }

    pub(super) async fn send(
        &self,
        to: &Address,
        outgoing: &Outgoing,
        freshness: Freshness,
    ) -> Result<RawAnswer, SendError> {
        let mut request = Request::new(outgoing.pieces());
        *request.method_mut() = outgoing.method.clone();
        *request.uri_mut() = to.uri().clone();
        *request.headers_mut() = outgoing.headers.clone();
        let (head, body) =
            self.0.of(freshness).request(request).await.map_err(|error| send_error(&error))?.into_parts();
        let body = TransportBody::Plain(Rest(body));
        let port = LocalPort::of(&head.extensions);
        Ok(RawAnswer { status: head.status.as_u16(), headers: head.headers, body, port })
    }
}

impl Rest {
    pub(super) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        loop {
            let Some(frame) = ready!(Pin::new(&mut self.0).poll_frame(cx)) else { return Poll::Ready(None) };
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => return Poll::Ready(Some(Ok(data))),
                // Trailers say nothing that is passed on.
                Ok(Err(_)) => {}
                Err(error) => return Poll::Ready(Some(Err(broken(error.to_string())))),
            }
        }
    }
}

fn send_error(error: &Error) -> SendError {
    SendError { failure: failure(error), cause: SendErrorCause::of(error), port: LocalPort::of_error(error) }
}

fn failure(error: &Error) -> CallFailure {
    if error.is_connect() { cannot_connect(reason(error)) } else { broken(reason(error)) }
}
