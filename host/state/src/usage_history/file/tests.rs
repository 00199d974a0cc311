use std::fs;

use super::super::HISTORY_STEP;
use super::super::encoding::MAX_STEP_BYTES;
use super::super::sample::{Noise, answered, subject};
use super::super::step::UsageStep;
use super::*;

/// Size that the file may have, in bytes.
const MAX_FILE_BYTES: u64 = 200_000_000;

fn path(directory: &tempfile::TempDir) -> std::path::PathBuf {
    directory.path().join("history.redb")
}

fn step(requests: u64) -> UsageStep {
    UsageStep { lines: [(subject("auto", "a/chat", "k"), answered(requests))].into(), ..UsageStep::default() }
}

/// Adds a batch of one step.
fn add(file: &mut HistoryFile, id: u64, at: u64, step: &UsageStep, now: u64) {
    let steps = [(at, encode(step).unwrap())].into();
    assert_eq!(file.add(&Batch { id, steps }, now).unwrap(), [0; 0]);
}

/// Returns the start of each step with its answered requests.
fn read(file: &mut HistoryFile, from: u64, to: u64) -> Vec<(u64, u64)> {
    let mut steps = Vec::new();
    let visit = &mut |at, bytes: &[u8]| {
        let step = decode(bytes).unwrap();
        steps.push((at, step.lines.values().map(|totals| totals.answered).sum()));
    };
    file.read(from, to, visit).unwrap();
    steps
}

#[test]
fn additions_to_a_step_are_summed_up_also_after_the_file_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut file = HistoryFile::open(&path(&directory)).unwrap();
    assert_eq!(read(&mut file, 0, 10_000), []);
    add(&mut file, 1, 300, &step(1), 300);
    add(&mut file, 2, 600, &step(10), 600);
    add(&mut file, 3, 300, &step(2), 600);
    drop(file);
    let mut file = HistoryFile::open(&path(&directory)).unwrap();
    add(&mut file, 4, 300, &step(4), 600);
    assert_eq!(read(&mut file, 0, 10_000), [(300, 7), (600, 10)]);
    assert_eq!((read(&mut file, 301, 600), read(&mut file, 600, 601)), (vec![], vec![(600, 10)]));
}

#[test]
fn a_batch_is_added_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut file = HistoryFile::open(&path(&directory)).unwrap();
    add(&mut file, 7, 300, &step(1), 300);
    add(&mut file, 7, 300, &step(1), 300);
    assert_eq!(read(&mut file, 0, 600), [(300, 1)]);
    let summary = file.read(0, 0, &mut |_, _| {}).unwrap();
    assert_eq!(summary, FileSummary { last_batch: Some(7), oldest: Some(300) });
}

#[test]
fn a_damaged_step_is_replaced_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let mut file = HistoryFile::open(&path(&directory)).unwrap();
    let damaged = Batch { id: 1, steps: [(300, vec![9; 9_000])].into() };
    assert_eq!(file.add(&damaged, 300).unwrap(), [0; 0]);
    let next = Batch { id: 2, steps: [(300, encode(&step(1)).unwrap())].into() };
    assert_eq!(file.add(&next, 300).unwrap(), [300]);
    assert_eq!(read(&mut file, 0, 600), [(300, 1)]);
}

/// Returns a step that is as large as one can be.
fn largest_step() -> Vec<u8> {
    let mut noise = Noise(11);
    let mut step = UsageStep::default();
    for _ in 0..2_000 {
        step.lines.insert(subject(&noise.name(), &noise.name(), &noise.name()), noise.totals());
    }
    let bytes = encode(&step).unwrap();
    assert!(bytes.len() > MAX_STEP_BYTES * 9 / 10, "{}", bytes.len());
    // The rest of the last page is used, too: the file does not read what it stores.
    [bytes, vec![0; MAX_STEP_BYTES]].concat()[..MAX_STEP_BYTES].to_vec()
}

