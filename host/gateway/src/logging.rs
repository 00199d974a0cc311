//! The log: lines on standard error, written by a thread of their own.
//!
//! An event is formatted where it happens and appended to a bounded queue. That never
//! waits, fails or panics, whatever becomes of standard error: lines that do not fit, or
//! that cannot be written, are dropped and counted.
//!
//! `tracing-appender` does the same with a queue that is bounded by lines instead of
//! bytes. It neither counts nor reports what it fails to write, prints to standard output
//! when its thread does not end, and brings four crates.

mod queue;
mod writer;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pointsman_telemetry::Supervisor;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use pointsman_config::{self as config, LogFormat, LogLevel};
use queue::LineQueue;
use writer::LineWriter;

/// Beginning of the names of all crates to whose lines the configured level applies.
const CRATES: &str = "pointsman";
/// Longest time for the last lines before the process ends.
const LAST_LINES: Duration = Duration::from_secs(1);
/// Most bytes of a panic's message in the log.
const MAX_PANIC_MESSAGE: usize = 1_024;

/// The running log.
#[derive(Clone)]
pub(crate) struct Logging {
    queue: Arc<LineQueue>,
    panics: Arc<AtomicU64>,
}

impl Logging {
    /// Starts to log as the configuration says. Called once, before anything is logged.
    /// From here on panics are logged too, instead of being printed.
    ///
    /// # Errors
    /// Fails when there is no thread left.
    pub(crate) fn start(log: config::Log, supervisor: &Supervisor) -> io::Result<Self> {
        let queue = Arc::new(LineQueue::default());
        let mut writer = LineWriter::new(Arc::clone(&queue), standard_error());
        supervisor.spawn_thread("log", move || -> ControlFlow<()> {
            loop {
                writer.write_next();
            }
        })?;
        subscribe(log, &queue);
        let panics = Arc::default();
        log_panics(Arc::clone(&panics));
        Ok(Self { queue, panics })
    }

    /// Lines that were dropped since the start.
    pub(crate) fn dropped(&self) -> u64 {
        self.queue.dropped()
    }

    /// Panics of all threads since the start.
    pub(crate) fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Waits a bounded time for the last lines when it is dropped, also by a panic.
    pub(crate) fn flush_at_end(&self) -> FlushAtEnd {
        FlushAtEnd(Arc::clone(&self.queue))
    }
}

/// Held for as long as the process may log.
#[must_use]
pub(crate) struct FlushAtEnd(Arc<LineQueue>);

impl Drop for FlushAtEnd {
    fn drop(&mut self) {
        self.0.flush(LAST_LINES);
    }
}

fn subscribe(log: config::Log, queue: &Arc<LineQueue>) {
    let level = match log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // Lines of other libraries are logged from warnings on.
    let targets = Targets::new().with_default(LevelFilter::WARN).with_target(CRATES, level);
    let queue = Arc::clone(queue);
    let lines = tracing_subscriber::fmt()
        // `targets` is the only filter; the builder has one of its own, which ends at `INFO`.
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || queue::Appender::new(Arc::clone(&queue)))
        // It would report to standard error itself, and panic where that is gone.
        .log_internal_errors(false);
    let is_terminal = io::stderr().is_terminal();
    match (log.format, is_terminal) {
        (LogFormat::Json, _) | (LogFormat::Auto, false) => {
            lines.json().flatten_event(true).finish().with(targets).init();
        }
        (LogFormat::Text, _) | (LogFormat::Auto, true) => {
            lines.with_ansi(is_terminal).with_target(false).finish().with(targets).init();
        }
    }
}

/// A descriptor of its own for standard error. A write that blocks then holds no lock
/// that other users of `std::io::stderr` need.
fn standard_error() -> Box<dyn Write + Send> {
    match io::stderr().as_fd().try_clone_to_owned() {
        Ok(descriptor) => Box::new(File::from(descriptor)),
        Err(_) => Box::new(io::stderr()),
    }
}

/// Logs panics instead of printing them: the default hook blocks where nobody reads
/// standard error.
fn log_panics(count: Arc<AtomicU64>) {
    std::panic::set_hook(Box::new(move |panic| {
        count.fetch_add(1, Ordering::Relaxed);
        let thread = std::thread::current();
        let message = panic.payload_as_str().unwrap_or("its payload is no text");
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then_some(backtrace);
        tracing::error!(
            thread = thread.name(),
            location = panic.location().map(tracing::field::display),
            backtrace = backtrace.map(tracing::field::display),
            "a thread panicked: {}",
            &message[..message.floor_char_boundary(MAX_PANIC_MESSAGE)]
        );
    }));
}
