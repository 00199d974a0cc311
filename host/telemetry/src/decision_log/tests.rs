use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Instant;

use pointsman_domain::outcome::RequestEnd;
use pointsman_domain::prompt::{NoPrompt, Prompt};

use super::*;
use crate::content::{AnswerText, CapturedOutput};
use crate::sample::history;

const TIMEOUT: Duration = Duration::from_secs(60);

fn settings(dir: &Path) -> DecisionLogSettings {
    DecisionLogSettings {
        dir: dir.to_owned(),
        rotate_size: 20_000,
        rotate_after: Duration::from_secs(3_600),
        max_size: 100_000_000,
        sample: 1.0,
        content: None,
        outputs: false,
    }
}

/// Counts each id in the files of a directory.
fn ids(dir: &Path) -> BTreeMap<String, usize> {
    let mut ids = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("a file");
        let text = match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl") => bytes,
            Some("zst") => zstd::decode_all(bytes.as_slice()).expect("whole"),
            _ => continue,
        };
        for line in String::from_utf8(text).expect("text").lines() {
            let record: serde_json::Value = serde_json::from_str(line).expect("a whole line");
            *ids.entry(record["id"].as_str().expect("an id").to_owned()).or_default() += 1;
        }
    }
    ids
}

fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).expect("a directory").flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// Waits until a condition holds.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < TIMEOUT, "{what}");
        thread::yield_now();
    }
}

#[test]
fn no_record_is_lost_or_duplicated_under_load_and_across_restarts() {
    let dir = tempfile::tempdir().expect("a directory");
    let (threads, each) = (4, 250);
    for run in 0..3 {
        let log =
            DecisionLog::open(settings(dir.path()), &Supervisor::default()).expect("the directory is free");
        thread::scope(|scope| {
            for thread in 0..threads {
                let log = &log;
                scope.spawn(move || {
                    for number in 0..each {
                        let number = (run * threads + thread) * each + number;
                        log.record(&history(number, "llama-7b", RequestEnd::Answered), None);
                    }
                });
            }
        });
        assert!(log.close(TIMEOUT), "it ends");
        assert_eq!(
            log.counts(),
            LogCounts { written: threads * each, bytes: log.counts().bytes, ..LogCounts::default() }
        );
    }
    let ids = ids(dir.path());
    assert_eq!(ids.len() as u64, 3 * threads * each);
    assert!(ids.values().all(|&times| times == 1), "no record is duplicated");
}

#[test]
fn records_are_in_the_file_while_the_log_is_open() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = DecisionLog::open(settings(dir.path()), &Supervisor::default()).expect("the directory is free");
    log.record(&history(1, "llama-7b", RequestEnd::Answered), None);
    until("the record is written", || ids(dir.path()).len() == 1);
}

#[test]
fn the_directory_never_exceeds_its_limit() {
    let dir = tempfile::tempdir().expect("a directory");
    let bounded = DecisionLogSettings { max_size: 80_000, ..settings(dir.path()) };
    let log = DecisionLog::open(bounded, &Supervisor::default()).expect("the directory is free");
    let mut largest = 0;
    for number in 0..4_000 {
        log.record(&history(number, "llama-7b", RequestEnd::Answered), None);
        largest = largest.max(size(dir.path()));
        if number % 100 == 0 {
            until("it is written", || log.counts().written > number);
        }
    }
    assert!(log.close(TIMEOUT), "it ends");
    assert!(log.counts().bytes > 1_000_000, "far more was written than is kept");
    assert!((20_000..=80_000).contains(&largest), "{largest} bytes at most");
    assert!(ids(dir.path()).contains_key("id-3999"), "the newest are kept");
}

#[test]
fn a_removed_directory_is_created_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a/b");
    let log = DecisionLog::open(settings(&path), &Supervisor::default()).expect("it can be made");
    log.record(&history(1, "llama-7b", RequestEnd::Answered), None);
    until("the first is written", || log.counts().written == 1);
    fs::remove_dir_all(dir.path().join("a")).expect("it can be removed");
    log.record(&history(2, "llama-7b", RequestEnd::Answered), None);
    until("the second is written", || path.exists() && ids(&path).contains_key("id-2"));
    assert!(DecisionLog::open(settings(&path), &Supervisor::default()).is_err(), "it is locked again");
    assert_eq!(log.counts().dropped_disk, 0);
}

#[test]
fn records_are_counted_as_dropped_until_the_directory_can_be_created() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("log");
    let log = DecisionLog::open(settings(&path), &Supervisor::default()).expect("it can be made");
    fs::remove_dir_all(&path).expect("it can be removed");
    fs::write(&path, "in the way").expect("a file");
    log.record(&history(1, "llama-7b", RequestEnd::Answered), None);
    until("it is counted", || log.counts().dropped_disk == 1);
    fs::remove_file(&path).expect("it can be removed");
    until("it is written again", || {
        log.record(&history(2, "llama-7b", RequestEnd::Answered), None);
        log.counts().written > 0
    });
}

#[test]
fn a_sample_is_logged_and_the_rest_is_not_counted_as_dropped() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = DecisionLog::open(
        DecisionLogSettings { sample: 0.5, ..settings(dir.path()) },
        &Supervisor::default(),
    )
    .expect("it is free");
    for number in 0..200 {
        log.record(&history(number, "llama-7b", RequestEnd::Answered), None);
    }
    assert!(log.close(TIMEOUT), "it ends");
    let counts = log.counts();
    assert!((60..140).contains(&counts.written), "{counts:?}");
    assert_eq!((counts.dropped_disk, counts.dropped_queue), (0, 0), "what is not sampled is not lost");
    assert_eq!(ids(dir.path()).len() as u64, counts.written);
}

/// Content of a request whose plan has one task.
#[derive(Debug)]
struct ContentOfPlan;

impl ContentSource for ContentOfPlan {
    fn bytes(&self) -> usize {
        0
    }

    fn prompt(&self) -> &dyn Prompt {
        &NoPrompt
    }

    fn answer(&self, _: usize) -> Option<AnswerText> {
        None
    }

    fn outputs(&self) -> Vec<CapturedOutput> {
        vec![CapturedOutput { task: 1, text: "a cat".into(), finish_reason: Some("stop".to_owned()) }]
    }
}

#[test]
fn outputs_of_tasks_are_logged_with_content_only_if_they_are_enabled() {
    for (content, outputs, expected) in
        [(Some(3), true, Some("a c")), (Some(3), false, None), (None, true, None), (None, false, None)]
    {
        let dir = tempfile::tempdir().expect("a directory");
        let settings = DecisionLogSettings { content, outputs, ..settings(dir.path()) };
        let log = DecisionLog::open(settings, &Supervisor::default()).expect("the directory is free");
        assert_eq!(log.wants_outputs("id-1"), expected.is_some());
        log.record(&history(1, "llama-7b", RequestEnd::Answered), Some(&ContentOfPlan));
        assert!(log.close(TIMEOUT), "it ends");
        let plain = fs::read_dir(dir.path()).expect("a directory").flatten().map(|entry| entry.path());
        let plain = plain.into_iter().find(|path| path.extension().is_some_and(|it| it == "jsonl"));
        let text = fs::read_to_string(plain.expect("a file")).expect("text");
        let record: serde_json::Value = serde_json::from_str(&text).expect("one record");
        let output = &record["content"]["outputs"][0];
        assert_eq!(output["text"].as_str(), expected);
        assert_eq!(output["left_out_bytes"].as_u64(), expected.map(|_| 2));
        assert_eq!(record["content"].is_object(), content.is_some());
    }
}
