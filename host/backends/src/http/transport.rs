//! The HTTP client, and the only place that knows which one it is.

use std::error::Error;
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Once;
use std::task::{Context, Poll};

use ::http::{HeaderMap, Method};
use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use pointsman_domain::failure::{CallFailure, FailureKind};
use reqwest::{Certificate, Client, Request, Response, Url};

use super::{HttpConfig, InvalidBackend};
use crate::backend::broken;

/// Up to this size a body is copied into one piece, which costs less than
/// handing over the pieces.
const COPIED: usize = 64 * 1024;

/// A web address, parsed once.
#[derive(Clone)]
pub(crate) struct Address(Url);

/// Connections to one server.
pub(crate) struct Transport {
    client: Client,
}

/// The head of an answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: TransportBody,
}

/// The rest of an answer; dropping it closes the connection or the stream.
pub(crate) struct TransportBody(Response);

impl Address {
    /// Checks a base URL. Secrets in it are refused, so addresses may be logged.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidBackend> {
        let invalid = |reason: String| InvalidBackend::Url { url: text.to_owned(), reason };
        let url = Url::parse(text).map_err(|error| invalid(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid(format!("its scheme is {}, not http or https", url.scheme())));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidBackend::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("it has a query or a fragment".to_owned()));
        }
        Ok(Self(url))
    }

    /// An address below this one.
    pub(crate) fn join(&self, path: &str) -> Result<Self, InvalidBackend> {
        let text = format!("{}/{}", self.0.as_str().trim_end_matches('/'), path.trim_start_matches('/'));
        let url = Url::parse(&text);
        url.map(Self).map_err(|error| InvalidBackend::Url { url: text, reason: error.to_string() })
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl Transport {
    pub(crate) fn new(config: &HttpConfig, base: &Address) -> Result<Self, InvalidBackend> {
        use_ring();
        let mut builder = Client::builder()
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
        } else if base.0.scheme() == "http" {
            // The system's authorities are not needed, and take time and memory to load.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| InvalidBackend::Client(reason(&error)))?;
        Ok(Self { client })
    }

    pub(crate) async fn post(
        &self,
        to: &Address,
        headers: HeaderMap,
        body: Vec<Bytes>,
    ) -> Result<Answer, CallFailure> {
        let mut request = Request::new(Method::POST, to.0.clone());
        *request.headers_mut() = headers;
        *request.body_mut() = Some(request_body(body));
        self.send(request).await
    }

    pub(crate) async fn get(&self, from: &Address, headers: HeaderMap) -> Result<Answer, CallFailure> {
        let mut request = Request::new(Method::GET, from.0.clone());
        *request.headers_mut() = headers;
        self.send(request).await
    }

    async fn send(&self, request: Request) -> Result<Answer, CallFailure> {
        let mut response = self.client.execute(request).await.map_err(failure)?;
        let headers = std::mem::take(response.headers_mut());
        Ok(Answer { status: response.status().as_u16(), headers, body: TransportBody(response) })
    }
}

impl TransportBody {
    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        // The future holds no progress of its own, so one can be made for each poll.
        pin!(self.0.chunk()).poll(cx).map(|chunk| chunk.map_err(failure).transpose())
    }
}

impl fmt::Debug for TransportBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransportBody")
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

fn request_body(mut pieces: Vec<Bytes>) -> reqwest::Body {
    let length: usize = pieces.iter().map(Bytes::len).sum();
    match pieces.as_mut_slice() {
        [only] => std::mem::take(only).into(),
        several if length <= COPIED => {
            let mut whole = BytesMut::with_capacity(length);
            several.iter().for_each(|piece| whole.extend_from_slice(piece));
            whole.freeze().into()
        }
        _ => reqwest::Body::wrap(Pieces { pieces: pieces.into_iter(), left: length as u64 }),
    }
}

/// A long body that is sent from where its pieces are. Its length is known, so
/// it is not sent chunked, which some servers refuse.
struct Pieces {
    pieces: std::vec::IntoIter<Bytes>,
    left: u64,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let piece = self.pieces.find(|piece| !piece.is_empty());
        self.left -= piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

fn failure(error: reqwest::Error) -> CallFailure {
    let reason = reason(&error);
    if error.is_connect() {
        return CallFailure { kind: FailureKind::Connect(reason), retry_after: None };
    }
    broken(reason)
}

/// What lies below the client's own message, which would say no more than that
/// something failed, and at which address.
fn reason(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        source = cause.source();
    }
    if parts.is_empty() { "the client gave no reason".to_owned() } else { parts.join(": ") }
}
