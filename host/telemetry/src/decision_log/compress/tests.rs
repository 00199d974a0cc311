use std::path::Path;

use super::*;
use crate::decision_log::OpenError;

const PLAIN: &str = "decisions-20261126T212520Z-000001.jsonl";

struct Setup {
    dir: tempfile::TempDir,
    compressor: Compressor,
}

fn setup(max_size: u64) -> Setup {
    let dir = tempfile::tempdir().expect("a directory");
    let directory = Directory::open(dir.path().to_owned(), max_size).expect("the directory is free");
    Setup { dir, compressor: Compressor::new(directory, 4_000, Arc::default()) }
}

impl Setup {
    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).expect("the file can be written");
    }

    fn names(&self) -> Vec<String> {
        names(self.dir.path())
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("a directory");
    let name =
        |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name().into_string().expect("text");
    let mut names: Vec<String> = entries.map(name).filter(|name| name != "decisions.lock").collect();
    names.sort();
    names
}

fn unpacked(path: &Path) -> String {
    let packed = fs::read(path).expect("the file is there");
    String::from_utf8(zstd::decode_all(packed.as_slice()).expect("it is whole")).expect("text")
}

#[test]
fn files_of_an_earlier_process_are_compressed() {
    let setup = setup(1 << 20);
    let lines = "{\"a\":1}\n".repeat(100_000);
    setup.write(PLAIN, &lines);
    setup.compressor.compress_finished().expect("it can be compressed");
    assert_eq!(setup.names(), [format!("{PLAIN}.zst")]);
    let packed = setup.path(&format!("{PLAIN}.zst"));
    assert_eq!(unpacked(&packed), lines);
    assert!(fs::metadata(packed).expect("the file").len() < 2_000);
}

#[test]
fn an_incomplete_last_line_is_left_out() {
    for rest in ["{", &"x".repeat(4_095), &"x".repeat(10_000)] {
        let setup = setup(1 << 20);
        setup.write(PLAIN, format!("{{\"a\":1}}\n{{\"a\":2}}\n{rest}"));
        setup.compressor.compress_finished().expect("it can be compressed");
        assert_eq!(unpacked(&setup.path(&format!("{PLAIN}.zst"))), "{\"a\":1}\n{\"a\":2}\n");
    }
}

#[test]
fn an_incomplete_line_of_a_killed_process_is_cut_off_at_the_start() {
    for rest in ["", "{", &"x".repeat(4_095), &"x".repeat(10_000)] {
        let dir = tempfile::tempdir().expect("a directory");
        let plain = dir.path().join(PLAIN);
        fs::write(&plain, format!("{{\"a\":1}}\n{{\"a\":2}}\n{rest}")).expect("the file can be written");
        let _directory = Directory::open(dir.path().to_owned(), 1 << 20).expect("the directory is free");
        assert_eq!(fs::read_to_string(&plain).expect("the file"), "{\"a\":1}\n{\"a\":2}\n");
    }
}

#[test]
fn a_file_without_a_whole_line_is_removed() {
    for text in ["", "{\"a\":"] {
        let setup = setup(1 << 20);
        setup.write(PLAIN, text);
        setup.compressor.compress_finished().expect("it can be tidied up");
        assert_eq!(setup.names(), [] as [&str; 0]);
    }
}

#[test]
fn an_unfinished_copy_is_made_again() {
    let setup = setup(1 << 20);
    setup.write(PLAIN, "{\"a\":1}\n");
    setup.write(&format!("{PLAIN}.zst.part"), "the beginning of something");
    setup.compressor.compress_finished().expect("it can be compressed");
    assert_eq!(setup.names(), [format!("{PLAIN}.zst")]);
    assert_eq!(unpacked(&setup.path(&format!("{PLAIN}.zst"))), "{\"a\":1}\n");
}

#[test]
fn a_plain_file_with_a_finished_copy_is_removed() {
    let setup = setup(1 << 20);
    setup.write(PLAIN, "{\"a\":1}\n");
    setup.compressor.compress_finished().expect("it can be compressed");
    setup.write(PLAIN, "{\"a\":1}\n");
    setup.compressor.compress_finished().expect("it can be tidied up");
    assert_eq!(setup.names(), [format!("{PLAIN}.zst")]);
}

#[test]
fn other_files_are_never_removed() {
    let setup = setup(10);
    let others = ["notes.jsonl", "decisions-mine.jsonl", "decisions-20261126T212520Z-000001.jsonl.gz"];
    others.iter().for_each(|name| setup.write(name, "x".repeat(1_000)));
    fs::create_dir(setup.path("decisions-20261126T212520Z-000009.jsonl")).expect("a directory of this name");
    setup.write(PLAIN, "{\"a\":1}\n".repeat(100));
    setup.compressor.directory.make_room(5).expect("room can be made");
    let mut expected: Vec<&str> = others.to_vec();
    expected.push("decisions-20261126T212520Z-000009.jsonl");
    expected.sort_unstable();
    assert_eq!(setup.names(), expected);
}

#[test]
fn the_oldest_files_are_removed_first() {
    let setup = setup(10_000);
    for number in 1..=9 {
        // The clock was set back in between: the number decides the order.
        setup.write(
            &format!("decisions-2026112{}T000000Z-00000{number}.jsonl.zst", 9 - number),
            "x".repeat(2_000),
        );
    }
    setup.compressor.directory.make_room(3_000).expect("room can be made");
    let numbers: Vec<u64> =
        setup.compressor.directory.files().expect("files").iter().map(|file| file.name.number).collect();
    assert_eq!(numbers, [7, 8, 9]);
}

#[test]
fn a_directory_is_locked_once() {
    let setup = setup(10_000);
    let again = Directory::open(setup.dir.path().to_owned(), 10_000);
    let Err(error @ OpenError::InUse(_)) = again else { panic!("it is in use") };
    assert!(error.to_string().contains("another gateway"), "{error}");
    let path = setup.dir.path().to_owned();
    drop(setup.compressor);
    Directory::open(path, 10_000).expect("it is free again");
}

#[test]
fn an_unusable_directory_is_reported_with_its_path() {
    let setup = setup(10_000);
    setup.write("a-file", "");
    let Err(error) = Directory::open(setup.path("a-file/log"), 10_000) else { panic!("it cannot be made") };
    assert!(error.to_string().contains("a-file/log"), "{error}");
    assert!(error.to_string().contains("decision_log.dir"), "{error}");
}

#[test]
fn a_stop_leaves_the_plain_file_whole() {
    let setup = setup(1 << 20);
    setup.write(PLAIN, "{\"a\":1}\n");
    let found = setup.compressor.directory.files().expect("files").remove(0);
    setup.compressor.stop.store(true, Ordering::Relaxed);
    setup.compressor.compress(&found.name).expect("a stop is no error");
    assert_eq!(setup.names(), [PLAIN]);
}

#[test]
fn lines_that_were_written_after_the_listing_are_compressed_too() {
    let setup = setup(1 << 20);
    setup.write(PLAIN, "{\"a\":1}\n");
    let listed = setup.compressor.directory.files().expect("files").remove(0);
    let longer = "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n";
    setup.write(PLAIN, longer);
    setup.compressor.compress(&listed.name).expect("it can be compressed");
    assert_eq!(unpacked(&setup.path(&format!("{PLAIN}.zst"))), longer);
}