#[test]
fn two_weeks_of_the_largest_steps_fit_into_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let mut file = HistoryFile::open(&path(&directory)).unwrap();
    let (bytes, start) = (largest_step(), 1_000_000 * HISTORY_STEP);
    let (all, at_once) = (MAX_HISTORY_STEPS as u64, 96);
    let mut largest_file = 0;
    // Two weeks, and then a day with a transaction for each step.
    for first in (0..all).step_by(at_once).chain(all..all + 288) {
        let last = if first < all { first + at_once as u64 } else { first + 1 };
        let steps: EncodedSteps =
            (first..last).map(|at| (start + at * HISTORY_STEP, bytes.clone())).collect();
        file.add(&Batch { id: first + 1, steps }, start + last * HISTORY_STEP).unwrap();
        largest_file = largest_file.max(fs::metadata(path(&directory)).unwrap().len());
    }
    assert!(largest_file < MAX_FILE_BYTES, "{largest_file} bytes");
    let mut steps = Vec::new();
    let summary = file.read(0, u64::MAX, &mut |at, read| {
        assert!(read == bytes.as_slice(), "the step is read as it was stored");
        steps.push(at);
    });
    // The oldest steps were deleted for the last day, and no others.
    let expected: Vec<u64> = (288..all + 288).map(|at| start + at * HISTORY_STEP).collect();
    assert_eq!(steps, expected);
    assert_eq!(summary.unwrap().oldest, expected.first().copied());
}

#[test]
fn steps_of_a_wrong_clock_are_deleted_before_those_of_the_last_two_weeks() {
    let directory = tempfile::tempdir().unwrap();
    let mut file = HistoryFile::open(&path(&directory)).unwrap();
    let (now, bytes) = (4_000_000 * HISTORY_STEP, encode(&step(1)).unwrap());
    let future = now + 1_000_000 * HISTORY_STEP;
    let steps = (0..MAX_HISTORY_STEPS as u64).map(|at| (now - at * HISTORY_STEP, bytes.clone()));
    file.add(&Batch { id: 1, steps: steps.collect() }, now).unwrap();
    // While the clock is wrong only as much is deleted as is added.
    add(&mut file, 2, future, &step(1), future);
    assert_eq!(read(&mut file, 0, u64::MAX).len(), MAX_HISTORY_STEPS);
    add(&mut file, 3, now + HISTORY_STEP, &step(1), now + HISTORY_STEP);
    let steps = read(&mut file, 0, u64::MAX);
    assert_eq!((steps.len(), steps.last().copied()), (MAX_HISTORY_STEPS, Some((now + HISTORY_STEP, 1))));
}

#[test]
fn a_file_of_another_kind_or_version_is_named_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = path(&directory);
    fs::write(&path, "a text of somebody").unwrap();
    let error = HistoryFile::open(&path).unwrap_err().to_string();
    assert!(error.contains("cannot open") && error.contains("history.redb"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"a text of somebody");

    for (table, key, expected) in
        [("policy-state-1", "format", "another kind"), ("usage-history", "format", "format 2")]
    {
        fs::remove_file(&path).unwrap();
        let table: TableDefinition<'_, &str, u64> = TableDefinition::new(table);
        let database = Database::create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(table).unwrap().insert(key, 2).unwrap();
        transaction.commit().unwrap();
        drop(database);
        let error = HistoryFile::open(&path).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("history.redb"), "{error}");
    }
}

#[test]
fn damage_anywhere_in_the_file_is_an_error_and_no_panic_of_the_caller() {
    let directory = tempfile::tempdir().unwrap();
    let path = path(&directory);
    let mut file = HistoryFile::open(&path).unwrap();
    for at in 0..64 {
        add(&mut file, at + 1, at * HISTORY_STEP, &step(at), at * HISTORY_STEP);
    }
    drop(file);
    let whole = fs::read(&path).unwrap();
    let mut errors = 0;
    for at in (0..whole.len()).step_by(1_021) {
        let mut damaged = whole.clone();
        damaged[at..whole.len().min(at + 64)].iter_mut().for_each(|byte| *byte ^= 0x5a);
        fs::write(&path, &damaged).unwrap();
        match HistoryFile::open(&path) {
            Ok(mut file) => assert_eq!(read(&mut file, 0, u64::MAX).len(), 64, "at byte {at}"),
            Err(error) => {
                errors += 1;
                assert!(error.to_string().contains("history.redb"), "{error}");
            }
        }
    }
    assert!(errors > 0);
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = HistoryFile::open(&path).unwrap_err().to_string();
    assert!(error.contains("history.redb"), "{error}");
}
