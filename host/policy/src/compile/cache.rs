//! What was compiled, kept for the next start.
//!
//! A file for each policy and engine, named after both. It is run as it is, so
//! the directory belongs to the gateway's user alone, and a checksum tells
//! damage; whatever does not fit is deleted and compiled anew.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use pointsman_domain::ids::Digest;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

use super::Artefact;

/// Bytes of the checksum that each file begins with.
const CHECKSUM: usize = 32;
/// What names of whole files end with.
const SUFFIX: &str = ".cwasm";
/// What names of files end with while they are written.
const UNFINISHED: &str = ".tmp";
/// Nobody writes a file for that long: whoever did is gone.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// Where compiled code is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    /// The directory; made if it is not there, for this user alone. It should hold
    /// nothing else.
    pub directory: PathBuf,
    /// Most bytes of all files. Those that were not used for the longest time go first.
    pub max_bytes: u64,
}

impl CacheConfig {
    /// A directory that may grow to a gibibyte: some hundred policies.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), max_bytes: 1 << 30 }
    }
}

/// A directory of compiled code.
pub(crate) struct Cache {
    config: CacheConfig,
    /// Of the engine and the version of this program, in hex.
    engine: String,
    written: AtomicU64,
}

impl Cache {
    /// Makes the directory, and sees whether files can be written to it.
    pub(crate) fn open(config: CacheConfig, engine: &Engine) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&config.directory)?;
        let mode = fs::metadata(&config.directory)?.mode();
        if mode & 0o022 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "its mode is {:o}, so others can put code there that would be run; empty it and `chmod 700` it",
                    mode & 0o777
                ),
            ));
        }
        let mut hasher = DefaultHasher::new();
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let cache = Self { config, engine: format!("{:016x}", hasher.finish()), written: AtomicU64::new(0) };
        let probe = cache.unfinished("probe");
        create(&probe)?;
        fs::remove_file(&probe)?;
        cache.remove_abandoned();
        Ok(cache)
    }

    /// What was compiled from the source of this digest, if it is there whole.
    pub(super) fn get(&self, source: &Digest) -> Option<Artefact> {
        let path = self.path(source);
        let mut file = File::open(&path).ok()?;
        match self.read(&mut file, &path) {
            Ok(artefact) => {
                // By this the files are found that are not used.
                let _ = file.set_modified(SystemTime::now());
                Some(artefact)
            }
            Err(error) => {
                tracing::warn!("{} is damaged, it is compiled anew: {error}", path.display());
                self.remove(source);
                None
            }
        }
    }

    /// Keeps what was compiled. A cache that cannot is slow and no failure.
    pub(super) fn put(&self, source: &Digest, artefact: &Artefact) {
        let path = self.path(source);
        if let Err(error) = self.write(&path, &artefact.0) {
            tracing::warn!("cannot keep compiled code as {}: {error}", path.display());
        }
        if let Err(error) = self.make_room(&path) {
            tracing::warn!("cannot clean up {}: {error}", self.config.directory.display());
        }
    }

    /// Forgets what was compiled from this source.
    pub(super) fn remove(&self, source: &Digest) {
        let path = self.path(source);
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!("cannot remove {}: {error}", path.display());
        }
    }

    fn read(&self, file: &mut File, path: &Path) -> io::Result<Artefact> {
        let length = file.metadata()?.len();
        if length > self.config.max_bytes {
            return Err(io::Error::other("it is longer than the whole cache may be"));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        file.take(self.config.max_bytes).read_to_end(&mut bytes)?;
        if bytes.len() < CHECKSUM {
            return Err(io::Error::other("it is cut short"));
        }
        let code = bytes.split_off(CHECKSUM);
        if bytes != checksum(path, &code) {
            return Err(io::Error::other("its checksum does not fit"));
        }
        Ok(Artefact::vouched(code))
    }

    /// Whole or not at all, whoever reads or writes it at the same time.
    fn write(&self, path: &Path, code: &[u8]) -> io::Result<()> {
        let unfinished = self.unfinished("new");
        let written = create(&unfinished).and_then(|mut file| {
            file.write_all(&checksum(path, code))?;
            file.write_all(code)?;
            file.sync_all()
        });
        let renamed = written.and_then(|()| fs::rename(&unfinished, path));
        if renamed.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        // The new name is on the disk only when its directory is.
        renamed.and_then(|()| File::open(&self.config.directory)?.sync_all())
    }

    /// Removes what was not used for the longest time, but never the newest file.
    fn make_room(&self, newest: &Path) -> io::Result<()> {
        let mut files = self.files()?;
        files.retain(|file| file.path.extension().is_some_and(|extension| extension == &SUFFIX[1..]));
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        files.sort_unstable_by_key(|file| file.used);
        for file in files.iter().filter(|file| file.path != newest) {
            if total <= self.config.max_bytes {
                break;
            }
            match fs::remove_file(&file.path) {
                // Another gateway may keep its code here too, and make room as well.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => total -= file.bytes,
            }
        }
        Ok(())
    }

    fn remove_abandoned(&self) {
        let Ok(files) = self.files() else { return };
        for file in files.iter().filter(|file| file.path.to_string_lossy().ends_with(UNFINISHED)) {
            if file.used.elapsed().is_ok_and(|age| age > ABANDONED) {
                let _ = fs::remove_file(&file.path);
            }
        }
    }

    fn files(&self) -> io::Result<Vec<Kept>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.config.directory)? {
            let entry = entry?;
            // A file that has gone since is no file.
            let Ok(metadata) = entry.metadata() else { continue };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            files.push(Kept { path: entry.path(), bytes: metadata.len(), used });
        }
        Ok(files)
    }

    fn path(&self, source: &Digest) -> PathBuf {
        self.config.directory.join(format!("{source}-{}{SUFFIX}", self.engine))
    }

    fn unfinished(&self, what: &str) -> PathBuf {
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        self.config.directory.join(format!("{what}-{}-{number}{UNFINISHED}", std::process::id()))
    }
}

/// A file in the directory.
struct Kept {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Of the name too, so that a file under another's name is no good.
fn checksum(path: &Path, code: &[u8]) -> [u8; CHECKSUM] {
    let mut hash = Sha256::new();
    hash.update(path.file_name().unwrap_or_default().as_encoded_bytes());
    hash.update(code);
    hash.finalize().into()
}
