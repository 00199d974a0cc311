//! A listener, its connections, and their orderly end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use opening::Opening;

mod opening;

/// Pause after an accept that failed for want of file descriptors, so that the
/// loop does not spin until one is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What one listener takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Most connections at a time; more wait to be accepted.
    pub(crate) connections: usize,
    /// Longest request head, in bytes. hyper itself refuses a longer one, with status
    /// 431 and without a body: it has no hook that would give it one.
    pub(crate) header_bytes: usize,
    /// Longest time for a request's head.
    pub(crate) header_timeout: Duration,
    /// Time for requests under way after a stop.
    pub(crate) drain: Duration,
}

/// A bound listener that does not accept yet.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
    limits: Limits,
}

/// How a server came to its end.
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
        Ok(Self { listener: TcpListener::bind(address).await?, limits })
    }

    /// The address that was bound.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until told to stop, then lets requests under way finish.
    pub(crate) async fn run(self, router: Router, mut stop: watch::Receiver<bool>) -> Drained {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        let graceful = GracefulShutdown::new();
        let builder = self.builder();
        let stopped = async { stop.wait_for(|stop| *stop).await.map(drop) };
        tokio::pin!(stopped);
        loop {
            let next = tokio::select! {
                next = accept(&self.listener, &places) => next,
                _ = &mut stopped => break,
            };
            match next {
                Ok((stream, place)) => {
                    let stream = Opening::new(stream, self.limits.header_timeout);
                    connection(stream, place, &builder, &router, &graceful);
                }
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(self.listener);
        match tokio::time::timeout(self.limits.drain, graceful.shutdown()).await {
            Ok(()) => Drained::Completely,
            Err(_) => Drained::CutShort,
        }
    }

    fn builder(&self) -> Builder<TokioExecutor> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_timeout)
            .max_buf_size(self.limits.header_bytes.max(MIN_BUFFER))
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(self.limits.header_bytes).unwrap_or(u32::MAX));
        builder
    }
}

/// hyper's own lower limit for a connection's buffer.
const MIN_BUFFER: usize = 8192;

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // Without this the kernel holds back small stream chunks for up to 40 ms.
    stream.set_nodelay(true)?;
    Ok((stream, place))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a connection's task ends with the connection, which the drain watches"
)]
fn connection(
    stream: Opening<TcpStream>,
    place: OwnedSemaphorePermit,
    builder: &Builder<TokioExecutor>,
    router: &Router,
    graceful: &GracefulShutdown,
) {
    let service = TowerToHyperService::new(router.clone());
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("a connection ended: {error}");
        }
        drop(place);
    });
}
