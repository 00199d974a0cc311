//! Writing of logs.

use std::io::{self, Write};

use crate::record::DecisionRecord;

/// Writes records as JSON lines. Records that were made from histories are written faster by
/// [`LineEncoder`](crate::LineEncoder).
#[derive(Debug)]
pub struct RecordWriter<W> {
    output: W,
    line: Vec<u8>,
}

impl<W: Write> RecordWriter<W> {
    /// Creates a writer, which writes each record with one call.
    pub fn new(output: W) -> Self {
        Self { output, line: Vec::new() }
    }

    /// Writes one record.
    ///
    /// # Errors
    /// Fails when the output does. A part of the line may have been written then.
    pub fn write(&mut self, record: &DecisionRecord<'_>) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, record)?;
        self.line.push(b'\n');
        self.output.write_all(&self.line)
    }

    /// Returns the output.
    pub fn into_inner(self) -> W {
        self.output
    }
}
