//! The thread that writes.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::Settings;
use super::counts::Counters;
use super::queue::{MANY, Queue};

/// How often what waits is written.
const PACE: Duration = Duration::from_millis(200);
/// How long a disk that failed is left alone.
const PAUSE: Duration = Duration::from_secs(1);
/// So long without a record left out, and the queue is well again.
const CALM: Duration = Duration::from_secs(10);
/// Most bytes that are written at once.
const PIECE: usize = 256 << 10;

/// Where files are made.
pub(super) trait LogDisk {
    /// A file.
    type File: LogFile;
    /// Begins a file.
    fn begin(&mut self, now: SystemTime) -> io::Result<Self::File>;
    /// The file that was begun last is not written to any more.
    fn ended(&mut self);
    /// Sees to it that so many bytes may be written.
    fn make_room(&mut self, bytes: u64) -> io::Result<()>;
}

/// A file that is only added to.
pub(super) trait LogFile: Write {
    /// Whether it still has a name, by which somebody could find it.
    fn is_there(&self) -> bool;
    /// Cuts off what is beyond so many bytes.
    fn cut(&mut self, bytes: u64) -> io::Result<()>;
}

/// Writes lines.
pub(super) struct Writer<D: LogDisk> {
    disk: D,
    settings: Settings,
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    /// What is written next.
    lines: Vec<u8>,
    /// Records that were taken from the queue and are neither written nor counted as
    /// dropped yet. A panic leaves them.
    taken: u64,
    file: Option<Open<D::File>>,
    /// Bytes written since it was seen to that there is room.
    unchecked: u64,
    /// When the disk is tried again, if it failed.
    failing: Option<Instant>,
    dropped: u64,
    calm_since: Instant,
}

/// The file that is being written.
struct Open<F> {
    file: F,
    bytes: u64,
    since: Instant,
}

impl<D: LogDisk> Writer<D> {
    pub(super) fn new(disk: D, settings: Settings, queue: Arc<Queue>, counters: Arc<Counters>) -> Self {
        Self {
            disk,
            settings,
            queue,
            counters,
            lines: Vec::new(),
            taken: 0,
            file: None,
            unchecked: u64::MAX,
            failing: None,
            dropped: 0,
            calm_since: Instant::now(),
        }
    }

    /// Writes until the queue is closed and empty. May be called again after a panic.
    pub(super) fn run(&mut self) {
        let lost = std::mem::take(&mut self.taken);
        self.counters.dropped_for_disk(lost);
        while self.turn(PACE) {}
        // The next start compresses it.
        self.end_file();
    }

    /// Writes what waits. Whether there may be more.
    pub(super) fn turn(&mut self, patience: Duration) -> bool {
        let mut lines = std::mem::take(&mut self.lines);
        let open = self.queue.take(&mut lines, patience);
        self.taken = count(&lines);
        let mut rest = lines.as_slice();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(end_of_piece(rest, self.piece()));
            self.flush(piece);
            rest = after;
        }
        lines.clear();
        // What it grew to while the disk was slow is not kept.
        lines.shrink_to(2 * MANY);
        self.lines = lines;
        let is_old = |file: &Open<_>| file.since.elapsed() >= self.settings.rotate_after;
        if self.file.as_ref().is_some_and(is_old) {
            self.end_file();
        }
        self.calm_down();
        open
    }

    fn piece(&self) -> usize {
        PIECE.min(usize::try_from(self.settings.rotate_size / 8).unwrap_or(PIECE))
    }

    /// Writes whole lines, or drops them: there is nobody who could wait.
    fn flush(&mut self, lines: &[u8]) {
        let (whole, error) = match self.failing {
            Some(until) if Instant::now() < until => (0, None),
            _ => self.try_write(lines),
        };
        let (written, dropped) = (count(&lines[..whole]), count(&lines[whole..]));
        self.taken = self.taken.saturating_sub(written + dropped);
        self.counters.wrote(written, whole as u64);
        self.counters.dropped_for_disk(dropped);
        self.dropped += dropped;
        match error {
            Some(error) => self.failed(&error),
            None if whole == lines.len() => self.succeeded(),
            None => {}
        }
    }

    /// Writes whole lines; how many bytes, and what went wrong, if anything.
    fn try_write(&mut self, buffer: &[u8]) -> (usize, Option<io::Error>) {
        match self.ready(buffer.len() as u64) {
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
        self.unchecked = self.unchecked.saturating_add(whole as u64);
        if error.is_some() && open.file.cut(open.bytes).is_err() {
            // With half a line at its end, which is left out when it is compressed.
            self.end_file();
        }
        (whole, error)
    }

    /// Sees to it that there is a file, and room for so many bytes.
    fn ready(&mut self, bytes: u64) -> io::Result<()> {
        let is_full = |open: &Open<D::File>| open.bytes > 0 && open.bytes + bytes > self.settings.rotate_size;
        if self.file.as_ref().is_some_and(|open| is_full(open) || !open.file.is_there()) {
            self.end_file();
        }
        if self.file.is_none() {
            let file = self.disk.begin(SystemTime::now())?;
            self.file = Some(Open { file, bytes: 0, since: Instant::now() });
            self.unchecked = u64::MAX;
        }
        let slack = self.settings.rotate_size / 4;
        if self.unchecked.saturating_add(bytes) > slack {
            self.disk.make_room(slack.max(bytes))?;
            self.unchecked = 0;
        }
        Ok(())
    }

    fn end_file(&mut self) {
        if self.file.take().is_some() {
            self.disk.ended();
        }
    }

    fn failed(&mut self, error: &io::Error) {
        if self.failing.replace(Instant::now() + PAUSE).is_none() {
            tracing::error!(
                directory = %self.settings.dir.display(),
                "the decision log cannot be written, records are left out and counted as `disk`: {error}"
            );
        }
    }

    fn succeeded(&mut self) {
        if self.failing.take().is_some() {
            let dropped = std::mem::take(&mut self.dropped);
            tracing::info!(dropped, "the decision log is written again");
        }
    }

    /// Notes when no record was left out for want of room in the queue.
    fn calm_down(&mut self) {
        let now = Instant::now();
        if self.counters.has_overflowed() {
            self.calm_since = now;
        } else if now.duration_since(self.calm_since) >= CALM {
            self.counters.calm();
        }
    }
}

/// Writes as much as can be: how much, and what stopped it.
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

/// Where to cut lines into two, so that the first piece is at most so long, or one
/// line where that is longer.
fn end_of_piece(lines: &[u8], most: usize) -> usize {
    let fits = &lines[..most.min(lines.len())];
    memchr::memrchr(b'\n', fits).or_else(|| memchr::memchr(b'\n', lines)).map_or(lines.len(), |end| end + 1)
}

/// How many lines there are.
fn count(lines: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', lines).count() as u64
}

#[cfg(test)]
mod tests;
