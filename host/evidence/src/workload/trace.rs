//! Traces: arrivals and lengths of requests, in the formats in which they are published.

mod csv;
mod log;
mod mooncake;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::request::RequestFacts;
use pointsman_evaluation::simulation::QuantileSketch;
use pointsman_terminal::CommandError;

/// Most requests of a trace.
const MAX_ENTRIES: usize = 4_000_000;
/// Longest line of a trace that is no decision log, in bytes.
const MAX_LINE_BYTES: u64 = 1 << 20;
/// Bytes from which the format is recognised.
const HEAD: usize = 4_096;
/// First bytes of a file in the format of zstd, as old decision logs have it.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Longest part of a line that an error shows, in characters.
const SHOWN: usize = 100;

/// Requests of a trace in the order of their arrival.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Name of the file.
    pub name: String,
    /// Requests; at least one.
    pub entries: Vec<TraceEntry>,
    /// Figures that a decision log recorded.
    pub recorded: Option<Recorded>,
}

/// Request of a trace.
#[derive(Clone, Debug)]
pub struct TraceEntry {
    /// Arrival, counted from the first one.
    pub at: Duration,
    /// Tokens of the input.
    pub input_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
    /// Hashes of the blocks of the prompt, if they are known.
    pub prefix: Arc<[u64]>,
    /// Facts that a decision log recorded.
    pub facts: Option<Arc<RequestFacts>>,
}

/// Figures of a decision log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    /// Requests that were answered.
    pub answered: u64,
    /// Other requests.
    pub failed: u64,
    /// Cost of all requests, in US dollars.
    pub cost_usd: f64,
    /// Latencies of answered requests.
    pub latency: QuantileSketch,
    /// Times to the first token.
    pub first_token: QuantileSketch,
    /// Records that are no request of the trace, because they have no outcome.
    pub left_out: u64,
}

impl Trace {
    /// Reads a trace, whose format is recognised by its content.
    ///
    /// # Errors
    /// Fails with exit status 2 and the place of the fault.
    pub fn read(path: &Path) -> Result<Self, CommandError> {
        let name = path.display().to_string();
        let unreadable =
            |error: std::io::Error| CommandError::Input(format!("error: cannot read {name}: {error}"));
        let mut input = BufReader::with_capacity(1 << 16, File::open(path).map_err(unreadable)?);
        let head = input.fill_buf().map_err(unreadable)?;
        let head = String::from_utf8_lossy(&head[..head.len().min(HEAD)]).into_owned();
        let is_zstd = head.as_bytes().starts_with(&ZSTD_MAGIC) || starts_with_zstd(&mut input);
        let first = head.trim_start().lines().next().unwrap_or_default();
        let (mut entries, recorded) = if is_zstd || (first.starts_with('{') && first.contains("\"schema\"")) {
            let (entries, recorded) = log::read(path)?;
            (entries, Some(recorded))
        } else if first.starts_with('{') {
            (mooncake::read(Lines::new(input, &name))?, None)
        } else if first.split(',').next().is_some_and(|title| title.trim() == csv::FIRST_TITLE) {
            (csv::read(Lines::new(input, &name))?, None)
        } else {
            return Err(CommandError::Input(format!(
                "error: {name} is no trace\n  = hint: a trace is CSV with the titles {}, JSON lines with timestamp, \
                 input_length and output_length, or a decision log",
                csv::TITLES
            )));
        };
        if entries.is_empty() {
            return Err(CommandError::Input(format!("error: {name} has no requests")));
        }
        entries.sort_by_key(|entry| entry.at);
        let start = entries.first().map_or(Duration::ZERO, |first| first.at);
        for entry in &mut entries {
            entry.at -= start;
        }
        Ok(Self { name, entries, recorded })
    }

    /// Returns the time from one repetition to the next: the time to the last arrival, and a mean time
    /// between arrivals.
    pub(super) fn period(&self) -> Duration {
        let last = self.entries.last().map_or(Duration::ZERO, |last| last.at);
        let gaps = u32::try_from(self.entries.len().saturating_sub(1)).unwrap_or(u32::MAX);
        last + last.checked_div(gaps).unwrap_or(Duration::from_secs(1))
    }
}

fn starts_with_zstd(input: &mut impl BufRead) -> bool {
    input.fill_buf().is_ok_and(|head| head.starts_with(&ZSTD_MAGIC))
}

/// Lines of a trace, with their numbers.
struct Lines<'n, R> {
    input: R,
    name: &'n str,
    number: u64,
    line: String,
}

impl<'n, R: BufRead> Lines<'n, R> {
    fn new(input: R, name: &'n str) -> Self {
        Self { input, name, number: 0, line: String::new() }
    }

    /// Reads the next line that is not blank; false at the end.
    fn advance(&mut self) -> Result<bool, CommandError> {
        loop {
            self.number += 1;
            self.line.clear();
            let mut input = (&mut self.input).take(MAX_LINE_BYTES + 1);
            let read =
                input.read_line(&mut self.line).map_err(|error| self.fault(None, &error.to_string()))?;
            if read == 0 {
                return Ok(false);
            }
            if self.line.len() as u64 > MAX_LINE_BYTES {
                return Err(self.fault(None, "the line is longer than 1 MiB"));
            }
            if !self.line.trim().is_empty() {
                self.line.truncate(self.line.trim_end().len());
                return Ok(true);
            }
        }
    }

    /// Fails if there are too many requests.
    fn check_room(&self, entries: &[TraceEntry]) -> Result<(), CommandError> {
        if entries.len() < MAX_ENTRIES {
            return Ok(());
        }
        Err(self.fault(None, &format!("the trace has more than {MAX_ENTRIES} requests")))
    }

    /// Returns the error of a part of the line, which is `length` characters from `column` on, from 0.
    fn fault(&self, part: Option<(usize, usize)>, reason: &str) -> CommandError {
        let (name, number) = (self.name, self.number);
        let Some((column, length)) = part else {
            return CommandError::Input(format!("error: {name}:{number}: {reason}"));
        };
        let skipped = column.saturating_sub(SHOWN / 2);
        let text: String = self.line.chars().skip(skipped).take(SHOWN).collect();
        let (line, margin) = (number.to_string(), " ".repeat(number.to_string().len()));
        let caret = format!("{}{}", " ".repeat(column - skipped), "^".repeat(length.clamp(1, SHOWN)));
        CommandError::Input(format!(
            "error: {reason}\n {margin}--> {name}:{line}:{}\n {margin} |\n {line} | {}\n {margin} | {caret}",
            column + 1,
            pointsman_terminal::printable::text(&text)
        ))
    }
}

#[cfg(test)]
mod tests;
