//! The decision log: a line for each request, in files, for whoever replays them.
//!
//! The line of a request goes into a bounded queue. A thread writes what waits,
//! several times a second; another one, of low priority, compresses files that are
//! full. A disk that is slow, full or gone costs records, which are counted, and never
//! a request.

mod compress;
mod counts;
mod directory;
mod lines;
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
use pointsman_domain::prompt::Prompt;

use crate::content::Content;
use crate::supervisor::Supervisor;
use compress::Compressor;
use counts::Counters;
pub use counts::Counts;
use directory::Directory;
pub use lines::Lines;
use queue::Queue;
use sample::is_sampled;
use writer::Writer;

/// Where the log is, and how long it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The directory; made if it is not there.
    pub dir: PathBuf,
    /// Bytes after which another file is begun.
    pub rotate_size: u64,
    /// Time after which another file is begun.
    pub rotate_after: Duration,
    /// Most bytes of all files together; the oldest go first.
    pub max_size: u64,
    /// The share of requests that is logged, above 0 and at most 1.
    pub sample: f64,
    /// Most bytes of a request's text that are logged with it; none without.
    pub content: Option<usize>,
}

/// Why a log cannot be begun.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process writes there.
    #[error("the decision log in {} is written by another gateway: give each one a `decision_log.dir` of its own", .0.display())]
    InUse(PathBuf),
    /// The directory cannot be used.
    #[error("cannot write a decision log in {}: {source}; check `decision_log.dir`", .dir.display())]
    Unusable {
        /// The directory.
        dir: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system has no thread for it.
    #[error("cannot start the decision log: {0}")]
    NoThread(io::Error),
}

/// A log that is being written. Dropping it ends it as [`close`](Self::close) does,
/// without waiting.
pub struct DecisionLog {
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    lines: Mutex<Lines>,
    sample: f64,
    content: Option<usize>,
    stop: Arc<AtomicBool>,
    /// Closed when both threads have ended.
    ended: Mutex<mpsc::Receiver<()>>,
}

impl DecisionLog {
    /// Takes the directory, finishes what an earlier process left undone, and waits
    /// for records, in threads that the supervisor keeps running.
    pub fn open(settings: Settings, supervisor: &Supervisor) -> Result<Self, OpenError> {
        let directory = Directory::open(settings.dir.clone(), settings.max_size)?;
        let (queue, counters) = (Arc::new(Queue::default()), Arc::new(Counters::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (alive, ended) = mpsc::channel();
        let (wake, woken) = mpsc::channel();
        let mut compressor = Compressor::new(Arc::clone(&directory), settings.rotate_size, Arc::clone(&stop));
        let (sample, content) = (settings.sample, settings.content);
        let mut writer = Writer::new(
            directory::Disk::new(directory, wake),
            settings,
            Arc::clone(&queue),
            Arc::clone(&counters),
        );
        let mut write = WhileAlive { work: move || writer.run(), _alive: alive.clone() };
        supervisor.spawn_thread("decision-log", move || write.run()).map_err(OpenError::NoThread)?;
        let mut compress = WhileAlive { work: move || compressor.run(&woken), _alive: alive };
        supervisor.spawn_thread("log-compress", move || compress.run()).map_err(OpenError::NoThread)?;
        Ok(Self { queue, counters, lines: Mutex::default(), sample, content, stop, ended: Mutex::new(ended) })
    }

    /// Whether a request is to be logged.
    pub fn wants(&self, id: &str) -> bool {
        is_sampled(id, self.sample)
    }

    /// Whether what it says is to be logged with it.
    pub fn wants_content(&self, id: &str) -> bool {
        self.content.is_some() && self.wants(id)
    }

    /// Takes a request in, and what it says, if that is to be told. Never waits:
    /// where there is no room, the record is left out and counted.
    pub fn keep(&self, history: &History, prompt: Option<&dyn Prompt>) {
        if !self.wants(&history.outcome.id) {
            return;
        }
        let sampling = (self.sample < 1.0).then_some(self.sample);
        let content = self.content.zip(prompt).map(|(most, prompt)| Content::of(prompt, most));
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.queue.push(lines.line(history, sampling, content.as_ref())) {
            self.counters.dropped_for_queue();
        }
    }

    /// What was written and what was not, since the start.
    pub fn counts(&self) -> Counts {
        self.counters.read()
    }

    /// Writes what waits and ends. Whether that was done in time.
    pub fn close(&self, patience: Duration) -> bool {
        self.end();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(ended.recv_timeout(patience), Err(mpsc::RecvTimeoutError::Disconnected))
    }

    fn end(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.queue.close();
    }
}

/// Work of a thread. Fields are dropped in this order: whoever waits for the end of the
/// sender finds that the work has let go of the directory.
struct WhileAlive<W> {
    work: W,
    _alive: mpsc::Sender<()>,
}

impl<W: FnMut()> WhileAlive<W> {
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
