//! Reading of logs.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use crate::feedback::FeedbackRecord;
use crate::record::{DecisionRecord, SCHEMA};

/// Longest line that is read, in bytes, so that a file which is no log does not fill the memory.
const MAX_LINE_BYTES: usize = 64 << 20;
/// First bytes of the line of a rating.
const FEEDBACK: &[u8] = br#"{"kind":"feedback""#;
/// First bytes of every file in the format of zstd.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A line of a log.
#[derive(Clone, Debug, PartialEq)]
pub enum LogLine {
    /// A request.
    Decision(Box<DecisionRecord<'static>>),
    /// A rating of an answer.
    Feedback(FeedbackRecord<'static>),
}

/// Reads the records of a log in order. The iterator yields the decision records;
/// [`next_log_line`](Self::next_log_line) returns ratings of answers as well.
///
/// Members that this version does not know are skipped, and members that were added to the format
/// later may be absent. A line that is not a record is an error; the next call goes on with the
/// line after it. After an error of the input there are no more records.
#[derive(Debug)]
pub struct RecordReader<R> {
    lines: LineReader<R>,
}

/// Reads the lines of a log that are not blank, without parsing them: [`LogLine::parse`] does, on any thread.
///
/// After an error of the input there are no more lines; a line that is too long is skipped.
#[derive(Debug)]
pub struct LineReader<R> {
    input: R,
    buffer: Vec<u8>,
    line: u64,
    ended: bool,
}

/// An error of one line.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct ReadError {
    /// Number of the line, counted from 1.
    pub line: u64,
    /// Cause.
    #[source]
    pub kind: ReadErrorKind,
}

/// Cause of a [`ReadError`].
#[derive(Debug, thiserror::Error)]
pub enum ReadErrorKind {
    /// The input failed.
    #[error("cannot read: {0}")]
    Io(#[from] io::Error),
    /// The line is not a record in JSON.
    #[error("not a decision record: {0}")]
    Json(#[from] serde_json::Error),
    /// The record has a format of a later version.
    #[error("the record has schema {0}, and this version reads schemas up to {SCHEMA}")]
    UnsupportedSchema(u32),
    /// The line is longer than 64 MiB.
    #[error("longer than {} MiB", MAX_LINE_BYTES >> 20)]
    TooLong,
}

/// The member that decides whether the rest can be understood.
#[derive(Deserialize)]
struct SchemaVersion {
    schema: u32,
}

impl RecordReader<Box<dyn BufRead + Send>> {
    /// Opens a file of a log, plain or compressed with zstd, whatever its name.
    ///
    /// # Errors
    /// Fails when the file cannot be opened, and for a compressed file if this crate was built
    /// without its feature `zstd`.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { lines: LineReader::open(path)? })
    }

    /// Reads a file from its current position.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn from_file(file: File) -> io::Result<Self> {
        Ok(Self { lines: LineReader::from_file(file)? })
    }
}

impl LineReader<Box<dyn BufRead + Send>> {
    /// Opens a file of a log, plain or compressed with zstd, whatever its name.
    ///
    /// # Errors
    /// As for [`RecordReader::open`].
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::from_file(File::open(path)?)
    }

    /// Reads a file from its current position.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn from_file(file: File) -> io::Result<Self> {
        let mut input = BufReader::new(file);
        let is_compressed = input.fill_buf()?.starts_with(&ZSTD_MAGIC);
        if is_compressed {
            return Ok(Self::new(decompress(input)?));
        }
        Ok(Self::new(Box::new(input)))
    }
}

#[cfg(feature = "zstd")]
fn decompress(input: BufReader<File>) -> io::Result<Box<dyn BufRead + Send>> {
    Ok(Box::new(BufReader::new(zstd::Decoder::with_buffer(input)?)))
}

#[cfg(not(feature = "zstd"))]
fn decompress(_: BufReader<File>) -> io::Result<Box<dyn BufRead + Send>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "the file is compressed with zstd"))
}

impl<R: BufRead> LineReader<R> {
    /// Creates a reader of lines.
    pub fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), line: 0, ended: false }
    }

    /// Reads the next line that is not blank, with its number, counted from 1; `None` at the end of the log.
    ///
    /// # Errors
    /// Fails if the line is too long, and if the input fails.
    pub fn next_line(&mut self) -> Option<Result<(u64, &[u8]), ReadError>> {
        if self.ended {
            return None;
        }
        match self.read_line() {
            Ok(true) => Some(Ok((self.line, &self.buffer))),
            Ok(false) => {
                self.ended = true;
                None
            }
            Err(kind) => {
                // A line that could not be read has not been counted.
                self.ended = matches!(kind, ReadErrorKind::Io(_));
                Some(Err(ReadError { line: self.line + u64::from(self.ended), kind }))
            }
        }
    }

    /// Reads the next line that is not blank into the buffer. Returns false at the end.
    fn read_line(&mut self) -> Result<bool, ReadErrorKind> {
        loop {
            self.buffer.clear();
            let mut input = self.input.by_ref().take(MAX_LINE_BYTES as u64 + 1);
            if input.read_until(b'\n', &mut self.buffer)? == 0 {
                return Ok(false);
            }
            self.line += 1;
            if self.buffer.len() > MAX_LINE_BYTES && self.buffer.last() != Some(&b'\n') {
                self.buffer = Vec::new();
                self.input.skip_until(b'\n')?;
                return Err(ReadErrorKind::TooLong);
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }
}

impl LogLine {
    /// Parses a line.
    ///
    /// # Errors
    /// Fails if it is not a record, or has a format of a later version.
    pub fn parse(line: &[u8]) -> Result<Self, ReadErrorKind> {
        if line.starts_with(FEEDBACK) {
            return Ok(Self::Feedback(serde_json::from_slice(line)?));
        }
        let record: serde_json::Result<DecisionRecord<'static>> = serde_json::from_slice(line);
        let schema = match &record {
            Ok(record) => record.schema,
            // A later format may be the reason that the line could not be read.
            Err(_) => serde_json::from_slice(line).map_or(SCHEMA, |SchemaVersion { schema }| schema),
        };
        if schema > SCHEMA {
            return Err(ReadErrorKind::UnsupportedSchema(schema));
        }
        Ok(Self::Decision(Box::new(record?)))
    }
}

impl<R: BufRead> RecordReader<R> {
    /// Creates a reader of JSON lines.
    pub fn new(input: R) -> Self {
        Self { lines: LineReader::new(input) }
    }

    /// Reads the next line, whatever it holds; `None` at the end of the log.
    ///
    /// # Errors
    /// Fails as the iterator does.
    pub fn next_log_line(&mut self) -> Option<Result<LogLine, ReadError>> {
        Some(match self.lines.next_line()? {
            Ok((line, bytes)) => LogLine::parse(bytes).map_err(|kind| ReadError { line, kind }),
            Err(error) => Err(error),
        })
    }
}

impl<R: BufRead> Iterator for RecordReader<R> {
    type Item = Result<DecisionRecord<'static>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.next_log_line()? {
                Ok(LogLine::Decision(record)) => return Some(Ok(*record)),
                Ok(LogLine::Feedback(_)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
