//! A client's byte stream that keeps the connection's [`Activity`] up to date.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::activity::{Activity, Protocol};

/// First bytes of a client of HTTP/2 (RFC 9113, section 3.4). Every other client speaks
/// HTTP/1.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Debug)]
pub(super) struct TrackedStream<S> {
    stream: S,
    /// Bytes that were read from the stream before, and are read again first.
    prefix: Vec<u8>,
    /// Bytes of the preface that arrived; `None` once the version is known.
    preface_seen: Option<usize>,
    activity: Arc<Activity>,
    /// True once the stream has been closed for writing.
    is_shut_down: bool,
}

/// Bytes that are discarded at a time.
const DISCARDED_AT_ONCE: usize = 8 << 10;

impl<S> TrackedStream<S> {
    /// A stream from which `prefix` has been read already.
    pub(super) fn new(stream: S, prefix: Vec<u8>, activity: Arc<Activity>) -> Self {
        Self { stream, prefix, preface_seen: Some(0), activity, is_shut_down: false }
    }

    fn received(&mut self, bytes: &[u8]) {
        if let Some(seen) = self.preface_seen {
            let expected = PREFACE.get(seen..).unwrap_or_default();
            let compared = expected.len().min(bytes.len());
            let is_preface = expected.starts_with(bytes.get(..compared).unwrap_or_default());
            self.preface_seen = (is_preface && compared < expected.len()).then_some(seen + compared);
            if self.preface_seen.is_none() {
                self.activity.speaks(if is_preface { Protocol::Http2 } else { Protocol::Http1 });
            }
        }
        if !bytes.is_empty() {
            self.activity.received(Instant::now());
        }
    }

    fn wrote(&self, written: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes)) = written {
            self.activity.wrote(*bytes, Instant::now());
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TrackedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.prefix.is_empty() {
            ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        } else {
            let fits = self.prefix.len().min(buffer.remaining());
            buffer.put_slice(&self.prefix[..fits]);
            self.prefix.drain(..fits);
        }
        self.received(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> TrackedStream<S> {
    /// Reads and discards what the client still sends, until it closes the connection or the
    /// task of the connection loses patience.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.activity.linger(Instant::now());
        let mut bytes = [0; DISCARDED_AT_ONCE];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            // An error is the end, too.
            let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.activity.discarded(Instant::now());
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TrackedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut_down {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            self.is_shut_down = true;
        }
        match self.activity.has_unread() {
            true => self.poll_linger(context),
            false => Poll::Ready(Ok(())),
        }
    }
}
