use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use pointsman_domain::outcome::RequestEnd;
use pointsman_record::LineEncoder;

use super::super::queue::MAX_BYTES;
use super::*;
use crate::sample::history;

/// A disk that fails as the test demands.
#[derive(Clone, Default)]
struct FakeDisk(Rc<RefCell<DiskState>>);

#[derive(Default)]
struct DiskState {
    files: Vec<Vec<u8>>,
    /// Bytes that may still be written.
    room: Option<usize>,
    /// True if no file can be created.
    gone: bool,
    /// True if no file can be truncated.
    uncuttable: bool,
    finished: usize,
    /// Most bytes that room was made for.
    requested_room: u64,
}

struct FakeFile {
    disk: FakeDisk,
    number: usize,
}

impl LogDisk for FakeDisk {
    type File = FakeFile;

    fn create_file(&mut self, _: SystemTime) -> io::Result<FakeFile> {
        let mut disk = self.0.borrow_mut();
        if disk.gone {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        disk.files.push(Vec::new());
        Ok(FakeFile { disk: self.clone(), number: disk.files.len() - 1 })
    }

    fn file_finished(&mut self) {
        self.0.borrow_mut().finished += 1;
    }

    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        disk.requested_room = disk.requested_room.max(bytes);
        Ok(())
    }
}

impl Write for FakeFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let mut disk = self.disk.0.borrow_mut();
        let most = disk.room.unwrap_or(buffer.len()).min(buffer.len());
        if most == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        disk.room = disk.room.map(|room| room - most);
        disk.files[self.number].extend_from_slice(&buffer[..most]);
        Ok(most)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LogFile for FakeFile {
    fn exists(&self) -> bool {
        !self.disk.0.borrow().gone
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        let mut disk = self.disk.0.borrow_mut();
        if disk.uncuttable {
            return Err(io::ErrorKind::StorageFull.into());
        }
        disk.files[self.number].truncate(bytes as usize);
        Ok(())
    }
}

struct Setup {
    disk: FakeDisk,
    queue: Arc<RecordQueue>,
    counters: Arc<LogCounters>,
    writer: LogWriter<FakeDisk>,
}

fn setup(rotate_size: u64) -> Setup {
    let (disk, queue, counters) =
        (FakeDisk::default(), Arc::new(RecordQueue::default()), Arc::new(LogCounters::default()));
    let settings = DecisionLogSettings {
        dir: PathBuf::new(),
        rotate_size,
        rotate_after: Duration::from_secs(3_600),
        max_size: 1 << 30,
        sample: 1.0,
        content: None,
        outputs: false,
    };
    let writer = LogWriter::new(disk.clone(), settings, Arc::clone(&queue), Arc::clone(&counters));
    Setup { disk, queue, counters, writer }
}

fn line(number: u64) -> Vec<u8> {
    LineEncoder::default().encode(&history(number, "llama-7b", RequestEnd::Answered), None, None).to_vec()
}

impl Setup {
    /// Queues the lines of some requests and writes them.
    fn end(&mut self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            assert!(self.queue.push(&line(number)), "there is room in the queue");
        }
        self.writer.write_queued(Duration::ZERO);
    }

    /// Ends the pause after a failure.
    fn end_pause(&mut self) {
        self.writer.retry_at = self.writer.retry_at.map(|_| Instant::now());
    }

    /// Returns the ids in all files, file by file. Panics if a line is not a record.
    fn ids(&self) -> Vec<Vec<u64>> {
        let id = |line: &[u8]| {
            let record: serde_json::Value = serde_json::from_slice(line).expect("a whole line");
            record["id"].as_str().expect("an id").trim_start_matches("id-").parse().expect("a number")
        };
        let lines = |file: &Vec<u8>| {
            assert!(file.is_empty() || file.ends_with(b"\n"), "the last line is whole");
            file.split_inclusive(|&byte| byte == b'\n').map(id).collect()
        };
        self.disk.0.borrow().files.iter().map(lines).collect()
    }
}

#[test]
fn queued_lines_are_written_in_order() {
    let mut setup = setup(1 << 20);
    setup.end(0..3);
    setup.end(3..5);
    assert_eq!(setup.ids(), [[0, 1, 2, 3, 4]]);
    let counts = setup.counters.read();
    let bytes = setup.disk.0.borrow().files[0].len() as u64;
    assert_eq!((counts.written, counts.bytes, counts.dropped_disk), (5, bytes, 0));
}

#[test]
fn a_full_file_is_followed_by_another_and_no_record_is_split() {
    let mut setup = setup(5_000);
    for number in 0..60 {
        setup.end(number * 3..number * 3 + 3);
    }
    let ids = setup.ids();
    assert!(ids.len() > 10, "{} files", ids.len());
    assert_eq!(ids.concat(), (0..180).collect::<Vec<u64>>());
    let disk = setup.disk.0.borrow();
    assert!(disk.files.iter().all(|file| file.len() <= 5_000));
    assert_eq!(disk.finished, ids.len() - 1);
}

