//! Reading of a configuration that may be written at the same time.
//!
//! A file that is truncated and written again holds half a configuration for a while, which may be
//! valid. So a file is read only when its writer has closed it and it has not changed for a moment,
//! and the result counts only if no file changed during the read.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use pointsman_config::{Config, ConfigError};
use pointsman_supply::watch::FileStamps;
use tokio::time::{Instant, sleep, timeout_at};

use super::{Reloader, StartError};

/// Time without a change after which a file counts as complete.
const QUIET: Duration = Duration::from_millis(250);
/// Longest wait for files that are being written.
const PATIENCE: Duration = Duration::from_secs(5);

impl Reloader {
    /// Reads the configuration when its files are complete.
    pub(super) async fn read_stable(&self) -> Result<Config, StartError> {
        let deadline = Instant::now() + PATIENCE;
        let mut activity = self.activity.clone();
        loop {
            if timeout_at(deadline, activity.idle()).await.is_err() {
                return Err(self.being_written());
            }
            let files = self.own_files();
            let before = stamps(&files);
            let left = quiet_in(&before, SystemTime::now());
            if left > Duration::ZERO {
                if Instant::now() >= deadline {
                    return Err(self.being_written());
                }
                sleep(left).await;
                continue;
            }
            let read = self.source.read();
            let new_files = match &read {
                Ok(config) => &config.files,
                Err(ConfigError::Invalid(invalid)) => &invalid.files,
                Err(ConfigError::Unreadable { .. }) => &Vec::new(),
            };
            let are_same = {
                let mut known = self.files();
                let are_same = *known == *new_files;
                known.clone_from(new_files);
                are_same
            };
            // New files were not checked before the read; another round checks them.
            let is_stable = are_same && stamps(&files) == before && activity.file().is_none();
            if is_stable || Instant::now() >= deadline && read.is_err() {
                return Ok(read?);
            }
        }
    }

    /// Returns the files of the configuration itself.
    fn own_files(&self) -> Vec<PathBuf> {
        self.source.file.iter().cloned().chain(self.files().iter().cloned()).collect()
    }

    fn being_written(&self) -> StartError {
        let file = self.activity.file().or_else(|| self.source.file.clone());
        StartError::BeingWritten(file.unwrap_or_default())
    }
}

fn stamps(files: &[PathBuf]) -> FileStamps {
    FileStamps::read(files.iter().map(PathBuf::as_path))
}

/// Returns the time for which files must stay unchanged from now on. A change in the future is
/// ignored: the clock was set.
fn quiet_in(stamps: &FileStamps, now: SystemTime) -> Duration {
    let age = stamps.last_change().and_then(|change| now.duration_since(change).ok());
    QUIET.saturating_sub(age.unwrap_or(QUIET))
}
