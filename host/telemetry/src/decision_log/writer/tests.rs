use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use pointsman_domain::outcome::RequestEnd;

use super::super::lines::Lines;
use super::super::queue::MOST;
use super::*;
use crate::sample::history;

/// A disk that does what the test says.
#[derive(Clone, Default)]
struct Fake(Rc<RefCell<Disk>>);

#[derive(Default)]
struct Disk {
    files: Vec<Vec<u8>>,
    /// Bytes that may still be written.
    room: Option<usize>,
    /// Whether files can be made.
    gone: bool,
    /// Whether a file can be cut after a write that failed.
    uncuttable: bool,
    ended: usize,
    /// The most that room was made for.
    asked_room: u64,
}

struct FakeFile {
    disk: Fake,
    number: usize,
}

impl LogDisk for Fake {
    type File = FakeFile;

    fn begin(&mut self, _: SystemTime) -> io::Result<FakeFile> {
        let mut disk = self.0.borrow_mut();
        if disk.gone {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        disk.files.push(Vec::new());
        Ok(FakeFile { disk: self.clone(), number: disk.files.len() - 1 })
    }

    fn ended(&mut self) {
        self.0.borrow_mut().ended += 1;
    }

    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        let mut disk = self.0.borrow_mut();
        disk.asked_room = disk.asked_room.max(bytes);
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
    fn is_there(&self) -> bool {
        !self.disk.0.borrow().gone
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        let mut disk = self.disk.0.borrow_mut();
        if disk.uncuttable {
            return Err(io::ErrorKind::StorageFull.into());
        }
        disk.files[self.number].truncate(bytes as usize);
        Ok(())
    }
}

struct Setup {
    disk: Fake,
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    writer: Writer<Fake>,
}

fn setup(rotate_size: u64) -> Setup {
    let (disk, queue, counters) =
        (Fake::default(), Arc::new(Queue::default()), Arc::new(Counters::default()));
    let settings = Settings {
        dir: PathBuf::new(),
        rotate_size,
        rotate_after: Duration::from_secs(3_600),
        max_size: 1 << 30,
        sample: 1.0,
        content: None,
    };
    let writer = Writer::new(disk.clone(), settings, Arc::clone(&queue), Arc::clone(&counters));
    Setup { disk, queue, counters, writer }
}

fn line(number: u64) -> Vec<u8> {
    Lines::default().line(&history(number, "llama-7b", RequestEnd::Answered), None, None).to_vec()
}

impl Setup {
    /// So many requests end, and what waits is written.
    fn end(&mut self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            assert!(self.queue.push(&line(number)), "there is room in the queue");
        }
        self.writer.turn(Duration::ZERO);
    }

    /// The pause after a failure is over.
    fn pause_is_over(&mut self) {
        self.writer.failing = self.writer.failing.map(|_| Instant::now());
    }

