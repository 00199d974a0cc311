//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, Waker, ready};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use http::{HeaderValue, Request, Version, header};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulConnection;
use hyper_util::service::TowerToHyperService;
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_serving::timer::Timer;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::activity::{Activity, Closing, Timeouts};
use super::closing::close;
use super::deadlines::Deadlines;
use super::handshake::{Handshakes, PrefixedStream};
use super::peer::{Peer, TrustedProxies};
use super::proxy_protocol::{self, Beginning};
use super::request::{OpenRequest, TrackedBody};
use super::stream::TrackedStream;
use super::table::{ConnectionTable, Registration};
use super::unread;
use crate::deadline::ResponseDeadline;

/// Time for a client to notice that its connection closes, and for a request that it sent
/// before to arrive.
const GRACE: Duration = Duration::from_secs(1);

/// Sent to a peer that has all the connections it may have. The request is not waited for.
const REFUSAL: &str = "{\"error\":{\"message\":\"too many connections from this address\",\
                       \"type\":\"server_error\",\"param\":null,\"code\":\"too_many_connections\"}}";

/// State shared by the connections of a listener.
pub(super) struct Listener {
    pub(super) service: TowerToHyperService<Router>,
    pub(super) builder: Builder<TokioExecutor>,
    pub(super) table: Arc<ConnectionTable>,
    /// TLS handshakes, if connections begin with one.
    pub(super) handshakes: Option<Handshakes>,
    pub(super) timeouts: Timeouts,
    pub(super) proxies: TrustedProxies,
    /// Most bytes of an unread request body that are discarded before its response is sent.
    pub(super) max_discarded_bytes: usize,
    pub(super) render_error: fn(ServingError) -> Response,
    pub(super) stop: watch::Receiver<bool>,
}

/// State shared by the task and the requests of one connection.
struct ConnectionState {
    listener: Arc<Listener>,
    activity: Arc<Activity>,
    /// Response bodies that end at a time of their own.
    deadlines: Arc<Deadlines>,
    /// True if its requests are counted for the peers that their headers report.
    is_shared: bool,
}

impl ConnectionState {
    fn new(listener: Arc<Listener>, is_shared: bool) -> Self {
        let activity = Arc::new(Activity::new(Instant::now()));
        Self { listener, activity, deadlines: Arc::default(), is_shared }
    }
}

/// Source of a connection.
struct Source {
    /// The peer that it is counted for.
    peer: Option<Peer>,
    /// True if its requests are counted for the peers that their headers report.
    is_shared: bool,
    /// Bytes of the first request that have been read already.
    prefix: Vec<u8>,
}

/// Serves a connection to its end.
pub(super) async fn serve(listener: Arc<Listener>, mut stream: TcpStream, address: SocketAddr) {
    let until = Instant::now() + listener.timeouts.head;
    let found = timeout_at(until, find_source(&listener, &mut stream, address)).await;
    let source = match found {
        Ok(Ok(source)) => source,
        Ok(Err(error)) => return tracing::debug!("a connection ended: {error}"),
        Err(_) => return tracing::debug!("a connection ended: its first bytes did not arrive in time"),
    };
    let state = Arc::new(ConnectionState::new(Arc::clone(&listener), source.is_shared));
    let Ok(registration) = listener.table.register(source.peer, Arc::clone(&state.activity)) else {
        listener.table.warn_of_refusal();
        return refuse(stream, listener.handshakes.is_some()).await;
    };
    let Some(handshakes) = &listener.handshakes else {
        let stream = TrackedStream::new(stream, source.prefix, Arc::clone(&state.activity));
        return serve_http(stream, &state, &registration).await;
    };
    let stream = PrefixedStream { stream, prefix: source.prefix };
    let mut stop = listener.stop.clone();
    let accepted = tokio::select! {
        biased;
        accepted = timeout_at(until, handshakes.accept(stream, &listener.table)) => accepted,
        // Nothing is lost: no request has arrived.
        () = registration.evicted() => return,
        _ = stop.wait_for(|stop| *stop) => return,
    };
    match accepted {
        Ok(Ok(stream)) => {
            let stream = TrackedStream::new(stream, Vec::new(), Arc::clone(&state.activity));
            serve_http(stream, &state, &registration).await;
        }
        Ok(Err(error)) => tracing::debug!("a TLS handshake failed: {error}"),
        Err(_) => {
            handshakes.record_timeout();
            tracing::debug!("a connection ended: its TLS handshake did not end in time");
        }
    }
}

/// Serves the requests of a connection.
async fn serve_http<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: TrackedStream<S>,
    state: &Arc<ConnectionState>,
    registration: &Registration,
) {
    let service = {
        let state = Arc::clone(state);
        service_fn(move |request| answer(Arc::clone(&state), request))
    };
    let connection = state.listener.builder.serve_connection(TokioIo::new(stream), service);
    if let Some(Err(error)) = drive(pin!(connection), state, registration).await {
        tracing::debug!("a connection ended: {error}");
    }
}

