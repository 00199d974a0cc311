//! Atomic and durable replacement of files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Suffix of the names of files that are being written.
const UNFINISHED: &str = "new";

/// Replaces a file atomically: at any moment, even after a crash or an error, it has either its old
/// or its new content in full.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(&mut System, path, bytes)
}

/// Returns whether a file is a leftover of an interrupted replacement.
pub(super) fn is_unfinished(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == UNFINISHED)
}

/// Operations of a file system that a replacement needs.
trait FileSystem {
    fn create(&mut self, path: &Path) -> io::Result<File>;
    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()>;
    fn sync(&mut self, file: &File) -> io::Result<()>;
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    fn open(&mut self, directory: &Path) -> io::Result<File>;
}

struct System;

impl FileSystem for System {
    fn create(&mut self, path: &Path) -> io::Result<File> {
        File::create(path)
    }

    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn open(&mut self, directory: &Path) -> io::Result<File> {
        File::open(directory)
    }
}

fn replace_with(system: &mut impl FileSystem, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension(UNFINISHED);
    let mut file = system.create(&unfinished)?;
    let written = system.write(&mut file, bytes).and_then(|()| system.sync(&file));
    if let Err(error) = written.and_then(|()| system.rename(&unfinished, path)) {
        // The partial file would take space on a disk that may be full.
        let _ = fs::remove_file(&unfinished);
        return Err(error);
    }
    // The rename is durable only after the directory is synced.
    let directory = system.open(path.parent().unwrap_or(Path::new(".")))?;
    system.sync(&directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails at one operation, or ends there as a process that is killed does.
    struct Failing {
        operation: usize,
        /// Number of bytes written before that.
        written: usize,
    }

    impl Failing {
        fn next(&mut self) -> io::Result<()> {
            match self.operation.checked_sub(1) {
                Some(left) => {
                    self.operation = left;
                    Ok(())
                }
                None => Err(io::Error::from(io::ErrorKind::StorageFull)),
            }
        }
    }

    impl FileSystem for Failing {
        fn create(&mut self, path: &Path) -> io::Result<File> {
            self.next()?;
            System.create(path)
        }

        fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
            let result = self.next();
            let most = if result.is_ok() { bytes.len() } else { self.written.min(bytes.len()) };
            System.write(file, &bytes[..most])?;
            result
        }

        fn sync(&mut self, _: &File) -> io::Result<()> {
            self.next()
        }

        fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
            self.next()?;
            System.rename(from, to)
        }

        fn open(&mut self, directory: &Path) -> io::Result<File> {
            self.next()?;
            System.open(directory)
        }
    }

    #[test]
    fn wherever_it_fails_a_file_is_the_old_or_the_new_one() {
        const OPERATIONS: usize = 6;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rollouts.json");
        let (old, new) = (b"old".repeat(1_000), b"new and longer".repeat(1_000));
        let mut outcomes = Vec::new();
        for operation in 0..=OPERATIONS {
            for written in [0, 1, new.len() / 2, new.len()] {
                fs::write(&path, &old).unwrap();
                let result = replace_with(&mut Failing { operation, written }, &path, &new);
                let content = fs::read(&path).unwrap();
                let is_new = content == new;
                assert!(is_new || content == old, "failed at {operation} after {written} bytes");
                assert_eq!(result.is_ok(), operation == OPERATIONS, "{operation}");
                assert!(is_new || result.is_err(), "what succeeded is there");
                assert!(!path.with_extension(UNFINISHED).exists(), "nothing is left behind");
                outcomes.push(is_new);
            }
        }
        // Not before the file is synced, and for good once it is renamed.
        let renamed = outcomes.iter().position(|is_new| *is_new);
        assert_eq!(renamed, Some(4 * 4));
        assert!(outcomes[4 * 4..].iter().all(|is_new| *is_new));
    }
}
