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

use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc as signal;

mod files;
mod worker;

use worker::{Message, Worker};

/// When to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchConfig {
    /// Tell when nothing has happened for this long: a file written in pieces
    /// should be whole by then.
    pub quiet: Duration,
    /// Tell after this long even if things go on happening.
    pub patience: Duration,
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
            poll: Duration::from_secs(10),
            events: true,
        }
    }
}

/// Watches files until dropped.
pub struct Watcher {
    worker: Sender<Message>,
}

/// Receives the signal that something may have changed.
pub struct Changes {
    signal: signal::Receiver<()>,
}

impl Watcher {
    /// Starts to watch. Paths need not exist yet.
    ///
    /// # Errors
    /// When there is no thread left. Missing events are no error: the poll works
    /// without them, and a warning is logged.
    pub fn new(paths: Vec<PathBuf>, config: WatchConfig) -> std::io::Result<(Self, Changes)> {
        let (tell, signal) = signal::channel(1);
        let (worker, messages) = mpsc::channel();
        let mut running = Worker::new(paths, config, worker.clone(), tell);
        thread::Builder::new().name("policy-watch".to_owned()).spawn(move || running.run(&messages))?;
        Ok((Self { worker }, Changes { signal }))
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

impl Changes {
    /// Waits until something may have changed since the last call. `None` once
    /// the watcher is gone.
    pub async fn changed(&mut self) -> Option<()> {
        self.signal.recv().await
    }
}

#[cfg(test)]
mod tests;
