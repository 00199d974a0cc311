//! Writing of lines to files.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::DecisionLogSettings;
use super::counts::LogCounters;
use super::queue::{RecordQueue, WAKE_BYTES};

/// Interval at which queued lines are written.
const WRITE_INTERVAL: Duration = Duration::from_millis(200);
/// Pause after a failure of the disk.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Time without a dropped record after which the queue counts as recovered.
const OVERFLOW_END: Duration = Duration::from_secs(10);
/// Most bytes of one write.
const MAX_CHUNK_BYTES: usize = 256 << 10;

/// Destination of log files.
pub(super) trait LogDisk {
    /// Type of its files.
    type File: LogFile;
    /// Creates the next file.
    fn create_file(&mut self, now: SystemTime) -> io::Result<Self::File>;
    /// Reports that the last created file is complete.
    fn file_finished(&mut self);
    /// Makes room for `bytes` more within the size limit.
    fn make_room(&mut self, bytes: u64) -> io::Result<()>;
}

/// A file that is appended to.
pub(super) trait LogFile: Write {
    /// Returns whether the file still has a name in a directory.
    fn exists(&self) -> bool;
    /// Truncates the file to `bytes`.
    fn truncate(&mut self, bytes: u64) -> io::Result<()>;
}

/// Writer of queued lines.
pub(super) struct LogWriter<D: LogDisk> {
    disk: D,
    settings: DecisionLogSettings,
    queue: Arc<RecordQueue>,
    counters: Arc<LogCounters>,
    /// Buffer for lines from the queue.
    lines: Vec<u8>,
    /// Records that were taken from the queue and are neither written nor counted as dropped yet. Not
    /// zero at the start of `run` after a panic.
    taken: u64,
    file: Option<OpenFile<D::File>>,
    /// Bytes written since room was made the last time.
    since_room_made: u64,
    /// Time of the next attempt after a failure of the disk.
    retry_at: Option<Instant>,
    /// Records dropped since the disk failed.
    dropped: u64,
    last_overflow: Instant,
}

/// File that is being written.
struct OpenFile<F> {
    file: F,
    bytes: u64,
    created: Instant,
}

impl<D: LogDisk> LogWriter<D> {
    pub(super) fn new(
        disk: D,
        settings: DecisionLogSettings,
        queue: Arc<RecordQueue>,
        counters: Arc<LogCounters>,
    ) -> Self {
        Self {
            disk,
            settings,
            queue,
            counters,
            lines: Vec::new(),
            taken: 0,
            file: None,
            since_room_made: u64::MAX,
            retry_at: None,
            dropped: 0,
            last_overflow: Instant::now(),
        }
    }

    /// Writes until the queue is closed and empty. May be called again after a panic.
    pub(super) fn run(&mut self) {
        let lost = std::mem::take(&mut self.taken);
        self.counters.add_dropped_for_disk(lost);
        while self.write_queued(WRITE_INTERVAL) {}
        // The next process compresses it.
        self.finish_file();
    }

