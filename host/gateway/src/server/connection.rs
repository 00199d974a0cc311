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
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Request, header};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulConnection;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::activity::{Activity, Closing, Timeouts};
use super::peer::{Peer, TrustedProxies};
use super::proxy_protocol::{self, Beginning};
use super::request::{OpenRequest, TrackedBody};
use super::stream::TrackedStream;
use super::table::{ConnectionTable, Registration};
use crate::client::error::ApiError;

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
    pub(super) timeouts: Timeouts,
    pub(super) proxies: TrustedProxies,
    pub(super) stop: watch::Receiver<bool>,
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
    let found =
        tokio::time::timeout(listener.timeouts.head, find_source(&listener, &mut stream, address)).await;
    let source = match found {
        Ok(Ok(source)) => source,
        Ok(Err(error)) => return tracing::debug!("a connection ended: {error}"),
        Err(_) => return tracing::debug!("a connection ended: its first bytes did not arrive in time"),
    };
    let activity = Arc::new(Activity::new(Instant::now()));
    let Ok(registration) = listener.table.register(source.peer, Arc::clone(&activity)) else {
        listener.table.warn_of_refusal();
        return refuse(stream).await;
    };
    let proxy = source.is_shared.then(|| Arc::clone(&listener));
    let service = {
        let (inner, activity) = (listener.service.clone(), Arc::clone(&activity));
        service_fn(move |request| answer(inner.clone(), Arc::clone(&activity), proxy.clone(), request))
    };
    let stream = TrackedStream::new(stream, source.prefix, Arc::clone(&activity));
    let connection = listener.builder.serve_connection(TokioIo::new(stream), service);
    if let Some(Err(error)) = drive(pin!(connection), &activity, &registration, &listener).await {
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
    inner: TowerToHyperService<Router>,
    activity: Arc<Activity>,
    proxy: Option<Arc<Listener>>,
    request: Request<Incoming>,
) -> Result<Response<TrackedBody>, Infallible> {
    let reported = proxy.as_ref().and_then(|listener| {
        let peer = listener.proxies.forwarded_peer(request.headers())?;
        Some(listener.table.share(peer))
    });
    let share = reported.transpose().map(Option::flatten);
    let is_over = share.is_err();
    let open = OpenRequest::begin(activity, share.unwrap_or_default());
    let mut response = if is_over {
        let message = "too many requests under way from this address";
        ApiError::unavailable("too_many_connections", message).retry_after(Some(GRACE)).into_response()
    } else {
        inner.call(request).await.unwrap_or_else(|never: Infallible| match never {})
    };
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response.map(|body| open.respond(body)))
}

/// Runs a connection until it ends, or until it is to be closed and its client had time to
/// notice. `None` if it was cut off.
async fn drive<C: GracefulConnection>(
    mut connection: Pin<&mut C>,
    activity: &Activity,
    registration: &Registration,
    listener: &Listener,
) -> Option<Result<(), C::Error>> {
    let mut stop = listener.stop.clone();
    let idle_deadline = |waker: &Waker| activity.idle_deadline(listener.timeouts, waker);
    let (grace, stalled) = tokio::select! {
        biased;
        ended = run_until(connection.as_mut(), activity, idle_deadline) => match ended {
            Some(ended) => return Some(ended),
            None => (GRACE, GRACE),
        },
        () = registration.evicted() => match activity.was_used() {
            true => (GRACE, GRACE),
            // Nothing is lost, and others wait for the slot.
            false => (Duration::ZERO, Duration::ZERO),
        },
        _ = stop.wait_for(|stop| *stop) => (GRACE, listener.timeouts.idle),
    };
    connection.as_mut().graceful_shutdown();
    let closing = Closing { asked_at: Instant::now(), grace, stalled };
    run_until(connection, activity, |waker: &Waker| activity.closing_deadline(closing, waker)).await
}

/// Runs a connection until it ends; `None` if a deadline passes first. The deadline may move
/// with what happens on the connection.
async fn run_until<C: GracefulConnection>(
    mut connection: Pin<&mut C>,
    activity: &Activity,
    deadline: impl Fn(&Waker) -> Option<Instant>,
) -> Option<Result<(), C::Error>> {
    let mut timer = pin!(tokio::time::sleep(Duration::ZERO));
    // A deadline that moves back does not touch the timer, which is looked at when it fires.
    let mut armed: Option<Instant> = None;
    poll_fn(|context| {
        activity.forget_waker();
        if let Poll::Ready(ended) = connection.as_mut().poll(context) {
            return Poll::Ready(Some(ended));
        }
        while let Some(deadline) = deadline(context.waker()) {
            if armed.is_none_or(|armed| deadline < armed) {
                timer.as_mut().reset(deadline);
                armed = Some(deadline);
            }
            ready!(timer.as_mut().poll(context));
            armed = None;
            if deadline <= Instant::now() {
                return Poll::Ready(None);
            }
        }
        Poll::Pending
    })
    .await
}

/// Answers a connection that is one too many. A client of HTTP/2 sees it end.
async fn refuse(mut stream: TcpStream) {
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         x-content-type-options: nosniff\r\nretry-after: 1\r\nconnection: close\r\n\r\n{REFUSAL}",
        REFUSAL.len()
    );
    // The buffer of a fresh socket takes all of it.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}
