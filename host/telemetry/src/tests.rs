use std::thread;
use std::time::Duration;

use pointsman_domain::outcome::RequestEnd;
use pointsman_domain::prompt::{NoPrompt, Prompt};

use super::*;
use crate::decision_log::DecisionLogSettings;
use crate::pending::{MAX_PENDING, WAKE_COUNT};
use crate::sample::{history, time};

/// Telemetry with a decision log in a temporary directory.
struct Setup {
    telemetry: Telemetry,
    _dir: tempfile::TempDir,
}

fn setup(sample: f64) -> Setup {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = DecisionLogSettings {
        dir: dir.path().to_owned(),
        rotate_size: 1 << 30,
        rotate_after: Duration::from_secs(3_600),
        max_size: 1 << 30,
        sample,
        content: None,
        outputs: false,
    };
    let log = DecisionLog::open(settings, &Supervisor::default()).expect("it is free");
    Setup { telemetry: Telemetry::new(None, Some(log)), _dir: dir }
}

impl Setup {
    fn ended(&self, number: u64) {
        self.telemetry.record_request(history(number, "llama-7b", RequestEnd::Answered), None);
    }

    fn written(&self) -> u64 {
        self.telemetry.decision_log.as_ref().map_or(0, |log| log.counts().written)
    }

    fn until_written(&self, count: u64) {
        let begun = Instant::now();
        while self.written() != count {
            assert!(begun.elapsed() < Duration::from_secs(60), "{} were written", self.written());
            thread::yield_now();
        }
    }
}

#[test]
fn counts_and_recent_requests_are_updated_at_once() {
    let setup = setup(1.0);
    setup.ended(1);
    setup.ended(2);
    assert!(setup.telemetry.recent.get("id-1").is_some());
    let points = setup.telemetry.timeline.series(TimelineWindow::Minutes, time(10)).points;
    assert_eq!(points.iter().map(|point| point.requests).sum::<u64>(), 2);
}

#[test]
fn requests_are_recorded_soon_and_those_after_the_end_too() {
    let setup = setup(1.0);
    thread::scope(|scope| {
        scope.spawn(|| setup.telemetry.run());
        for count in [1, 2, 2 + 3 * WAKE_COUNT as u64] {
            (setup.written()..count).for_each(|number| setup.ended(number));
            setup.until_written(count);
        }
        setup.telemetry.close();
    });
    setup.ended(1_000);
    setup.telemetry.close();
    setup.until_written(3 + 3 * WAKE_COUNT as u64);
}

#[test]
fn without_the_recording_thread_pending_requests_are_bounded() {
    let setup = setup(1.0);
    (0..MAX_PENDING as u64).for_each(|number| setup.ended(number));
    setup.until_written(MAX_PENDING as u64);
}

#[test]
fn requests_outside_the_sample_are_not_pending() {
    let setup = setup(0.5);
    (0..100).for_each(|number| setup.ended(number));
    let mut pending = Vec::new();
    setup.telemetry.pending.take(&mut pending);
    assert!((20..80).contains(&pending.len()), "{}", pending.len());
}

/// Content that only takes memory.
#[derive(Debug)]
struct LargeContent;

impl ContentSource for LargeContent {
    fn prompt(&self) -> &dyn Prompt {
        &NoPrompt
    }

    fn answer(&self, _: usize) -> Option<AnswerText> {
        None
    }

    fn bytes(&self) -> usize {
        20 << 20
    }
}

#[test]
fn pending_content_is_bounded() {
    let setup = setup(1.0);
    for number in 0..4 {
        setup
            .telemetry
            .record_request(history(number, "llama-7b", RequestEnd::Answered), Some(Box::new(LargeContent)));
    }
    setup.until_written(4);
}

#[test]
fn each_request_is_recorded_once_by_concurrent_threads() {
    let setup = setup(1.0);
    thread::scope(|scope| {
        scope.spawn(|| setup.telemetry.run());
        let threads = [0, 1, 2, 3].map(|thread| {
            let setup = &setup;
            scope.spawn(move || {
                for number in 0..200 {
                    setup.ended(thread * 200 + number);
                    setup.telemetry.record_pending();
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        setup.telemetry.close();
    });
    let log = setup.telemetry.decision_log.as_ref().expect("there is one");
    assert!(log.close(Duration::from_secs(60)));
    assert_eq!((log.counts().written, log.counts().dropped()), (800, 0));
}
