//! Standard output and standard error, on their way to the policy's log.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use pointsman_domain::text::printable;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use super::super::{LOG_LINE_BYTES, LOG_LINES};
use crate::contract::Level;

/// Bytes that a policy can print at once.
const PERMIT: usize = 64 << 10;

/// Collects what one instance prints, until the host takes it. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Printer(Arc<Mutex<Printed>>);

/// Lines for the log: no more of them than one call may write.
#[derive(Default)]
pub(super) struct Printed {
    pub(super) lines: Vec<(Level, String)>,
    /// Lines beyond that.
    pub(super) dropped: u32,
    /// What no line end follows yet, by stream.
    open: Vec<(Level, Vec<u8>)>,
}

impl Printer {
    /// The stream whose lines have this level.
    pub(super) fn at(&self, level: Level) -> Stream {
        Stream { level, printer: self.clone() }
    }

    /// What was printed since the last time; with `all`, also what no line end
    /// follows yet.
    pub(super) fn take(&self, all: bool) -> Printed {
        let mut printed = self.lock();
        let open = std::mem::take(&mut printed.open);
        if all {
            open.into_iter().for_each(|(level, line)| printed.close(level, &line));
        } else {
            printed.open = open;
        }
        let lines = std::mem::take(&mut printed.lines);
        let dropped = std::mem::take(&mut printed.dropped);
        Printed { lines, dropped, open: Vec::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Printed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Printed {
    fn print(&mut self, level: Level, bytes: &[u8]) {
        let mut pieces = bytes.split(|&byte| byte == b'\n');
        let last = pieces.next_back().unwrap_or_default();
        for piece in pieces {
            self.open_line(level, piece);
            let line = std::mem::take(self.line(level));
            self.close(level, &line);
        }
        self.open_line(level, last);
    }

    /// Adds to a line as much as will be shown of it, and a byte that shows that
    /// there was more.
    fn open_line(&mut self, level: Level, piece: &[u8]) {
        let line = self.line(level);
        let room = (LOG_LINE_BYTES + 1).saturating_sub(line.len());
        line.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn line(&mut self, level: Level) -> &mut Vec<u8> {
        let place = self.open.iter().position(|(of, _)| *of == level);
        let place = place.unwrap_or_else(|| {
            self.open.push((level, Vec::new()));
            self.open.len() - 1
        });
        &mut self.open[place].1
    }

    /// Ends a line. An empty one says nothing, and is left out.
    fn close(&mut self, level: Level, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return;
        }
        if self.lines.len() < LOG_LINES as usize {
            self.lines.push((level, printable(&String::from_utf8_lossy(line), LOG_LINE_BYTES)));
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }
}

/// One of the two streams.
#[derive(Clone)]
pub(super) struct Stream {
    level: Level,
    printer: Printer,
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.printer.lock().print(self.level, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.printer.lock().print(self.level, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
