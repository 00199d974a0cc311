//! Writes queued lines to standard error.

use std::io::{self, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::queue::{LineQueue, MAX_BYTES};

/// Wait before another attempt where standard error does not block and is full.
const RETRY: Duration = Duration::from_millis(10);
/// Most bytes of a buffer that is kept after a burst.
const MAX_IDLE_BUFFER: usize = MAX_BYTES / 16;

/// The only writer of log lines. It may block or fail; nobody waits for it.
pub(super) struct LineWriter<W> {
    queue: Arc<LineQueue>,
    output: W,
    /// Lines that are being written.
    batch: Vec<u8>,
    /// True if the output ends in a part of a line.
    is_torn: bool,
    /// Dropped lines that were reported.
    reported: u64,
}

impl<W: Write> LineWriter<W> {
    pub(super) fn new(queue: Arc<LineQueue>, output: W) -> Self {
        Self { queue, output, batch: Vec::new(), is_torn: false, reported: 0 }
    }

    /// Waits for lines and writes them, or counts those that cannot be written.
    pub(super) fn write_next(&mut self) {
        self.batch.clear();
        self.batch.shrink_to(MAX_IDLE_BUFFER);
        self.queue.take(&mut self.batch);
        let written = self.write_batch();
        if written < self.batch.len() {
            self.queue.count_dropped(&self.batch[written..]);
            return;
        }
        let dropped = self.queue.dropped();
        if dropped > self.reported {
            self.reported = dropped;
            // Through the queue like any other line, which has room again.
            tracing::error!(
                dropped,
                "log lines were dropped: standard error is slow, full or closed; `dropped` counts since the start"
            );
        }
    }

    /// Returns how many bytes were written before the output failed.
    fn write_batch(&mut self) -> usize {
        if self.is_torn && write_all(&mut self.output, b"\n") == 0 {
            return 0;
        }
        let written = write_all(&mut self.output, &self.batch);
        self.is_torn = written > 0 && !self.batch[..written].ends_with(b"\n");
        written
    }
}

/// Writes as much as the output takes. Waits where it is full and does not block.
fn write_all(output: &mut impl Write, bytes: &[u8]) -> usize {
    let mut written = 0;
    while written < bytes.len() {
        match output.write(&bytes[written..]) {
            Ok(0) => break,
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::park_timeout(RETRY),
            Err(_) => break,
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Takes a scripted number of bytes of each write, or fails.
    #[derive(Default)]
    struct Scripted {
        script: VecDeque<Result<usize, io::ErrorKind>>,
        written: Vec<u8>,
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let most = self.script.pop_front().unwrap_or(Ok(usize::MAX))?;
            let taken = &bytes[..most.min(bytes.len())];
            self.written.extend_from_slice(taken);
            Ok(taken.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Output for two batches of two lines, and the number of dropped lines.
    fn write(script: &[Result<usize, io::ErrorKind>]) -> (String, u64) {
        let output = Scripted { script: script.iter().copied().collect(), ..Scripted::default() };
        let queue = Arc::new(LineQueue::default());
        let mut writer = LineWriter::new(Arc::clone(&queue), output);
        for batch in ["one\ntwo\n", "three\nfour\n"] {
            queue.push(batch.as_bytes());
            writer.write_next();
        }
        (String::from_utf8(writer.output.written).unwrap(), queue.dropped())
    }

    #[test]
    fn an_output_that_fails_costs_the_lines_that_it_did_not_take() {
        use io::ErrorKind::{BrokenPipe, Interrupted, StorageFull, WouldBlock};
        for (script, written, dropped) in [
            (vec![], "one\ntwo\nthree\nfour\n", 0),
            (vec![Err(Interrupted), Err(WouldBlock), Ok(3), Ok(1)], "one\ntwo\nthree\nfour\n", 0),
            (vec![Err(BrokenPipe)], "three\nfour\n", 2),
            (vec![Ok(0)], "three\nfour\n", 2),
            (vec![Err(BrokenPipe), Err(BrokenPipe)], "", 4),
            // A line that was cut off ends before the next one begins.
            (vec![Ok(6), Err(StorageFull)], "one\ntw\nthree\nfour\n", 1),
            (vec![Ok(6), Err(StorageFull), Err(StorageFull)], "one\ntw", 3),
            (vec![Ok(4), Err(StorageFull)], "one\nthree\nfour\n", 1),
        ] {
            assert_eq!(write(&script), (written.to_owned(), dropped), "{script:?}");
        }
    }
}
