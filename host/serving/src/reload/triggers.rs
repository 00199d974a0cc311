//! Events that cause a reload: changed files, SIGHUP, the time to poll a source, and a
//! retry after a transient failure.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pointsman_supply::watch::{ChangeReceiver, FileStamps, FileWatcher, WatchConfig, WriteActivity};
use pointsman_telemetry::{BackgroundTask, Supervisor};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Reloader;

/// Triggers of reloads. Files and signals are observed from the creation on.
pub struct Triggers {
    watcher: FileWatcher,
    changes: ChangeReceiver,
    hangups: Signal,
    /// True if files changed after they were first read and before they were watched.
    missed: bool,
}

/// Reloads whenever there is a trigger.
pub struct ReloadTask {
    /// The triggers to wait for.
    pub triggers: Triggers,
    /// The reloader to call.
    pub reloader: Arc<Reloader>,
}

impl Triggers {
    /// Watches files that were read at `read`.
    pub fn watch(files: Vec<PathBuf>, read: SystemTime, supervisor: &Supervisor) -> io::Result<Self> {
        let hangups = signal(SignalKind::hangup())?;
        let spawn = |work| supervisor.spawn_thread("file-watch", work);
        let (watcher, changes) = FileWatcher::start(files.clone(), WatchConfig::default(), spawn)?;
        let stamps = FileStamps::read(files.iter().map(PathBuf::as_path));
        let missed = stamps.last_change().is_some_and(|change| change >= read);
        Ok(Self { watcher, changes, hangups, missed })
    }

    /// Returns the activity of the writers of the watched files.
    pub fn activity(&self) -> WriteActivity {
        self.watcher.activity()
    }
}

impl BackgroundTask for ReloadTask {
    const NAME: &'static str = "reload";

    async fn run(&mut self) -> ControlFlow<()> {
        let Self { triggers, reloader } = self;
        loop {
            let cause = if std::mem::take(&mut triggers.missed) {
                "file"
            } else {
                tokio::select! {
                    Some(()) = triggers.changes.changed() => "file",
                    Some(()) = triggers.hangups.recv() => "signal",
                    () = due(reloader.poll()) => "poll",
                    () = reloader.retry.due() => "retry",
                    else => return ControlFlow::Continue(()),
                }
            };
            reloader.reload(cause).await;
            triggers.watcher.set_paths(reloader.watched());
        }
    }
}

/// Waits for a time; forever if there is none.
async fn due(after: Option<Duration>) {
    match after {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}
