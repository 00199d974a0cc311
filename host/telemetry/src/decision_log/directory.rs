//! The directory that the log is in, and its bound.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::SystemTime;

use super::OpenError;
use super::name::{Kind, Name};
use super::writer::{LogDisk, LogFile};

const LOCK: &str = "decisions.lock";

/// The directory, as the threads share it. Nobody else writes into it while the
/// lock is held, and only files with names of the log are ever removed.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) path: PathBuf,
    max_size: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Held for as long as the directory is used.
    _lock: File,
    next: u64,
    /// The file that is being written.
    current: Option<Name>,
}

/// A file of the log.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) name: Name,
    pub(super) bytes: u64,
}

impl Directory {
    /// Takes a directory, unless another process has it.
    pub(super) fn open(path: PathBuf, max_size: u64) -> Result<Arc<Self>, OpenError> {
        let state = take(&path)?;
        cut_torn_lines(&path).map_err(|source| OpenError::Unusable { dir: path.clone(), source })?;
        Ok(Arc::new(Self { path, max_size, state: Mutex::new(state) }))
    }

    /// Takes it again after it was gone.
    fn reopen(&self) -> io::Result<()> {
        let next = self.state().next;
        let mut taken = take(&self.path).map_err(io::Error::other)?;
        taken.next = taken.next.max(next);
        *self.state() = taken;
        Ok(())
    }

    /// The log's files, the oldest first.
    pub(super) fn files(&self) -> io::Result<Vec<Found>> {
        files(&self.path)
    }

    /// Names of the files that wait to be compressed, the oldest first. A file may have
    /// been written to after the directory was read, so no length of then is returned.
    pub(super) fn rotated(&self) -> io::Result<Vec<Name>> {
        let files = self.files()?;
        // Asked after the directory was read: a file has the current name before it is there.
        let current = self.state().current.clone();
        let names = files.into_iter().map(|file| file.name);
        Ok(names.filter(|name| name.kind == Kind::Plain && Some(name) != current.as_ref()).collect())
    }

    /// Removes the oldest files until there is room for so many bytes more.
    pub(super) fn make_room(&self, bytes: u64) -> io::Result<()> {
        let files = self.files()?;
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        let current = self.state().current.clone();
        let removable = files
            .iter()
            .filter(|file| file.name.kind != Kind::Unfinished && Some(&file.name) != current.as_ref());
        for file in removable {
            if total.saturating_add(bytes) <= self.max_size {
                break;
            }
            self.remove(&file.name)?;
            total -= file.bytes;
            tracing::info!(
                file = file.name.file_name(),
                "the oldest decisions were removed: the log is as large as `decision_log.max_size` allows"
            );
        }
        Ok(())
    }

    /// Removes a file, which may be gone already.
    pub(super) fn remove(&self, name: &Name) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn path(&self, name: &Name) -> PathBuf {
        self.path.join(name.file_name())
    }

    fn begin(&self, now: SystemTime) -> io::Result<File> {
        let name = {
            let mut state = self.state();
            let name = Name::new(state.next, now);
            state.next += 1;
            state.current = Some(name.clone());
            name
        };
        create(&self.path(&name)).inspect_err(|_| self.state().current = None)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a file that others may not read: what is in it is not for everybody.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o640).open(path)
}

fn take(path: &Path) -> Result<State, OpenError> {
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
    Ok(State { _lock: lock, next: last.map_or(1, |last| last.saturating_add(1)), current: None })
}

/// Cuts off what a process wrote of a last line before it was killed, so that every file
/// that it left has whole lines alone.
fn cut_torn_lines(path: &Path) -> io::Result<()> {
    for left in files(path)?.into_iter().filter(|file| file.name.kind == Kind::Plain) {
        let file = OpenOptions::new().read(true).write(true).open(path.join(left.name.file_name()))?;
        let whole = whole_lines(&file, left.bytes)?;
        if whole < left.bytes {
            tracing::warn!(
                file = left.name.file_name(),
                "the last record is left out: the gateway ended while it was written"
            );
            file.set_len(whole)?;
        }
    }
    Ok(())
}

/// Returns the length of the whole lines at the beginning of a file of `bytes` bytes.
pub(super) fn whole_lines(mut file: &File, bytes: u64) -> io::Result<u64> {
    let mut end = bytes;
    let mut piece = [0; 4_096];
    while end > 0 {
        let begin = end.saturating_sub(piece.len() as u64);
        let piece = &mut piece[..(end - begin) as usize];
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(piece)?;
        if let Some(last) = piece.iter().rposition(|&byte| byte == b'\n') {
            return Ok(begin + last as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

fn files(path: &Path) -> io::Result<Vec<Found>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().and_then(Name::parse) else { continue };
        match entry.metadata() {
            Ok(metadata) if metadata.is_file() => files.push(Found { name, bytes: metadata.len() }),
            Ok(_) => {}
            // Removed or renamed since.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// The directory, as the writer knows it.
#[derive(Debug)]
pub(super) struct Disk {
    directory: Arc<Directory>,
    /// Tells that there is something to be compressed.
    wake: mpsc::Sender<()>,
}

impl Disk {
    pub(super) fn new(directory: Arc<Directory>, wake: mpsc::Sender<()>) -> Self {
        Self { directory, wake }
    }
}

impl LogDisk for Disk {
    type File = File;

    fn begin(&mut self, now: SystemTime) -> io::Result<File> {
        match self.directory.begin(now) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.directory.reopen()?;
                self.directory.begin(now)
            }
            result => result,
        }
    }

    fn ended(&mut self) {
        self.directory.state().current = None;
        // The compressor ends after the writer.
        let _ = self.wake.send(());
    }

    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        self.directory.make_room(bytes)
    }
}

impl LogFile for File {
    fn is_there(&self) -> bool {
        self.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)?;
        self.seek(SeekFrom::Start(bytes)).map(drop)
    }
}
