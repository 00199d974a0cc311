//! Plain HTTP, by hyper's client.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::{HeaderMap, Method, Request, Uri};
use bytes::Bytes;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use pointsman_domain::failure::CallFailure;

use super::{Answer, Pieces, TransportBody, broken, cannot_connect, reason};
use crate::http::HttpConfig;

/// Connections to a server.
pub(crate) struct Plain(Client<HttpConnector, Pieces>);

/// The rest of an answer.
pub(crate) struct Rest(Incoming);

impl Plain {
    pub(super) fn new(config: &HttpConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(config.connect_timeout));
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(config.idle_timeout)
            .pool_max_idle_per_host(config.max_idle_connections)
            .http2_only(config.http2)
            .build(tcp);
        Self(client)
    }

    pub(super) async fn send(
        &self,
        method: Method,
        to: Uri,
        headers: HeaderMap,
        body: Pieces,
    ) -> Result<Answer, CallFailure> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = to;
        *request.headers_mut() = headers;
        let (head, body) = self.0.request(request).await.map_err(|error| failure(&error))?.into_parts();
        let body = TransportBody::Plain(Rest(body));
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
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

fn failure(error: &Error) -> CallFailure {
    if error.is_connect() { cannot_connect(reason(error)) } else { broken(reason(error)) }
}
