//! A listener, its connections, and their orderly end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use pointsman_domain::serving_error::ServingError;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};

pub(crate) use activity::Timeouts;
use connection::Listener;
use handshake::Handshakes;
pub(crate) use handshake::{CurrentTls, HandshakeFailures};
pub(crate) use peer::TrustedProxies;
pub(crate) use table::ConnectionLimits;
use table::ConnectionTable;

mod activity;
mod closing;
mod connection;
mod deadlines;
mod handshake;
mod peer;
mod proxy_protocol;
mod request;
mod stream;
mod table;
mod unread;

/// Pause after an accept that failed for want of file descriptors, so that the
/// loop does not spin until one is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Time between two pings by which the gateway notices that a client of HTTP/2 is gone
/// while a request is open.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// Limits of one listener.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Limits on the number of connections.
    pub(crate) connections: ConnectionLimits,
    /// Most requests at a time on a connection of HTTP/2.
    pub(crate) streams: u32,
    /// Longest request head, in bytes. hyper itself refuses a longer one, with status
    /// 431 and without a body: it has no hook that would give it one.
    pub(crate) header_bytes: usize,
    /// Most bytes of an unread request body that are discarded before its response is sent.
    pub(crate) max_discarded_bytes: usize,
    /// Time limits of a connection.
    pub(crate) timeouts: Timeouts,
    /// Proxies that may report for whom they connect.
    pub(crate) proxies: TrustedProxies,
    /// Time for requests under way after a stop.
    pub(crate) drain: Duration,
    /// Renders errors of the listener in the format of its API.
    pub(crate) render_error: fn(ServingError) -> Response,
}

/// A bound listener that does not accept yet.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
    limits: Limits,
    handshake_failures: HandshakeFailures,
}

/// End of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drained {
    /// Every request was finished.
    Completely,
    /// Some were cut off when the time was over.
    CutShort,
}

impl Server {
    /// Binds an address; port 0 takes a free one.
    pub(crate) async fn bind(address: SocketAddr, limits: Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, limits, handshake_failures: HandshakeFailures::default() })
    }

    /// Returns the counter of failed TLS handshakes.
    pub(crate) fn handshake_failures(&self) -> HandshakeFailures {
        self.handshake_failures.clone()
    }

    /// The address that was bound.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until it is stopped, then lets requests in progress finish. With `tls`, every connection begins with a
    /// handshake.
    pub(crate) async fn run(
        self,
        router: Router,
        tls: Option<CurrentTls>,
        mut stop: watch::Receiver<bool>,
    ) -> Drained {
        let table = Arc::new(ConnectionTable::new(self.limits.connections));
        // Connections close when nobody can open another.
        let (close, closing) = watch::channel(false);
        let shared = Arc::new(Listener {
            service: TowerToHyperService::new(router),
            builder: self.builder(),
            table: Arc::clone(&table),
            handshakes: tls.map(|tls| {
                Handshakes::new(tls, self.limits.connections.total, self.handshake_failures.clone())
            }),
            timeouts: self.limits.timeouts,
            proxies: self.limits.proxies.clone(),
            max_discarded_bytes: self.limits.max_discarded_bytes,
            render_error: self.limits.render_error,
            stop: closing,
        });
        // Closed once every connection has dropped its receiver.
        let (open, _) = watch::channel(());
        let stopped = async { stop.wait_for(|stop| *stop).await.map(drop) };
        tokio::pin!(stopped);
        loop {
            let next = tokio::select! {
                next = accept(&self.listener, &table) => next,
                _ = &mut stopped => break,
            };
            match next {
                Ok((stream, address, slot)) => {
                    let held = (slot, open.subscribe());
                    spawn(connection::serve(Arc::clone(&shared), stream, address), held);
                }
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(self.listener);
        let _ = close.send(true);
        match tokio::time::timeout(self.limits.drain, open.closed()).await {
            Ok(()) => Drained::Completely,
            Err(_) => Drained::CutShort,
        }
    }

    fn builder(&self) -> Builder<TokioExecutor> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            // hyper's limit covers idle connections, too; `Activity` tells them apart.
            .header_read_timeout(None)
            .max_buf_size(self.limits.header_bytes.max(MIN_BUFFER))
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.limits.streams)
            .keep_alive_interval(PING_INTERVAL)
            .max_header_list_size(u32::try_from(self.limits.header_bytes).unwrap_or(u32::MAX));
        builder
    }
}

/// hyper's own lower limit for a connection's buffer.
const MIN_BUFFER: usize = 8192;

/// Accepts a connection, then waits for a slot: connections are closed for it only when
/// somebody is there to take the slot.
async fn accept(
    listener: &TcpListener,
    table: &ConnectionTable,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let (stream, address) = listener.accept().await?;
    // Without this the kernel holds back small stream chunks for up to 40 ms. It fails for a
    // connection that is gone, which is noticed soon enough.
    let _ = stream.set_nodelay(true);
    let slot = table.slot().await.ok_or_else(|| io::Error::other("the listener is closed"))?;
    Ok((stream, address, slot))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a connection's task ends with the connection, which the drain watches"
)]
fn spawn(
    connection: impl Future<Output = ()> + Send + 'static,
    held: (OwnedSemaphorePermit, watch::Receiver<()>),
) {
    tokio::spawn(async move {
        connection.await;
        drop(held);
    });
}
