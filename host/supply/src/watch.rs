//! Tells that one of some files, or what is in a directory, may have changed.
//!
//! Directories are watched, not files: a watched file that is replaced by a
//! rename is another file afterwards. Files are found by names that may lead
//! through symbolic links, so every directory on the way is watched, and found
//! again after every event: a Kubernetes `ConfigMap` is updated by renaming one
//! link in the middle of the path.
//!
//! An event says only "look again"; whoever looks compares contents. A slow poll
//! backs it up, for file systems that report nothing.
//!
//! A file that was changed in place and is still open for writing is not complete, however
//! long its writer pauses. Linux reports when such a file is closed; until then nothing is
//! reported of any file, and [`Activity`] says which file it is.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use tokio::sync::{mpsc as signal, watch};

mod files;
mod worker;

pub use files::FileStamps;
use worker::{Message, Worker};

/// When to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchConfig {
    /// Tell when nothing has happened for this long: a file written in pieces
    /// should be whole by then.
    pub quiet: Duration,
    /// Tell after this long even if things go on happening.
    pub patience: Duration,
    /// Longest time in which a file may be changed in place before its writer closes it.
    /// A file that is open for longer counts as complete.
    pub write_time: Duration,
    /// How often to compare size, time and identity of the files, in case no
    /// event came.
    pub poll: Duration,
    /// Whether to use the operating system's events at all.
    pub events: bool,
}

impl Default for WatchConfig {
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(250),
            patience: Duration::from_secs(2),
            write_time: Duration::from_secs(60),
            poll: Duration::from_secs(10),
            events: true,
        }
    }
}

/// Watches files until dropped.
pub struct Watcher {
    worker: Sender<Message>,
    activity: Activity,
}

/// Work for a thread of its own. It returns `Break` when it has ended, and may be called
/// again after a panic.
pub type Work = Box<dyn FnMut() -> ControlFlow<()> + Send>;

/// Writers that have not finished yet.
#[derive(Clone, Debug)]
pub struct Activity(watch::Receiver<Option<PathBuf>>);

/// Receives the signal that something may have changed.
pub struct Changes {
    signal: signal::Receiver<()>,
}

impl Watcher {
    /// Starts to watch, in a thread that `spawn` starts. Paths need not exist yet.
    ///
    /// # Errors
    /// When there is no thread left. Missing events are no error: the poll works
    /// without them, and a warning is logged.
    pub fn start(
        paths: Vec<PathBuf>,
        config: WatchConfig,
        spawn: impl FnOnce(Work) -> io::Result<()>,
    ) -> io::Result<(Self, Changes)> {
        let (tell, signal) = signal::channel(1);
        let (worker, messages) = mpsc::channel();
        let (writing, activity) = watch::channel(None);
        let mut running = Worker::new(paths, config, worker.clone(), tell, writing);
        spawn(Box::new(move || {
            running.run(&messages);
            ControlFlow::Break(())
        }))?;
        Ok((Self { worker, activity: Activity(activity) }, Changes { signal }))
    }

    /// The writers of the watched files.
    pub fn activity(&self) -> Activity {
        self.activity.clone()
    }

    /// Watches these files from now on, and no others. Tells once if they are
    /// others than before, because they may have changed before they were watched.
    pub fn set_paths(&self, paths: Vec<PathBuf>) {
        let _ = self.worker.send(Message::Paths(paths));
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.worker.send(Message::Stop);
    }
}

impl Activity {
    /// No writers, for files that nobody watches.
    pub fn none() -> Self {
        Self(watch::channel(None).1)
    }

    /// A watched file that is being written.
    pub fn file(&self) -> Option<PathBuf> {
        self.0.borrow().clone()
    }

    /// Waits until no watched file is being written.
    pub async fn idle(&mut self) {
        // Without a watcher nobody knows of writers.
        let _ = self.0.wait_for(Option::is_none).await;
    }
}

impl Changes {
    /// Waits until something may have changed since the last call. `None` once
    /// the watcher is gone.
    pub async fn changed(&mut self) -> Option<()> {
        self.signal.recv().await
    }
}

#[cfg(test)]
mod tests;
