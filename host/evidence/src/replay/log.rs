//! Files of logs, read and decompressed on a thread of their own.

use std::fs::File;
use std::io::{self, Seek};
use std::ops::Range;
use std::path::{Path, PathBuf};

use pointsman_author::case::recorded;
use pointsman_record::LineReader;
use pointsman_terminal::CommandError;

/// Size of the text that workers get at once, in bytes. A longer line is alone.
const CHUNK_BYTES: usize = 256 << 10;
/// Most lines that workers get at once.
const CHUNK_LINES: usize = 256;

/// Lines of a file.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Number of the file.
    pub(super) file: usize,
    text: Vec<u8>,
    lines: Vec<(u64, Range<usize>)>,
    /// Lines that could not be read, with the reason.
    pub(super) errors: Vec<(u64, String)>,
    /// Bytes that were read from the disk since the last chunk.
    pub(super) bytes: u64,
}

impl Chunk {
    /// Returns the lines with their numbers.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.lines.iter().map(|(number, place)| (*number, self.text.get(place.clone()).unwrap_or_default()))
    }

    fn is_full(&self) -> bool {
        self.text.len() >= CHUNK_BYTES || self.lines.len() + self.errors.len() >= CHUNK_LINES
    }
}

/// Returns the files of logs, each a file or a folder of files, in order.
///
/// # Errors
/// Fails if a file or folder does not exist, or a folder has no file of a log.
pub(super) fn files(logs: &[PathBuf]) -> Result<Vec<PathBuf>, CommandError> {
    let mut files = Vec::new();
    for log in logs {
        files.extend(recorded::files(log).map_err(|error| CommandError::Input(error.to_string()))?);
    }
    for file in &files {
        File::open(file).map_err(|error| {
            CommandError::Input(format!("error: cannot read {}: {error}", file.display()))
        })?;
    }
    Ok(files)
}

/// Returns the bytes of all files.
pub(super) fn total_bytes(files: &[PathBuf]) -> u64 {
    files.iter().filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// Reads the files in order, and hands chunks of their lines to a function until it returns false. A file that cannot be
/// read further is left at that place, with an error.
pub(super) fn read(files: &[PathBuf], mut send: impl FnMut(Chunk) -> bool) {
    for (number, path) in files.iter().enumerate() {
        let read = read_file(number, path, &mut send);
        let goes_on = read.unwrap_or_else(|error| {
            let errors = vec![(0, format!("cannot read: {error}"))];
            send(Chunk { file: number, errors, ..Chunk::default() })
        });
        if !goes_on {
            return;
        }
    }
}

fn read_file(number: usize, path: &Path, send: &mut impl FnMut(Chunk) -> bool) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut lines = LineReader::from_file(file.try_clone()?)?;
    let (mut chunk, mut position) = (Chunk { file: number, ..Chunk::default() }, 0);
    loop {
        let is_end = match lines.next_line() {
            None => true,
            Some(Ok((line, bytes))) => {
                let start = chunk.text.len();
                chunk.text.extend_from_slice(bytes);
                chunk.lines.push((line, start..chunk.text.len()));
                false
            }
            Some(Err(error)) => {
                chunk.errors.push((error.line, error.kind.to_string()));
                false
            }
        };
        if is_end || chunk.is_full() {
            // The clone shares its position with the reader.
            let now = file.stream_position().unwrap_or(position);
            chunk.bytes = now.saturating_sub(position);
            position = now;
            if !send(std::mem::replace(&mut chunk, Chunk { file: number, ..Chunk::default() })) {
                return Ok(false);
            }
        }
        if is_end {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_in_chunks_of_lines_with_their_numbers() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("decisions-1.jsonl");
        let long = "x".repeat(CHUNK_BYTES);
        std::fs::write(&path, format!("{}\n{long}\nlast", "short\n\n".repeat(300))).unwrap();
        let files = files(&[folder.path().to_owned(), path.clone()]).unwrap();
        assert_eq!(files, [path.clone(), path]);
        let (mut read_lines, mut bytes) = (Vec::new(), 0);
        read(&files[..1], |chunk| {
            assert!(chunk.lines.len() <= CHUNK_LINES);
            bytes += chunk.bytes;
            read_lines.extend(chunk.lines().map(|(number, line)| (number, line.trim_ascii().len())));
            true
        });
        assert_eq!(bytes, total_bytes(&files[..1]));
        assert_eq!(read_lines.len(), 302);
        assert_eq!(read_lines[299..], [(599, 5), (602, CHUNK_BYTES), (603, 4)]);
        let mut chunks = 0;
        read(&files, |_| {
            chunks += 1;
            false
        });
        assert_eq!(chunks, 1, "reading ends when nobody takes the lines");
        assert!(super::files(&[folder.path().join("nowhere")]).is_err());
    }
}
