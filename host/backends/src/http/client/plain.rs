//! Client for plain HTTP, on hyper's.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::Request;
use bytes::Bytes;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use pointsman_domain::failure::{CallFailure, source_chain};

use super::kept_connections::{LocalPort, SendError, SendErrorCause};
use super::{
    Address, ClientPair, ConnectCause, ConnectionChoice, OutgoingRequest, RawBody, RawResponse, RequestBody,
};
use crate::http::HttpConfig;

pub(super) struct PlainClient(ClientPair<Client<HttpConnector, RequestBody>>);

pub(super) struct PlainBody(Incoming);

impl PlainClient {
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
        Self(ClientPair { pooled: build(config.max_idle_connections), unpooled: build(0) })
    }

    pub(super) async fn send(
        &self,
        to: &Address,
        outgoing: &OutgoingRequest,
        choice: ConnectionChoice,
    ) -> Result<RawResponse, SendError> {
        let mut request = Request::new(outgoing.body());
        *request.method_mut() = outgoing.method.clone();
        *request.uri_mut() = to.uri().clone();
        *request.headers_mut() = outgoing.headers.clone();
        let (head, body) =
            self.0.get(choice).request(request).await.map_err(|error| send_error(&error))?.into_parts();
        let body = RawBody::Plain(PlainBody(body));
        let port = LocalPort::of(&head.extensions);
        Ok(RawResponse { status: head.status.as_u16(), headers: head.headers, body, port })
    }
}

impl PlainBody {
    pub(super) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        loop {
            let Some(frame) = ready!(Pin::new(&mut self.0).poll_frame(cx)) else { return Poll::Ready(None) };
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => return Poll::Ready(Some(Ok(data))),
                // Trailers are not passed on.
                Ok(Err(_)) => {}
                Err(error) => return Poll::Ready(Some(Err(CallFailure::broken(error.to_string())))),
            }
        }
    }
}

fn send_error(error: &Error) -> SendError {
    SendError {
        failure: failure(error),
        connect: error.is_connect().then(|| ConnectCause::of(error)),
        cause: SendErrorCause::of(error),
        port: LocalPort::of_error(error),
    }
}

fn failure(error: &Error) -> CallFailure {
    if error.is_connect() {
        CallFailure::connect(source_chain(error))
    } else {
        CallFailure::broken(source_chain(error))
    }
}
