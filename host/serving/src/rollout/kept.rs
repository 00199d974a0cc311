//! What outlives the process: the state, and the code of versions that may be
//! asked for again.

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
use super::state::State;

/// The file that is locked for as long as a gateway uses the directory.
const LOCK: &str = "state.lock";
/// The file with the state.
const STATE: &str = "rollouts.json";
/// The directory with the code, a file for each version.
const CODE: &str = "policies";

/// Where the state and code are kept: in a directory, or for as long as the
/// process lives.
#[derive(Debug, Default)]
pub struct Kept {
    directory: Option<PathBuf>,
    /// Held for as long as the directory is used.
    _lock: Option<File>,
    /// Code where there is no directory: only what was uploaded, since all else
    /// can be read again.
    uploaded: Mutex<BTreeMap<Digest, Code>>,
    /// The state as it was written last: most reloads decide nothing.
    written: Mutex<Vec<u8>>,
}

/// The directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The system refuses.
    #[error("cannot {what} {}: {source}\n  = hint: the directory is `state.dir` of the configuration; it has to be writable", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another gateway uses the directory.
    #[error(
        "the directory {} is used by another gateway\n  = hint: stop that one, or give each gateway a `state.dir` of its own",
        .0.display()
    )]
    InUse(PathBuf),
    /// The state is not one.
    #[error(
        "cannot read {}: {source}\n  = hint: move the file away to start without what it remembers: promotions, pins and quarantines",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Kept {
    /// Locks and opens the directory, and makes it where it is not there. The system lifts
    /// the lock when the process ends, however it ends.
    pub fn open(directory: Option<&Path>) -> Result<(Self, State), KeepError> {
        let Some(directory) = directory else { return Ok(Default::default()) };
        let code = directory.join(CODE);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&code).map_err(io("make", &code))?;
        let lock = lock(directory)?;
        remove_unfinished(directory);
        let path = directory.join(STATE);
        let state = match fs::read(&path) {
            Ok(text) => {
                serde_json::from_slice(&text).map_err(|source| KeepError::Damaged { path, source })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::default(),
            Err(source) => return Err(KeepError::Io { what: "read", path, source }),
        };
        Ok((Self { directory: Some(directory.to_owned()), _lock: Some(lock), ..Self::default() }, state))
    }

    /// Keeps a state instead of the one before. After an error the file is whole and holds
    /// one of them.
    pub fn save(&self, state: &State) -> Result<(), KeepError> {
        if let Some(directory) = &self.directory {
            let text = serde_json::to_vec_pretty(state).unwrap_or_default();
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            if *written == text {
                return Ok(());
            }
            // Unknown until it succeeds.
            written.clear();
            replace(&directory.join(STATE), &text)?;
            *written = text;
        }
        self.forget_all_but(&state.versions());
        Ok(())
    }

    /// Keeps a version's code that was loaded from its source.
    pub fn keep(&self, code: &Code) -> Result<(), KeepError> {
        match &self.directory {
            Some(directory) => write_code(directory, code),
            None => Ok(()),
        }
    }

    /// Keeps a version's code that there is nowhere else.
    pub fn keep_uploaded(&self, code: Code) -> Result<(), KeepError> {
        match &self.directory {
            Some(directory) => write_code(directory, &code)?,
            None => drop(self.uploaded().insert(code.digest(), code)),
        }
        Ok(())
    }

    /// A version's code, if it is kept and whole.
    pub fn code(&self, version: Digest) -> Option<Code> {
        let Some(directory) = &self.directory else { return self.uploaded().get(&version).cloned() };
        let code = Code::new(fs::read(code_path(directory, version)).ok()?);
        (code.digest() == version).then_some(code)
    }

    /// Whether a version's code is kept, whole or not.
    pub fn has(&self, version: Digest) -> bool {
        match &self.directory {
            Some(directory) => code_path(directory, version).exists(),
            None => self.uploaded().contains_key(&version),
        }
    }

    /// The versions whose code is kept.
    pub fn versions(&self) -> Vec<Digest> {
        let Some(directory) = &self.directory else { return self.uploaded().keys().copied().collect() };
        let files = fs::read_dir(directory.join(CODE)).into_iter().flatten().flatten();
        files.filter_map(|file| digest_of(&file.path())).collect()
    }

    fn forget_all_but(&self, named: &BTreeSet<Digest>) {
        self.uploaded().retain(|version, _| named.contains(version));
        let Some(directory) = &self.directory else { return };
        for version in self.versions().iter().filter(|version| !named.contains(version)) {
            if let Err(error) = fs::remove_file(code_path(directory, *version)) {
                tracing::warn!(%version, "cannot remove a version that nobody asks for any more: {error}");
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

fn write_code(directory: &Path, code: &Code) -> Result<(), KeepError> {
    let path = code_path(directory, code.digest());
    match fs::metadata(&path) {
        Ok(there) if there.len() == code.bytes().len() as u64 => Ok(()),
        _ => replace(&path, code.bytes()),
    }
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), KeepError> {
    durable::replace(path, bytes).map_err(io("write", path))
}

fn lock(directory: &Path) -> Result<File, KeepError> {
    let path = directory.join(LOCK);
    let file =
        File::options().write(true).create(true).truncate(false).open(&path).map_err(io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(KeepError::InUse(directory.to_owned())),
        Err(TryLockError::Error(source)) => Err(KeepError::Io { what: "lock", path, source }),
    }
}

/// Removes what a process left that was killed while it wrote.
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

fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeepError {
    let path = path.to_owned();
    move |source| KeepError::Io { what, path, source }
}

#[cfg(test)]
mod tests;
