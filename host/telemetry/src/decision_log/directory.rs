//! Directory of the log, and its size limit.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::SystemTime;

use super::OpenError;
use super::name::{LogFileKind, LogFileName};
use super::writer::{LogDisk, LogFile};

const LOCK: &str = "decisions.lock";

/// Directory of the log, shared by its threads. No other process writes to it while the lock file is
/// held, and only files with names of the log are ever removed.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) path: PathBuf,
    max_size: u64,
    state: Mutex<DirectoryState>,
}

#[derive(Debug)]
struct DirectoryState {
    /// Locked for as long as the directory is used.
    _lock: File,
    next_number: u64,
    /// File that is being written.
    current: Option<LogFileName>,
}

/// A file of the log with its size.
#[derive(Debug)]
pub(super) struct LogFileEntry {
    pub(super) name: LogFileName,
    pub(super) bytes: u64,
}

impl Directory {
    /// Opens and locks a directory, and cuts off lines that an earlier process did not finish.
    ///
    /// # Errors
    /// Fails if another process has locked it, or it cannot be used.
    pub(super) fn open(path: PathBuf, max_size: u64) -> Result<Arc<Self>, OpenError> {
        let state = lock(&path)?;
        cut_torn_lines(&path).map_err(|source| OpenError::Unusable { dir: path.clone(), source })?;
        Ok(Arc::new(Self { path, max_size, state: Mutex::new(state) }))
    }

    /// Creates and locks the directory again after it was removed.
    fn reopen(&self) -> io::Result<()> {
        let next_number = self.state().next_number;
        let mut state = lock(&self.path).map_err(io::Error::other)?;
        state.next_number = state.next_number.max(next_number);
        *self.state() = state;
        Ok(())
    }

    /// Returns the files of the log, oldest first.
    pub(super) fn files(&self) -> io::Result<Vec<LogFileEntry>> {
        files(&self.path)
    }

    /// Returns the names of the files that can be compressed, oldest first. Their sizes are not
    /// returned, since a file may have grown after the directory was listed.
    pub(super) fn rotated(&self) -> io::Result<Vec<LogFileName>> {
        let files = self.files()?;
        // Read after the listing: a name becomes current before its file exists.
        let current = self.state().current.clone();
        let names = files.into_iter().map(|file| file.name);
        Ok(names.filter(|name| name.kind == LogFileKind::Plain && Some(name) != current.as_ref()).collect())
    }

    /// Removes the oldest files until `bytes` more fit within the limit.
    pub(super) fn make_room(&self, bytes: u64) -> io::Result<()> {
        let files = self.files()?;
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        let current = self.state().current.clone();
        let removable = files
            .iter()
            .filter(|file| file.name.kind != LogFileKind::Unfinished && Some(&file.name) != current.as_ref());
        for file in removable {
            if total.saturating_add(bytes) <= self.max_size {
                break;
            }
            self.remove(&file.name)?;
            total -= file.bytes;
            tracing::info!(
                file = file.name.file_name(),
                "removed the oldest decisions: the log has reached `decision_log.max_size`"
            );
        }
        Ok(())
    }

    /// Removes a file, if it still exists.
    pub(super) fn remove(&self, name: &LogFileName) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn path(&self, name: &LogFileName) -> PathBuf {
        self.path.join(name.file_name())
    }

    fn create_next(&self, now: SystemTime) -> io::Result<File> {
        let name = {
            let mut state = self.state();
            let name = LogFileName::new(state.next_number, now);
            state.next_number += 1;
            state.current = Some(name.clone());
            name
        };
        create(&self.path(&name)).inspect_err(|_| self.state().current = None)
    }

    fn state(&self) -> MutexGuard<'_, DirectoryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Creates a file that only the owner and the group can read, since decisions are confidential.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o640).open(path)
}

/// Creates the directory if it is missing, and locks it.
fn lock(path: &Path) -> Result<DirectoryState, OpenError> {
    let unusable = |source| OpenError::Unusable { dir: path.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o750).create(path).map_err(unusable)?;
    let mut options = OpenOptions::new();
    let lock = options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o640)
        .open(path.join(LOCK))
        .map_err(unusable)?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => OpenError::InUse(path.to_owned()),
        TryLockError::Error(error) => unusable(error),
    })?;
    let last = files(path).map_err(unusable)?.iter().map(|file| file.name.number).max();
    Ok(DirectoryState {
        _lock: lock,
        next_number: last.map_or(1, |last| last.saturating_add(1)),
        current: None,
    })
}

/// Cuts off the incomplete last line of each file, which a killed process leaves.
fn cut_torn_lines(path: &Path) -> io::Result<()> {
    for left in files(path)?.into_iter().filter(|file| file.name.kind == LogFileKind::Plain) {
        let file = OpenOptions::new().read(true).write(true).open(path.join(left.name.file_name()))?;
        let whole = whole_lines(&file, left.bytes)?;
        if whole < left.bytes {
            tracing::warn!(
                file = left.name.file_name(),
                "dropped the last record: the gateway ended while writing it"
            );
            file.set_len(whole)?;
        }
    }
    Ok(())
}

/// Returns the length of the whole lines at the beginning of a file of `bytes` bytes.
pub(super) fn whole_lines(mut file: &File, bytes: u64) -> io::Result<u64> {
    let mut end = bytes;
    let mut chunk = [0; 4_096];
    while end > 0 {
        let begin = end.saturating_sub(chunk.len() as u64);
        let chunk = &mut chunk[..(end - begin) as usize];
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(chunk)?;
        if let Some(last) = chunk.iter().rposition(|&byte| byte == b'\n') {
            return Ok(begin + last as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

fn files(path: &Path) -> io::Result<Vec<LogFileEntry>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().and_then(LogFileName::parse) else { continue };
        match entry.metadata() {
            Ok(metadata) if metadata.is_file() => files.push(LogFileEntry { name, bytes: metadata.len() }),
            Ok(_) => {}
            // Removed or renamed since the listing.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Directory as the destination of the log writer.
#[derive(Debug)]
pub(super) struct DirectoryDisk {
    directory: Arc<Directory>,
    /// Wakes the compressor.
    wake: mpsc::Sender<()>,
}

impl DirectoryDisk {
    pub(super) fn new(directory: Arc<Directory>, wake: mpsc::Sender<()>) -> Self {
        Self { directory, wake }
    }
}

impl LogDisk for DirectoryDisk {
    type File = File;

    fn create_file(&mut self, now: SystemTime) -> io::Result<File> {
        match self.directory.create_next(now) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.directory.reopen()?;
                self.directory.create_next(now)
            }
            result => result,
        }
    }

    fn file_finished(&mut self) {
        self.directory.state().current = None;
        // The compressor outlives the writer.
        let _ = self.wake.send(());
    }

    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        self.directory.make_room(bytes)
    }
}

impl LogFile for File {
    fn exists(&self) -> bool {
        self.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)?;
        self.seek(SeekFrom::Start(bytes)).map(drop)
    }
}
