//! TLS handshakes of a listener.
//!
//! A client that has not finished its handshake costs a place among a bounded number. While all are taken, the
//! connections that have been silent longest are closed for new ones, as idle connections are.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use pointsman_tls::{HANDSHAKE_RECORD, ListenerTls, TlsStream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::closing::close;
use super::table::ConnectionTable;

/// Returns the TLS that is in force for new connections.
pub(crate) type CurrentTls = Arc<dyn Fn() -> ListenerTls + Send + Sync>;

/// Share of the connections that may be in their handshake, as a divisor.
const PENDING_SHARE: usize = 4;
/// Pause between two looks for connections to close while all places are taken.
const EVICTION_INTERVAL: Duration = Duration::from_millis(100);

/// Answer to a request without TLS.
const PLAIN_REQUEST: &str = "{\"error\":{\"message\":\"this port speaks TLS: use https\",\
                             \"type\":\"invalid_request_error\",\"param\":null,\"code\":\"tls_required\"}}";

/// Handshakes of one listener.
pub(super) struct Handshakes {
    current: CurrentTls,
    places: Semaphore,
    failures: HandshakeFailures,
}

/// Number of failed handshakes of one listener. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct HandshakeFailures(Arc<AtomicU64>);

impl HandshakeFailures {
    /// Returns the number since the start.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn record(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A stream some of whose bytes have been read already, and are read again first.
#[derive(Debug)]
pub(super) struct PrefixedStream<S> {
    pub(super) stream: S,
    pub(super) prefix: Vec<u8>,
}

impl Handshakes {
    pub(super) fn new(current: CurrentTls, connections: usize, failures: HandshakeFailures) -> Self {
        Self { current, places: Semaphore::new((connections / PENDING_SHARE).max(1)), failures }
    }

    /// Counts a handshake that did not end in time.
    pub(super) fn record_timeout(&self) {
        self.failures.record();
    }

    /// Makes a handshake. A client that does not speak TLS gets an answer that says so. Waits without limit.
    ///
    /// # Errors
    /// Fails if the client does not speak TLS, or the handshake fails. The connection is closed then, and the
    /// failure is counted unless the client sent nothing, as health checks of load balancers do.
    pub(super) async fn accept(
        &self,
        mut stream: PrefixedStream<TcpStream>,
        table: &ConnectionTable,
    ) -> io::Result<TlsStream<PrefixedStream<TcpStream>>> {
        let _place = self.place(table).await?;
        if stream.prefix.is_empty() {
            let first = stream.stream.read_u8().await?;
            stream.prefix.push(first);
        }
        if stream.prefix.first() != Some(&HANDSHAKE_RECORD) {
            self.failures.record();
            answer_without_tls(stream.stream).await;
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the client does not speak TLS"));
        }
        match pointsman_tls::accept(&(self.current)(), stream).await {
            Ok(stream) => Ok(stream),
            Err((error, stream)) => {
                self.failures.record();
                close(stream.stream).await;
                Err(error)
            }
        }
    }

    async fn place(&self, table: &ConnectionTable) -> io::Result<SemaphorePermit<'_>> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        loop {
            table.evict_unused();
            if let Ok(place) = timeout(EVICTION_INTERVAL, self.places.acquire()).await {
                return place.map_err(io::Error::other);
            }
        }
    }
}

/// Answers a client that speaks plain HTTP, or anything else.
async fn answer_without_tls(mut stream: TcpStream) {
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         x-content-type-options: nosniff\r\nconnection: close\r\n\r\n{PLAIN_REQUEST}",
        PLAIN_REQUEST.len()
    );
    // The buffer of a fresh socket takes all of it.
    let _ = stream.write_all(answer.as_bytes()).await;
    close(stream).await;
}

impl<S: AsyncRead + Unpin> AsyncRead for PrefixedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.prefix.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let fits = self.prefix.len().min(buffer.remaining());
        buffer.put_slice(&self.prefix[..fits]);
        self.prefix.drain(..fits);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PrefixedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