    /// The ids in all files, file by file. Panics where a line is none.
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
fn what_waits_is_written_in_order() {
    let mut setup = setup(1 << 20);
    setup.end(0..3);
    setup.end(3..5);
    assert_eq!(setup.ids(), [[0, 1, 2, 3, 4]]);
    let counts = setup.counters.read();
    let bytes = setup.disk.0.borrow().files[0].len() as u64;
    assert_eq!((counts.written, counts.bytes, counts.dropped_disk), (5, bytes, 0));
}

#[test]
fn a_file_that_would_be_too_long_is_followed_by_another_and_no_record_is_in_two() {
    let mut setup = setup(5_000);
    for number in 0..60 {
        setup.end(number * 3..number * 3 + 3);
    }
    let ids = setup.ids();
    assert!(ids.len() > 10, "{} files", ids.len());
    assert_eq!(ids.concat(), (0..180).collect::<Vec<u64>>());
    let disk = setup.disk.0.borrow();
    assert!(disk.files.iter().all(|file| file.len() <= 5_000));
    assert_eq!(disk.ended, ids.len() - 1);
}

#[test]
fn a_batch_that_is_longer_than_a_file_is_split() {
    let mut setup = setup(5_000);
    setup.end(0..1_000);
    assert_eq!(setup.ids().concat(), (0..1_000).collect::<Vec<u64>>());
    assert!(setup.disk.0.borrow().files.iter().all(|file| file.len() <= 5_000));
}

#[test]
fn an_old_file_is_ended_though_it_is_short() {
    let mut setup = setup(1 << 20);
    setup.writer.settings.rotate_after = Duration::ZERO;
    setup.end(0..1);
    assert_eq!(setup.disk.0.borrow().ended, 1);
    setup.end(1..1);
    assert_eq!(setup.disk.0.borrow().files.len(), 1, "an empty file is not begun");
    setup.end(1..2);
    assert_eq!(setup.ids(), [[0], [1]]);
}

#[test]
fn a_full_disk_costs_the_records_that_do_not_fit_and_leaves_no_half_line() {
    let mut setup = setup(1 << 20);
    setup.end(0..2);
    let line = setup.disk.0.borrow().files[0].len() / 2;
    setup.disk.0.borrow_mut().room = Some(line * 3 / 2);
    setup.end(2..5);
    assert_eq!(setup.ids(), [[0, 1, 2]]);
    let counts = setup.counters.read();
    assert_eq!((counts.written, counts.dropped_disk), (3, 2));

    // It is left alone for a while, even if it were well again.
    setup.disk.0.borrow_mut().room = None;
    setup.end(5..7);
    assert_eq!(setup.counters.read().dropped_disk, 4);
    setup.pause_is_over();
    setup.end(7..9);
    assert_eq!(setup.ids(), [[0, 1, 2, 7, 8]]);
    assert_eq!(setup.counters.read().dropped_disk, 4);
    assert_eq!(setup.counters.read().bytes, setup.disk.0.borrow().files[0].len() as u64);
}

#[test]
fn a_half_line_that_cannot_be_cut_off_is_the_last_of_its_file() {
    let mut setup = setup(1 << 20);
    setup.end(0..1);
    {
        let mut disk = setup.disk.0.borrow_mut();
        (disk.room, disk.uncuttable) = (Some(10), true);
    }
    setup.end(1..2);
    setup.disk.0.borrow_mut().room = None;
    setup.pause_is_over();
    setup.end(2..3);
    let disk = setup.disk.0.borrow();
    assert_eq!((disk.files.len(), disk.ended), (2, 1));
    assert!(!disk.files[0].ends_with(b"\n") && disk.files[1].ends_with(b"\n"));
}

#[test]
fn a_directory_that_is_gone_is_made_again_when_it_can_be() {
    let mut setup = setup(1 << 20);
    setup.end(0..1);
    setup.disk.0.borrow_mut().gone = true;
    setup.end(1..2);
    setup.pause_is_over();
    setup.end(2..3);
    assert_eq!(setup.counters.read().dropped_disk, 2);
    setup.disk.0.borrow_mut().gone = false;
    setup.pause_is_over();
    setup.end(3..4);
    assert_eq!(setup.ids(), [[0], [3]]);
}

#[test]
fn room_is_made_before_it_is_used() {
    let mut setup = setup(4_000);
    setup.end(0..100);
    assert!(setup.disk.0.borrow().asked_room >= 1_000);
}

#[test]
fn what_waits_is_written_after_the_end_and_nothing_is_taken_in() {
    let mut setup = setup(1 << 20);
    assert!(setup.queue.push(&line(0)));
    setup.queue.close();
    assert!(!setup.queue.push(&line(1)));
    assert!(!setup.writer.turn(Duration::from_secs(60)));
    assert_eq!(setup.ids(), [[0]]);
}

#[test]
fn a_queue_that_is_full_refuses_and_has_room_again_when_it_was_emptied() {
    let mut setup = setup(1 << 30);
    let line = line(7);
    assert_eq!((0..MOST).filter(|_| setup.queue.push(&line)).count(), MOST / line.len());
    setup.writer.turn(Duration::ZERO);
    assert_eq!(setup.counters.read().written as usize, MOST / line.len());
    assert!(setup.queue.push(&line));
    assert!(setup.writer.lines.capacity() <= 2 * MANY, "what it needed then is not kept");
}

#[test]
fn many_lines_wake_the_writer_before_its_time() {
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
        while pushed < MANY {
            assert!(queue.push(&line));
            pushed += line.len();
        }
        assert_eq!(writer.join().expect("no panic"), pushed);
    });
}

#[test]
fn pieces_end_where_lines_do() {
    assert_eq!(end_of_piece(b"ab\ncd\nef\n", 7), 6);
    assert_eq!(end_of_piece(b"ab\ncd\nef\n", 6), 6);
    assert_eq!(end_of_piece(b"abcdef\ngh\n", 3), 7, "a line that is too long goes alone");
    assert_eq!(end_of_piece(b"ab\n", 100), 3);
}
