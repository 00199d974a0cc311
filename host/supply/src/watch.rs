//! Watches files and directories, and signals possible changes.
//!
//! The watches are on directories, because a file that is replaced by a rename is another file
//! afterwards. Paths may lead through symbolic links, so every directory on the way is watched, and
//! the watches are set up again after every event: a Kubernetes `ConfigMap` is updated by renaming one
//! link in the middle of the path.
//!
//! A signal means "look again": the receiver compares contents. A slow poll covers file systems that
//! report no events.
//!
//! A file that was changed in place and is still open for writing is incomplete, however long its
//! writer pauses. Linux reports when such a file is closed. Until then no change of any file is
//! signalled, and [`WriteActivity`] names the open file.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use tokio::sync::{mpsc as signal, watch};

mod files;
mod worker;

pub use files::FileStamps;
use worker::{WatchCommand, WatchWorker};

/// Timing of signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchConfig {
    /// Time without events after which a change is signalled: a file that is written in several steps
    /// should be complete by then.
    pub quiet: Duration,
    /// Time after which a change is signalled although events continue.
    pub patience: Duration,
    /// Longest time for which a file may stay open while it is changed in place. After that it counts
    /// as complete.
    pub write_time: Duration,
    /// Interval at which size, time and identity of the files are compared, in case of missing events.
    pub poll: Duration,
    /// True to use the operating system's events, false to poll only.
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
pub struct FileWatcher {
    commands: Sender<WatchCommand>,
    activity: WriteActivity,
}

/// The loop of the watcher's thread. Returns `Break` when it has ended, and may be called again after a
/// panic.
pub type WatchLoop = Box<dyn FnMut() -> ControlFlow<()> + Send>;

/// Receives the name of a watched file that is being written.
#[derive(Clone, Debug)]
pub struct WriteActivity(watch::Receiver<Option<PathBuf>>);

/// Receives the signal that a watched file may have changed.
pub struct ChangeReceiver {
    signal: signal::Receiver<()>,
}

impl FileWatcher {
    /// Starts to watch on a thread that `spawn` starts. Paths need not exist yet.
    ///
    /// # Errors
    /// Fails when `spawn` fails. Missing events are no error: a warning is logged, and polling
    /// continues without them.
    pub fn start(
        paths: Vec<PathBuf>,
        config: WatchConfig,
        spawn: impl FnOnce(WatchLoop) -> io::Result<()>,
    ) -> io::Result<(Self, ChangeReceiver)> {
        let (changed, signal) = signal::channel(1);
        let (commands, received) = mpsc::channel();
        let (writing, activity) = watch::channel(None);
        let mut worker = WatchWorker::new(paths, config, commands.clone(), changed, writing);
        spawn(Box::new(move || {
            worker.run(&received);
            ControlFlow::Break(())
        }))?;
        Ok((Self { commands, activity: WriteActivity(activity) }, ChangeReceiver { signal }))
    }

    /// Returns the write activity of the watched files.
    pub fn activity(&self) -> WriteActivity {
        self.activity.clone()
    }

    /// Watches these files from now on, and no others. If the paths differ from those before, a change
    /// is signalled, because the files may have changed before they were watched.
    pub fn set_paths(&self, paths: Vec<PathBuf>) {
        let _ = self.commands.send(WatchCommand::SetPaths(paths));
    }
}

impl Drop for FileWatcher {
    fn drop(&mut self) {
        let _ = self.commands.send(WatchCommand::Stop);
    }
}

impl WriteActivity {
    /// Creates an activity without writers, where no files are watched.
    pub fn none() -> Self {
        Self(watch::channel(None).1)
    }

    /// Returns a watched file that is being written.
    pub fn file(&self) -> Option<PathBuf> {
        self.0.borrow().clone()
    }

    /// Waits until no watched file is being written.
    pub async fn idle(&mut self) {
        // Fails only when the watcher is gone, and then no writers are known.
        let _ = self.0.wait_for(Option::is_none).await;
    }
}

impl ChangeReceiver {
    /// Waits until a file may have changed since the last call. Returns `None` once the watcher is
    /// gone. Cancellation safe.
    pub async fn changed(&mut self) -> Option<()> {
        self.signal.recv().await
    }
}

#[cfg(test)]
mod tests;