/// Finds out where a connection comes from. Only a trusted proxy may say that it connects for
/// somebody else.
async fn find_source(listener: &Listener, stream: &mut TcpStream, address: SocketAddr) -> io::Result<Source> {
    if !listener.proxies.contain(address.ip()) {
        return Ok(Source { peer: Some(Peer::at(address.ip())), is_shared: false, prefix: Vec::new() });
    }
    Ok(match proxy_protocol::read(stream).await? {
        Beginning::Header(client) => {
            // One trusted proxy may stand behind another.
            let client = client.filter(|client| !listener.proxies.contain(*client));
            Source { peer: client.map(Peer::at), is_shared: client.is_none(), prefix: Vec::new() }
        }
        Beginning::Request(prefix) => Source { peer: None, is_shared: true, prefix },
    })
}

async fn answer(
    connection: Arc<ConnectionState>,
    request: Request<Incoming>,
) -> Result<Response<TrackedBody>, Infallible> {
    let listener = &connection.listener;
    let forwarded = || listener.proxies.forwarded_peer(request.headers());
    let reported = connection.is_shared.then(forwarded).flatten();
    let share = reported.map(|peer| listener.table.share(peer)).transpose().map(Option::flatten);
    let is_over = share.is_err();
    let open = OpenRequest::begin(Arc::clone(&connection.activity), share.unwrap_or_default());
    let is_http1 = request.version() <= Version::HTTP_11;
    let (parts, body) = request.into_parts();
    let (body, unread) = unread::split(body, &parts.headers);
    let mut response = if is_over {
        drop(body);
        let message = "too many requests under way from this address";
        let error = ServingError::new(ErrorKind::TooManyConnections, message);
        (listener.render_error)(error.with_retry_after(Some(GRACE)))
    } else {
        let request = Request::from_parts(parts, body);
        listener.service.call(request).await.unwrap_or_else(|never: Infallible| match never {})
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !unread.discard(listener.max_discarded_bytes).await && is_http1 {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        connection.activity.leave_unread();
    }
    let deadline = response.extensions_mut().remove::<ResponseDeadline>();
    Ok(response.map(|body| open.respond(body, deadline, &connection.deadlines)))
}

/// Runs a connection until it ends, or until it is to be closed and its client had time to
/// notice. `None` if it was cut off.
async fn drive<C: GracefulConnection>(
    mut connection: Pin<&mut C>,
    state: &ConnectionState,
    registration: &Registration,
) -> Option<Result<(), C::Error>> {
    let ConnectionState { listener, activity, .. } = state;
    let mut stop = listener.stop.clone();
    let idle_deadline = |waker: &Waker| activity.idle_deadline(listener.timeouts, waker);
    let (grace, stalled) = tokio::select! {
        biased;
        ended = run_until(connection.as_mut(), state, idle_deadline) => match ended {
            Some(ended) => return Some(ended),
            None => (GRACE, GRACE),
        },
        () = registration.evicted() => match activity.was_used() {
            true => (GRACE, GRACE),
            // Nothing is lost, and others wait for the slot.
            false => (Duration::ZERO, Duration::ZERO),
        },
        _ = stop.wait_for(|stop| *stop) => (GRACE, listener.timeouts.write),
    };
    activity.begin_closing();
    connection.as_mut().graceful_shutdown();
    let closing = Closing { asked_at: Instant::now(), grace, stalled };
    run_until(connection, state, |waker: &Waker| activity.closing_deadline(closing, waker)).await
}

/// Runs a connection until it ends; `None` if a deadline passes first. The deadline may move
/// with what happens on the connection.
async fn run_until<C: GracefulConnection>(
    mut connection: Pin<&mut C>,
    state: &ConnectionState,
    deadline: impl Fn(&Waker) -> Option<Instant>,
) -> Option<Result<(), C::Error>> {
    let (mut timer, mut response_timer) = (Timer::new(), Timer::new());
    poll_fn(|context| {
        state.activity.forget_waker();
        if let Poll::Ready(ended) = connection.as_mut().poll(context) {
            return Poll::Ready(Some(ended));
        }
        while let Some(deadline) = state.deadlines.next(context.waker()) {
            if response_timer.poll_at(deadline, context).is_pending() {
                break;
            }
            let now = Instant::now();
            if state.deadlines.expire(now) {
                // hyper notices the end of a body only when it can write.
                state.activity.limit_writing(now);
            }
        }
        while let Some(deadline) = deadline(context.waker()) {
            ready!(timer.poll_at(deadline, context));
            if deadline <= Instant::now() {
                return Poll::Ready(None);
            }
        }
        Poll::Pending
    })
    .await
}

/// Answers a connection that is one too many. A client of HTTP/2 or TLS sees it end.
async fn refuse(mut stream: TcpStream, is_encrypted: bool) {
    if is_encrypted {
        return close(stream).await;
    }
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         x-content-type-options: nosniff\r\nretry-after: 1\r\nconnection: close\r\n\r\n{REFUSAL}",
        REFUSAL.len()
    );
    // The buffer of a fresh socket takes all of it.
    let _ = stream.write_all(answer.as_bytes()).await;
    close(stream).await;
}