#[test]
fn a_batch_longer_than_a_file_is_split() {
    let mut setup = setup(5_000);
    setup.end(0..1_000);
    assert_eq!(setup.ids().concat(), (0..1_000).collect::<Vec<u64>>());
    assert!(setup.disk.0.borrow().files.iter().all(|file| file.len() <= 5_000));
}

#[test]
fn an_old_file_is_finished_although_it_is_short() {
    let mut setup = setup(1 << 20);
    setup.writer.settings.rotate_after = Duration::ZERO;
    setup.end(0..1);
    assert_eq!(setup.disk.0.borrow().finished, 1);
    setup.end(1..1);
    assert_eq!(setup.disk.0.borrow().files.len(), 1, "an empty file is not created");
    setup.end(1..2);
    assert_eq!(setup.ids(), [[0], [1]]);
}

#[test]
fn a_full_disk_drops_the_records_that_do_not_fit_and_leaves_no_incomplete_line() {
    let mut setup = setup(1 << 20);
    setup.end(0..2);
    let line = setup.disk.0.borrow().files[0].len() / 2;
    setup.disk.0.borrow_mut().room = Some(line * 3 / 2);
    setup.end(2..5);
    assert_eq!(setup.ids(), [[0, 1, 2]]);
    let counts = setup.counters.read();
    assert_eq!((counts.written, counts.dropped_disk), (3, 2));

    // No attempt is made during the pause, even if the disk has recovered.
    setup.disk.0.borrow_mut().room = None;
    setup.end(5..7);
    assert_eq!(setup.counters.read().dropped_disk, 4);
    setup.end_pause();
    setup.end(7..9);
    assert_eq!(setup.ids(), [[0, 1, 2, 7, 8]]);
    assert_eq!(setup.counters.read().dropped_disk, 4);
    assert_eq!(setup.counters.read().bytes, setup.disk.0.borrow().files[0].len() as u64);
}

#[test]
fn an_incomplete_line_that_cannot_be_cut_off_is_the_last_of_its_file() {
    let mut setup = setup(1 << 20);
    setup.end(0..1);
    {
        let mut disk = setup.disk.0.borrow_mut();
        (disk.room, disk.uncuttable) = (Some(10), true);
    }
    setup.end(1..2);
    setup.disk.0.borrow_mut().room = None;
    setup.end_pause();
    setup.end(2..3);
    let disk = setup.disk.0.borrow();
    assert_eq!((disk.files.len(), disk.finished), (2, 1));
    assert!(!disk.files[0].ends_with(b"\n") && disk.files[1].ends_with(b"\n"));
}

#[test]
fn writing_resumes_when_files_can_be_created_again() {
    let mut setup = setup(1 << 20);
    setup.end(0..1);
    setup.disk.0.borrow_mut().gone = true;
    setup.end(1..2);
    setup.end_pause();
    setup.end(2..3);
    assert_eq!(setup.counters.read().dropped_disk, 2);
    setup.disk.0.borrow_mut().gone = false;
    setup.end_pause();
    setup.end(3..4);
    assert_eq!(setup.ids(), [[0], [3]]);
}

#[test]
fn room_is_made_before_it_is_used() {
    let mut setup = setup(4_000);
    setup.end(0..100);
    assert!(setup.disk.0.borrow().requested_room >= 1_000);
}

#[test]
fn queued_lines_are_written_after_the_end_and_none_is_added() {
    let mut setup = setup(1 << 20);
    assert!(setup.queue.push(&line(0)));
    setup.queue.close();
    assert!(!setup.queue.push(&line(1)));
    assert!(!setup.writer.write_queued(Duration::from_secs(60)));
    assert_eq!(setup.ids(), [[0]]);
}

#[test]
fn a_full_queue_rejects_lines_until_it_was_emptied() {
    let mut setup = setup(1 << 30);
    let line = line(7);
    assert_eq!((0..MAX_BYTES).filter(|_| setup.queue.push(&line)).count(), MAX_BYTES / line.len());
    setup.writer.write_queued(Duration::ZERO);
    assert_eq!(setup.counters.read().written as usize, MAX_BYTES / line.len());
    assert!(setup.queue.push(&line));
    assert!(setup.writer.lines.capacity() <= 2 * WAKE_BYTES, "the capacity is released");
}

#[test]
fn many_lines_wake_the_writer_early() {
    let setup = setup(1 << 30);
    let line = line(7);
    std::thread::scope(|scope| {
        let queue = &setup.queue;
        let writer = scope.spawn(move || {
            let mut taken = Vec::new();
            queue.take(&mut taken, Duration::from_secs(3_600));
            taken.len()
        });
        let mut pushed = 0;
        while pushed < WAKE_BYTES {
            assert!(queue.push(&line));
            pushed += line.len();
        }
        assert_eq!(writer.join().expect("no panic"), pushed);
    });
}

#[test]
fn chunks_end_at_line_ends() {
    assert_eq!(chunk_end(b"ab\ncd\nef\n", 7), 6);
    assert_eq!(chunk_end(b"ab\ncd\nef\n", 6), 6);
    assert_eq!(chunk_end(b"abcdef\ngh\n", 3), 7, "a line that is too long goes alone");
    assert_eq!(chunk_end(b"ab\n", 100), 3);
}
