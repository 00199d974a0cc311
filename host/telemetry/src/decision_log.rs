//! The decision log: one line for each request, in rotated files.
//!
//! Lines go into a bounded queue. One thread writes them several times a second; another one, of low
//! priority, compresses files that are full. A disk that is slow, full or missing costs records, which
//! are counted, and never delays a request.

mod compress;
mod counts;
mod directory;
mod name;
mod queue;
mod sample;
mod writer;

use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use pointsman_domain::history::History;
use pointsman_record::{ContentRecord, FeedbackRecord, LineEncoder};

use crate::content::ContentSource;
use crate::supervisor::Supervisor;
use compress::Compressor;
use counts::LogCounters;
pub use counts::LogCounts;
use directory::Directory;
use queue::RecordQueue;
use sample::is_sampled;
use writer::LogWriter;

/// Settings of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionLogSettings {
    /// Directory, which is created if it is missing.
    pub dir: PathBuf,
    /// Size in bytes at which the next file is started.
    pub rotate_size: u64,
    /// Age at which the next file is started.
    pub rotate_after: Duration,
    /// Most bytes of all files together. The oldest files are removed first.
    pub max_size: u64,
    /// Share of requests that is logged, above 0 and at most 1.
    pub sample: f64,
    /// Most bytes of a request's text that are logged, or `None` to log no content.
    pub content: Option<usize>,
    /// True if outputs of tasks are logged with the content, up to as many bytes again.
    pub outputs: bool,
}

/// Reasons why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has locked the directory.
    #[error("the decision log in {} is written by another gateway: give each one a `decision_log.dir` of its own", .0.display())]
    InUse(PathBuf),
    /// The directory cannot be used.
    #[error("cannot write a decision log in {}: {source}; check `decision_log.dir`", .dir.display())]
    Unusable {
        /// Path of the directory.
        dir: PathBuf,
        /// Error of the system.
        source: io::Error,
    },
    /// The system could not start a thread.
    #[error("cannot start the decision log: {0}")]
    NoThread(io::Error),
}

/// An open log. Dropping it ends it as [`close`](Self::close) does, without waiting.
pub struct DecisionLog {
    queue: Arc<RecordQueue>,
    counters: Arc<LogCounters>,
    encoder: Mutex<LineEncoder>,
    sample: f64,
    content: Option<usize>,
    outputs: bool,
    stop: Arc<AtomicBool>,
    /// Disconnected when both threads have ended.
    ended: Mutex<mpsc::Receiver<()>>,
}

impl DecisionLog {
    /// Opens the directory and starts the threads, which the supervisor restarts after a panic. Work
    /// that an earlier process left unfinished is completed.
    ///
    /// # Errors
    /// Fails when the directory is in use or cannot be used, or no thread can be started.
    pub fn open(settings: DecisionLogSettings, supervisor: &Supervisor) -> Result<Self, OpenError> {
        let directory = Directory::open(settings.dir.clone(), settings.max_size)?;
        let (queue, counters) = (Arc::new(RecordQueue::default()), Arc::new(LogCounters::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (alive, ended) = mpsc::channel();
        let (wake, woken) = mpsc::channel();
        let mut compressor = Compressor::new(Arc::clone(&directory), settings.rotate_size, Arc::clone(&stop));
        let (sample, content, outputs) = (settings.sample, settings.content, settings.outputs);
        let mut writer = LogWriter::new(
            directory::DirectoryDisk::new(directory, wake),
            settings,
            Arc::clone(&queue),
            Arc::clone(&counters),
        );
        let mut write = ThreadWork { work: move || writer.run(), _alive: alive.clone() };
        supervisor.spawn_thread("decision-log", move || write.run()).map_err(OpenError::NoThread)?;
        let mut compress = ThreadWork { work: move || compressor.run(&woken), _alive: alive };
        supervisor.spawn_thread("log-compress", move || compress.run()).map_err(OpenError::NoThread)?;
        Ok(Self {
            queue,
            counters,
            encoder: Mutex::default(),
            sample,
            content,
            outputs,
            stop,
            ended: Mutex::new(ended),
        })
    }

    /// Returns whether a request is logged.
    pub fn wants(&self, id: &str) -> bool {
        is_sampled(id, self.sample)
    }

    /// Returns whether the content of a request is logged.
    pub fn wants_content(&self, id: &str) -> bool {
        self.content.is_some() && self.wants(id)
    }

    /// Returns whether outputs of the request's tasks are logged.
    pub fn wants_outputs(&self, id: &str) -> bool {
        self.outputs && self.wants_content(id)
    }

    /// Logs a request, with its content if that is enabled. Never waits: if the queue is full, the
    /// record is dropped and counted.
    pub fn record(&self, history: &History, content: Option<&dyn ContentSource>) {
        if !self.wants(&history.outcome.id) {
            return;
        }
        let sampling = (self.sample < 1.0).then_some(self.sample);
        let content =
            self.content.zip(content).map(|(max_bytes, source)| self.record_content(source, max_bytes));
        let mut encoder = self.encoder.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.queue.push(encoder.encode(history, sampling, content.as_ref())) {
            self.counters.add_dropped_for_queue();
        }
    }

    /// Logs a rating of a logged request. Never waits: if the queue is full, it is dropped and counted.
    pub fn record_feedback(&self, feedback: &FeedbackRecord<'_>) {
        if self.wants(&feedback.decision) && !self.queue.push(&feedback.to_line()) {
            self.counters.add_dropped_for_queue();
        }
    }

    fn record_content(&self, source: &dyn ContentSource, max_bytes: usize) -> ContentRecord {
        let mut content = ContentRecord::new(source.prompt(), max_bytes);
        for output in if self.outputs { source.outputs() } else { Vec::new() } {
            content.add_output(output.task, &output.text, output.finish_reason.as_deref(), max_bytes);
        }
        content
    }

    /// Returns the counts since the start.
    pub fn counts(&self) -> LogCounts {
        self.counters.read()
    }

    /// Writes the queued lines and ends the threads. Returns false if that takes longer than
    /// `timeout`.
    pub fn close(&self, timeout: Duration) -> bool {
        self.end();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(ended.recv_timeout(timeout), Err(mpsc::RecvTimeoutError::Disconnected))
    }

    fn end(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.queue.close();
    }
}

/// Work of a thread. Fields are dropped in this order: when the channel disconnects, the work has
/// already released the directory.
struct ThreadWork<W> {
    work: W,
    _alive: mpsc::Sender<()>,
}

impl<W: FnMut()> ThreadWork<W> {
    fn run(&mut self) -> ControlFlow<()> {
        (self.work)();
        ControlFlow::Break(())
    }
}

impl Drop for DecisionLog {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for DecisionLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecisionLog").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
