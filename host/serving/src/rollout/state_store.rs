//! Storage of the rollout state, and of the code of versions that may be loaded again.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use pointsman_domain::ids::Digest;
use pointsman_policy::Code;

use super::durable;
use super::state::RolloutState;

/// Lock file, locked while a gateway uses the directory.
const LOCK: &str = "state.lock";
/// File of the state.
const STATE: &str = "rollouts.json";
/// Directory of the code, with one file per version.
const CODE: &str = "policies";

/// Storage of state and code: in a directory, or in memory if none is configured.
#[derive(Debug, Default)]
pub struct StateStore {
    directory: Option<PathBuf>,
    /// Lock on the directory, released when the file is closed.
    _lock: Option<File>,
    /// Uploaded code if there is no directory. Other code can be read from its source again.
    uploaded: Mutex<BTreeMap<Digest, Code>>,
    /// The last state written, which saves a write when a reload changes nothing.
    written: Mutex<Vec<u8>>,
}

/// Failure to use the state directory.
#[derive(Debug, thiserror::Error)]
pub enum StateStoreError {
    /// A file operation failed.
    #[error("cannot {what} {}: {source}\n  = hint: the directory is `state.dir` of the configuration; it has to be writable", .path.display())]
    Io {
        /// The operation, as a verb.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// Another gateway uses the directory.
    #[error(
        "the directory {} is used by another gateway\n  = hint: stop that one, or give each gateway its own `state.dir`",
        .0.display()
    )]
    InUse(PathBuf),
    /// The state file is not valid.
    #[error(
        "cannot read {}: {source}\n  = hint: move the file away to start without the promotions, pins and quarantines stored in it",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Error of the parser.
        source: serde_json::Error,
    },
}

impl StateStore {
    /// Creates the directory if it is missing, locks it, and reads the state. The operating system
    /// releases the lock when the process ends, even after a crash.
    pub fn open(directory: Option<&Path>) -> Result<(Self, RolloutState), StateStoreError> {
        let Some(directory) = directory else { return Ok(Default::default()) };
        let code = directory.join(CODE);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&code).map_err(io("make", &code))?;
        let lock = lock(directory)?;
        remove_unfinished(directory);
        let path = directory.join(STATE);
        let state = match fs::read(&path) {
            Ok(text) => {
                serde_json::from_slice(&text).map_err(|source| StateStoreError::Damaged { path, source })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => RolloutState::default(),
            Err(source) => return Err(StateStoreError::Io { what: "read", path, source }),
        };
        Ok((Self { directory: Some(directory.to_owned()), _lock: Some(lock), ..Self::default() }, state))
    }

    /// Replaces the stored state, and removes code that it no longer names. After an error the file
    /// holds either the previous state or this one, in full.
    pub fn save(&self, state: &RolloutState) -> Result<(), StateStoreError> {
        if let Some(directory) = &self.directory {
            let text = serde_json::to_vec_pretty(state).unwrap_or_default();
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            if *written == text {
                return Ok(());
            }
            // The content is unknown until the write succeeds.
            written.clear();
            replace(&directory.join(STATE), &text)?;
            *written = text;
        }
        self.remove_code_except(&state.versions());
        Ok(())
    }

    /// Stores the code of a version that was loaded from its source.
    pub fn store_code(&self, code: &Code) -> Result<(), StateStoreError> {
        match &self.directory {
            Some(directory) => write_code(directory, code),
            None => Ok(()),
        }
    }

    /// Stores the code of an uploaded version, of which there is no other copy.
    pub fn store_uploaded_code(&self, code: Code) -> Result<(), StateStoreError> {
        match &self.directory {
            Some(directory) => write_code(directory, &code)?,
            None => drop(self.uploaded().insert(code.digest(), code)),
        }
        Ok(())
    }

    /// Returns the code of a version, if it is stored and intact.
    pub fn code(&self, version: Digest) -> Option<Code> {
        let Some(directory) = &self.directory else { return self.uploaded().get(&version).cloned() };
        let code = Code::new(fs::read(code_path(directory, version)).ok()?);
        (code.digest() == version).then_some(code)
    }

    /// Returns whether the code of a version is stored, intact or not.
    pub fn contains_code(&self, version: Digest) -> bool {
        match &self.directory {
            Some(directory) => code_path(directory, version).exists(),
            None => self.uploaded().contains_key(&version),
        }
    }

    /// Returns the versions whose code is stored.
    pub fn versions(&self) -> Vec<Digest> {
        let Some(directory) = &self.directory else { return self.uploaded().keys().copied().collect() };
        let files = fs::read_dir(directory.join(CODE)).into_iter().flatten().flatten();
        files.filter_map(|file| digest_of(&file.path())).collect()
    }

    fn remove_code_except(&self, needed: &BTreeSet<Digest>) {
        self.uploaded().retain(|version, _| needed.contains(version));
        let Some(directory) = &self.directory else { return };
        for version in self.versions().iter().filter(|version| !needed.contains(version)) {
            if let Err(error) = fs::remove_file(code_path(directory, *version)) {
                tracing::warn!(%version, "cannot remove the code of a version that is no longer needed: {error}");
            }
        }
    }

    fn uploaded(&self) -> std::sync::MutexGuard<'_, BTreeMap<Digest, Code>> {
        self.uploaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn code_path(directory: &Path, version: Digest) -> PathBuf {
    directory.join(CODE).join(format!("{version}.wasm"))
}

fn digest_of(path: &Path) -> Option<Digest> {
    path.file_name()?.to_str()?.strip_suffix(".wasm")?.parse().ok()
}

fn write_code(directory: &Path, code: &Code) -> Result<(), StateStoreError> {
    let path = code_path(directory, code.digest());
    match fs::metadata(&path) {
        Ok(there) if there.len() == code.bytes().len() as u64 => Ok(()),
        _ => replace(&path, code.bytes()),
    }
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), StateStoreError> {
    durable::replace(path, bytes).map_err(io("write", path))
}

fn lock(directory: &Path) -> Result<File, StateStoreError> {
    let path = directory.join(LOCK);
    let file =
        File::options().write(true).create(true).truncate(false).open(&path).map_err(io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StateStoreError::InUse(directory.to_owned())),
        Err(TryLockError::Error(source)) => Err(StateStoreError::Io { what: "lock", path, source }),
    }
}

/// Removes files that a previous process left half-written.
fn remove_unfinished(directory: &Path) {
    let code = directory.join(CODE);
    let files = [directory, &code].into_iter().filter_map(|it| fs::read_dir(it).ok());
    for file in files.flatten().flatten() {
        if durable::is_unfinished(&file.path()) {
            // The next file of this name replaces it.
            let _ = fs::remove_file(file.path());
        }
    }
}

fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateStoreError {
    let path = path.to_owned();
    move |source| StateStoreError::Io { what, path, source }
}

#[cfg(test)]
mod tests;
