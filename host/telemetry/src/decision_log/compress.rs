//! The thread that compresses files that are full.
//!
//! A plain file is removed when its compressed copy is whole, has its name and is
//! on the disk, so at any moment there is one whole copy. What a process that was
//! killed left undone is finished by the next.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use super::directory::{Directory, create, whole_lines};
use super::name::{Kind, Name};

/// After everything else that wants to run.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 19;
/// The fastest level that zstd promises to keep; higher ones gain little here.
const LEVEL: i32 = 1;
/// What is compressed before it is looked whether to stop.
const PIECE: usize = 256 << 10;

/// Compresses what the writer has done with.
pub(super) struct Compressor {
    directory: Arc<Directory>,
    rotate_size: u64,
    stop: Arc<AtomicBool>,
    /// Whether it was told that it cannot be done.
    failing: bool,
}

impl Compressor {
    pub(super) fn new(directory: Arc<Directory>, rotate_size: u64, stop: Arc<AtomicBool>) -> Self {
        Self { directory, rotate_size, stop, failing: false }
    }

    /// Begins with what is left of an earlier process, then waits to be woken,
    /// until the writer has ended. May be called again after a panic.
    pub(super) fn run(&mut self, woken: &mpsc::Receiver<()>) {
        // On Linux this is about the thread. Without it, it is as urgent as others.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::nice(NICENESS);
        loop {
            match self.tidy() {
                Ok(()) => self.failing = false,
                Err(error) => self.failed(&error),
            }
            if woken.recv().is_err() {
                return;
            }
        }
    }

    /// Compresses all that waits, the oldest first.
    pub(super) fn tidy(&self) -> io::Result<()> {
        let files = self.directory.files()?;
        for file in files.iter().filter(|file| file.name.kind == Kind::Unfinished) {
            self.directory.remove(&file.name)?;
        }
        let done: Vec<Name> = files
            .into_iter()
            .filter(|file| file.name.kind == Kind::Compressed)
            .map(|file| file.name.with(Kind::Plain))
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

    fn compress(&self, name: &Name) -> io::Result<()> {
        let plain = match File::open(self.directory.path(name)) {
            // It was the oldest, and there was no room.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        // Not the length from the listing: the writer may have filled the file since.
        let bytes = plain.metadata()?.len();
        let lines = whole_lines(&plain, bytes)?;
        if lines < bytes {
            tracing::warn!(
                file = name.file_name(),
                "the last record is left out: the gateway ended, or the disk failed, while it was written"
            );
        }
        if lines == 0 {
            return self.directory.remove(name);
        }
        self.directory.make_room(lines + self.rotate_size / 4)?;
        let unfinished = self.directory.path(&name.with(Kind::Unfinished));
        match self.copy(&plain, lines, &unfinished) {
            Ok(true) => {}
            Ok(false) => return fs::remove_file(unfinished),
            Err(error) => {
                let _ = fs::remove_file(unfinished);
                return Err(error);
            }
        }
        fs::rename(unfinished, self.directory.path(&name.with(Kind::Compressed)))?;
        File::open(&self.directory.path)?.sync_all()?;
        self.directory.remove(name)
    }

    /// Whether it was done before the end.
    fn copy(&self, mut plain: &File, bytes: u64, to: &std::path::Path) -> io::Result<bool> {
        plain.seek(SeekFrom::Start(0))?;
        let mut lines = plain.take(bytes);
        let mut compressed = zstd::Encoder::new(BufWriter::new(create(to)?), LEVEL)?;
        compressed.include_checksum(true)?;
        let mut piece = vec![0; PIECE];
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            let read = match lines.read(&mut piece) {
                Ok(0) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            compressed.write_all(&piece[..read])?;
        }
        let file = compressed.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(true)
    }

    fn failed(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::error!(
                directory = %self.directory.path.display(),
                "decisions cannot be compressed, they stay as they are: {error}"
            );
        }
    }
}

#[cfg(test)]
mod tests;