    /// Waits for lines for at most `timeout`, and writes them. Returns false once the queue is closed.
    pub(super) fn write_queued(&mut self, timeout: Duration) -> bool {
        let mut lines = std::mem::take(&mut self.lines);
        let open = self.queue.take(&mut lines, timeout);
        self.taken = count(&lines);
        let mut rest = lines.as_slice();
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(chunk_end(rest, self.max_chunk()));
            self.write_chunk(chunk);
            rest = after;
        }
        lines.clear();
        // A capacity that the buffer reached while the disk was slow is released.
        lines.shrink_to(2 * WAKE_BYTES);
        self.lines = lines;
        let is_old = |file: &OpenFile<_>| file.created.elapsed() >= self.settings.rotate_after;
        if self.file.as_ref().is_some_and(is_old) {
            self.finish_file();
        }
        self.check_overflow();
        open
    }

    fn max_chunk(&self) -> usize {
        MAX_CHUNK_BYTES.min(usize::try_from(self.settings.rotate_size / 8).unwrap_or(MAX_CHUNK_BYTES))
    }

    /// Writes whole lines, and drops those that cannot be written.
    fn write_chunk(&mut self, lines: &[u8]) {
        let (whole, error) = match self.retry_at {
            Some(until) if Instant::now() < until => (0, None),
            _ => self.try_write(lines),
        };
        let (written, dropped) = (count(&lines[..whole]), count(&lines[whole..]));
        self.taken = self.taken.saturating_sub(written + dropped);
        self.counters.add_written(written, whole as u64);
        self.counters.add_dropped_for_disk(dropped);
        self.dropped += dropped;
        match error {
            Some(error) => self.record_failure(&error),
            None if whole == lines.len() => self.record_success(),
            None => {}
        }
    }

    /// Writes whole lines. Returns the number of bytes of those that were written, and the error that
    /// stopped it.
    fn try_write(&mut self, buffer: &[u8]) -> (usize, Option<io::Error>) {
        match self.prepare(buffer.len() as u64) {
            Ok(()) => {}
            Err(error) => return (0, Some(error)),
        }
        let Some(open) = &mut self.file else { return (0, None) };
        let (written, error) = write_all(&mut open.file, buffer);
        let whole = match error {
            None => written,
            Some(_) => buffer[..written].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1),
        };
        open.bytes += whole as u64;
        self.since_room_made = self.since_room_made.saturating_add(whole as u64);
        if error.is_some() && open.file.truncate(open.bytes).is_err() {
            // The file ends with an incomplete line, which compression leaves out.
            self.finish_file();
        }
        (whole, error)
    }

    /// Ensures that a file is open and that `bytes` fit into it and within the size limit.
    fn prepare(&mut self, bytes: u64) -> io::Result<()> {
        let is_full =
            |open: &OpenFile<D::File>| open.bytes > 0 && open.bytes + bytes > self.settings.rotate_size;
        if self.file.as_ref().is_some_and(|open| is_full(open) || !open.file.exists()) {
            self.finish_file();
        }
        if self.file.is_none() {
            let file = self.disk.create_file(SystemTime::now())?;
            self.file = Some(OpenFile { file, bytes: 0, created: Instant::now() });
            self.since_room_made = u64::MAX;
        }
        let slack = self.settings.rotate_size / 4;
        if self.since_room_made.saturating_add(bytes) > slack {
            self.disk.make_room(slack.max(bytes))?;
            self.since_room_made = 0;
        }
        Ok(())
    }

    fn finish_file(&mut self) {
        if self.file.take().is_some() {
            self.disk.file_finished();
        }
    }

    fn record_failure(&mut self, error: &io::Error) {
        if self.retry_at.replace(Instant::now() + RETRY_AFTER).is_none() {
            tracing::error!(
                directory = %self.settings.dir.display(),
                "the decision log cannot be written, records are dropped and counted as `disk`: {error}"
            );
        }
    }

    fn record_success(&mut self) {
        if self.retry_at.take().is_some() {
            let dropped = std::mem::take(&mut self.dropped);
            tracing::info!(dropped, "the decision log is written again");
        }
    }

    /// Detects that the queue has not been full for a while.
    fn check_overflow(&mut self) {
        let now = Instant::now();
        if self.counters.take_overflow() {
            self.last_overflow = now;
        } else if now.duration_since(self.last_overflow) >= OVERFLOW_END {
            self.counters.end_overflow();
        }
    }
}

/// Writes as much of a buffer as possible. Returns the number of bytes, and the error that stopped it.
fn write_all(file: &mut impl Write, buffer: &[u8]) -> (usize, Option<io::Error>) {
    let mut written = 0;
    while written < buffer.len() {
        match file.write(&buffer[written..]) {
            Ok(0) => return (written, Some(io::ErrorKind::WriteZero.into())),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Some(error)),
        }
    }
    (written, None)
}

/// Returns the end of the last line that ends within `max` bytes, or else the end of the first line.
fn chunk_end(lines: &[u8], max: usize) -> usize {
    let fits = &lines[..max.min(lines.len())];
    memchr::memrchr(b'\n', fits).or_else(|| memchr::memchr(b'\n', lines)).map_or(lines.len(), |end| end + 1)
}

/// Counts lines.
fn count(lines: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', lines).count() as u64
}

#[cfg(test)]
mod tests;
