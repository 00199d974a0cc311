//! Compression of full files.
//!
//! A plain file is removed after its compressed copy is complete, renamed and synced, so at any moment
//! one complete copy exists. The next process finishes the work of a killed one.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use super::directory::{Directory, create, whole_lines};
use super::name::{LogFileKind, LogFileName};

/// Lowest priority.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 19;
/// Fastest regular level of zstd. Higher ones gain little on decision records.
const LEVEL: i32 = 1;
/// Bytes that are compressed between two checks of the stop flag.
const CHUNK_BYTES: usize = 256 << 10;

/// Compressor of files that the writer has finished.
pub(super) struct Compressor {
    directory: Arc<Directory>,
    rotate_size: u64,
    stop: Arc<AtomicBool>,
    /// True if the last run failed, which was logged.
    failing: bool,
}

impl Compressor {
    pub(super) fn new(directory: Arc<Directory>, rotate_size: u64, stop: Arc<AtomicBool>) -> Self {
        Self { directory, rotate_size, stop, failing: false }
    }

    /// Compresses the files of an earlier process, and then further ones whenever it is woken, until
    /// the writer has ended. May be called again after a panic.
    pub(super) fn run(&mut self, woken: &mpsc::Receiver<()>) {
        // On Linux this applies to the calling thread only. Failure is harmless.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::nice(NICENESS);
        loop {
            match self.compress_finished() {
                Ok(()) => self.failing = false,
                Err(error) => self.log_failure(&error),
            }
            if woken.recv().is_err() {
                return;
            }
        }
    }

    /// Compresses all finished files, oldest first, and removes unfinished copies.
    pub(super) fn compress_finished(&self) -> io::Result<()> {
        let files = self.directory.files()?;
        for file in files.iter().filter(|file| file.name.kind == LogFileKind::Unfinished) {
            self.directory.remove(&file.name)?;
        }
        let done: Vec<LogFileName> = files
            .into_iter()
            .filter(|file| file.name.kind == LogFileKind::Compressed)
            .map(|file| file.name.with(LogFileKind::Plain))
            .collect();
        for name in self.directory.rotated()? {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            if !done.contains(&name) {
                self.compress(&name)?;
            } else {
                self.directory.remove(&name)?;
            }
        }
        Ok(())
    }

    fn compress(&self, name: &LogFileName) -> io::Result<()> {
        let plain = match File::open(self.directory.path(name)) {
            // Removed meanwhile to make room.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        // The length from the listing may be outdated: the writer may have filled the file since.
        let bytes = plain.metadata()?.len();
        let lines = whole_lines(&plain, bytes)?;
        if lines < bytes {
            tracing::warn!(
                file = name.file_name(),
                "dropped the last record: the gateway ended, or the disk failed, while writing it"
            );
        }
        if lines == 0 {
            return self.directory.remove(name);
        }
        self.directory.make_room(lines + self.rotate_size / 4)?;
        let unfinished = self.directory.path(&name.with(LogFileKind::Unfinished));
        match self.copy(&plain, lines, &unfinished) {
            Ok(true) => {}
            Ok(false) => return fs::remove_file(unfinished),
            Err(error) => {
                let _ = fs::remove_file(unfinished);
                return Err(error);
            }
        }
        fs::rename(unfinished, self.directory.path(&name.with(LogFileKind::Compressed)))?;
        File::open(&self.directory.path)?.sync_all()?;
        self.directory.remove(name)
    }

    /// Compresses the first `bytes` of a file. Returns false if it was stopped.
    fn copy(&self, mut plain: &File, bytes: u64, to: &std::path::Path) -> io::Result<bool> {
        plain.seek(SeekFrom::Start(0))?;
        let mut lines = plain.take(bytes);
        let mut compressed = zstd::Encoder::new(BufWriter::new(create(to)?), LEVEL)?;
        compressed.include_checksum(true)?;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            let read = match lines.read(&mut chunk) {
                Ok(0) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            compressed.write_all(&chunk[..read])?;
        }
        let file = compressed.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(true)
    }

    fn log_failure(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::error!(
                directory = %self.directory.path.display(),
                "cannot compress decisions, their files stay plain: {error}"
            );
        }
    }
}

#[cfg(test)]
mod tests;
