//! Standard output and standard error, which go to the policy's log.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use pointsman_domain::text::printable;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use super::super::log::{MAX_LINE_BYTES, MAX_LINES};
use crate::contract::Level;

/// Bytes that a policy can print at once.
const MAX_WRITE_BYTES: usize = 64 << 10;

/// Buffers the output of one instance until the host takes it. Clones share the buffer.
#[derive(Clone, Default)]
pub(super) struct Printer(Arc<Mutex<OutputBuffer>>);

/// Output not taken yet.
#[derive(Default)]
struct OutputBuffer {
    /// Finished lines: at most as many as one call may write.
    lines: Vec<(Level, String)>,
    /// Lines beyond that.
    dropped: u32,
    /// The unfinished line of each stream.
    open: Vec<(Level, Vec<u8>)>,
}

/// Output taken for the log.
pub(super) struct PrintedLines {
    pub(super) lines: Vec<(Level, String)>,
    pub(super) dropped: u32,
}

impl Printer {
    /// Returns a stream whose lines are logged at this level.
    pub(super) fn stream(&self, level: Level) -> PrinterStream {
        PrinterStream { level, printer: self.clone() }
    }

    /// Takes the lines printed since the last time; with `all`, also unfinished ones.
    pub(super) fn take(&self, all: bool) -> PrintedLines {
        let mut buffer = self.lock();
        if all {
            let open = std::mem::take(&mut buffer.open);
            open.into_iter().for_each(|(level, line)| buffer.push_line(level, &line));
        }
        PrintedLines {
            lines: std::mem::take(&mut buffer.lines),
            dropped: std::mem::take(&mut buffer.dropped),
        }
    }

    fn lock(&self) -> MutexGuard<'_, OutputBuffer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutputBuffer {
    fn print(&mut self, level: Level, bytes: &[u8]) {
        let mut segments = bytes.split(|&byte| byte == b'\n');
        let unfinished = segments.next_back().unwrap_or_default();
        for segment in segments {
            self.extend_open_line(level, segment);
            let line = std::mem::take(self.open_line(level));
            self.push_line(level, &line);
        }
        self.extend_open_line(level, unfinished);
    }

    /// Appends to the stream's unfinished line. Keeps one byte more than is logged, by which
    /// `printable` sees that the line was longer.
    fn extend_open_line(&mut self, level: Level, segment: &[u8]) {
        let line = self.open_line(level);
        let room = (MAX_LINE_BYTES + 1).saturating_sub(line.len());
        line.extend_from_slice(&segment[..segment.len().min(room)]);
    }

    fn open_line(&mut self, level: Level) -> &mut Vec<u8> {
        let index = self.open.iter().position(|(of, _)| *of == level);
        let index = index.unwrap_or_else(|| {
            self.open.push((level, Vec::new()));
            self.open.len() - 1
        });
        &mut self.open[index].1
    }

    /// Adds a finished line, unless it is empty.
    fn push_line(&mut self, level: Level, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return;
        }
        if self.lines.len() < MAX_LINES as usize {
            self.lines.push((level, printable(&String::from_utf8_lossy(line), MAX_LINE_BYTES)));
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }
}

/// Standard output or standard error.
#[derive(Clone)]
pub(super) struct PrinterStream {
    level: Level,
    printer: Printer,
}

impl IsTerminal for PrinterStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for PrinterStream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl OutputStream for PrinterStream {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.printer.lock().print(self.level, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_WRITE_BYTES)
    }
}

#[async_trait]
impl Pollable for PrinterStream {
    async fn ready(&mut self) {}
}

impl AsyncWrite for PrinterStream {
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
