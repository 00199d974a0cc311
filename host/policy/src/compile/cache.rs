//! Native code kept for the next start.
//!
//! There is one file for each policy and engine, named after both. Native code is run as it is, so
//! only the gateway's user may write to the directory, and a checksum detects damage. A file that
//! does not match is deleted and compiled again.

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

use super::NativeCode;

/// Length of the checksum at the beginning of each file.
const CHECKSUM_BYTES: usize = 32;
/// Suffix of complete files.
const SUFFIX: &str = ".cwasm";
/// Suffix of files that are being written.
const UNFINISHED: &str = ".tmp";
/// Age at which an unfinished file counts as abandoned: its writer is gone.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// Directory and size of the cache for compiled code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    /// The directory. Created if missing, for this user alone; it should hold nothing else.
    pub directory: PathBuf,
    /// Most bytes of all files together. The least recently used are removed first.
    pub max_bytes: u64,
}

impl CacheConfig {
    /// Configures a directory that may grow to 1 GiB, some hundred policies.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), max_bytes: 1 << 30 }
    }
}

/// A directory of native code.
pub(crate) struct CodeCache {
    config: CacheConfig,
    /// Hash of the engine's settings and the version of this program, in hex.
    engine: String,
    /// Number of temporary files so far, which makes their names unique.
    files_created: AtomicU64,
}

impl CodeCache {
    /// Creates the directory and checks that files can be written to it.
    ///
    /// # Errors
    /// Fails when it cannot be written, or others can write to it.
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
        let cache =
            Self { config, engine: format!("{:016x}", hasher.finish()), files_created: AtomicU64::new(0) };
        let probe = cache.temporary_path("probe");
        create(&probe)?;
        fs::remove_file(&probe)?;
        cache.remove_abandoned();
        Ok(cache)
    }

    /// Returns the native code for the source with this digest, if there is an undamaged file.
    pub(super) fn get(&self, source: &Digest) -> Option<NativeCode> {
        let path = self.path(source);
        let mut file = File::open(&path).ok()?;
        match self.read(&mut file, &path) {
            Ok(native) => {
                // `make_room` removes the files that were not used for longest.
                let _ = file.set_modified(SystemTime::now());
                Some(native)
            }
            Err(error) => {
                tracing::warn!("{} is damaged, compiling the policy again: {error}", path.display());
                self.remove(source);
                None
            }
        }
    }

    /// Stores native code. Failing to is logged and otherwise harmless.
    pub(super) fn put(&self, source: &Digest, native: &NativeCode) {
        let path = self.path(source);
        if let Err(error) = self.write(&path, &native.0) {
            tracing::warn!("cannot keep compiled code as {}: {error}", path.display());
        }
        if let Err(error) = self.make_room(&path) {
            tracing::warn!("cannot clean up {}: {error}", self.config.directory.display());
        }
    }

    /// Removes the native code for this source.
    pub(super) fn remove(&self, source: &Digest) {
        let path = self.path(source);
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!("cannot remove {}: {error}", path.display());
        }
    }

    fn read(&self, file: &mut File, path: &Path) -> io::Result<NativeCode> {
        let length = file.metadata()?.len();
        if length > self.config.max_bytes {
            return Err(io::Error::other("it is longer than the whole cache may be"));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        file.take(self.config.max_bytes).read_to_end(&mut bytes)?;
        if bytes.len() < CHECKSUM_BYTES {
            return Err(io::Error::other("it is cut short"));
        }
        let code = bytes.split_off(CHECKSUM_BYTES);
        if bytes != checksum(path, &code) {
            return Err(io::Error::other("its checksum does not match"));
        }
        Ok(NativeCode::vouched(code))
    }

    /// Writes a file atomically: readers and other writers see all of it or nothing.
    fn write(&self, path: &Path, code: &[u8]) -> io::Result<()> {
        let unfinished = self.temporary_path("new");
        let written = create(&unfinished).and_then(|mut file| {
            file.write_all(&checksum(path, code))?;
            file.write_all(code)?;
            file.sync_all()
        });
        let renamed = written.and_then(|()| fs::rename(&unfinished, path));
        if renamed.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        // The rename is durable only once the directory is synced.
        renamed.and_then(|()| File::open(&self.config.directory)?.sync_all())
    }

    /// Removes the least recently used files, but never the newest one.
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
                // Another gateway may share the directory and make room at the same time.
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

    fn files(&self) -> io::Result<Vec<CacheFile>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.config.directory)? {
            let entry = entry?;
            // The file was removed since.
            let Ok(metadata) = entry.metadata() else { continue };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            files.push(CacheFile { path: entry.path(), bytes: metadata.len(), used });
        }
        Ok(files)
    }

    fn path(&self, source: &Digest) -> PathBuf {
        self.config.directory.join(format!("{source}-{}{SUFFIX}", self.engine))
    }

    fn temporary_path(&self, prefix: &str) -> PathBuf {
        let number = self.files_created.fetch_add(1, Ordering::Relaxed);
        self.config.directory.join(format!("{prefix}-{}-{number}{UNFINISHED}", std::process::id()))
    }
}

struct CacheFile {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Covers the file's name too, so that a renamed file does not match.
fn checksum(path: &Path, code: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hash = Sha256::new();
    hash.update(path.file_name().unwrap_or_default().as_encoded_bytes());
    hash.update(code);
    hash.finalize().into()
}
