use std::thread;
use std::time::Duration;

use pointsman_domain::outcome::RequestEnd;
use pointsman_domain::prompt::{NoPrompt, Prompt};

use super::*;
use crate::decision_log::Settings;
use crate::sample::{history, time};
use crate::waiting::{MANY, TOO_MANY};

/// With a decision log, in a directory that goes with it.
struct Setup {
    telemetry: Telemetry,
    _dir: tempfile::TempDir,
}

fn setup(sample: f64) -> Setup {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = Settings {
        dir: dir.path().to_owned(),
        rotate_size: 1 << 30,
        rotate_after: Duration::from_secs(3_600),
        max_size: 1 << 30,
        sample,
        content: None,
    };
    let log = DecisionLog::open(settings, &Supervisor::default()).expect("it is free");
    Setup { telemetry: Telemetry::new(None, Some(log)), _dir: dir }
}

impl Setup {
    fn ended(&self, number: u64) {
        self.telemetry.ended(history(number, "llama-7b", RequestEnd::Answered), None);
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
fn what_is_counted_and_kept_is_there_at_once() {
    let setup = setup(1.0);
    setup.ended(1);
    setup.ended(2);
    assert!(setup.telemetry.recent.get("id-1").is_some());
    let points = setup.telemetry.timeline.steps(Window::Minutes, time(10)).points;
    assert_eq!(points.iter().map(|point| point.requests).sum::<u64>(), 2);
}

#[test]
fn all_are_told_of_soon_one_or_many_and_those_after_the_end_too() {
    let setup = setup(1.0);
    thread::scope(|scope| {
        scope.spawn(|| setup.telemetry.run());
        for count in [1, 2, 2 + 3 * MANY as u64] {
            (setup.written()..count).for_each(|number| setup.ended(number));
            setup.until_written(count);
        }
        setup.telemetry.close();
    });
    setup.ended(1_000);
    setup.telemetry.close();
    setup.until_written(3 + 3 * MANY as u64);
}

#[test]
fn where_nobody_tells_those_that_end_do_not_pile_up() {
    let setup = setup(1.0);
    (0..TOO_MANY as u64).for_each(|number| setup.ended(number));
    setup.until_written(TOO_MANY as u64);
}

#[test]
fn what_is_not_in_the_sample_does_not_wait() {
    let setup = setup(0.5);
    (0..100).for_each(|number| setup.ended(number));
    let mut waiting = Vec::new();
    setup.telemetry.waiting.take(&mut waiting);
    assert!((20..80).contains(&waiting.len()), "{}", waiting.len());
}

/// Says nothing, in many bytes.
#[derive(Debug)]
struct Long;

impl Exchange for Long {
    fn prompt(&self) -> &dyn Prompt {
        &NoPrompt
    }

    fn answer(&self, _: usize) -> Option<Answer> {
        None
    }

    fn bytes(&self) -> usize {
        20 << 20
    }
}

#[test]
fn nor_does_what_was_said_pile_up() {
    let setup = setup(1.0);
    for number in 0..4 {
        setup.telemetry.ended(history(number, "llama-7b", RequestEnd::Answered), Some(Box::new(Long)));
    }
    setup.until_written(4);
}

#[test]
fn each_is_told_of_once_whoever_tells() {
    let setup = setup(1.0);
    thread::scope(|scope| {
        scope.spawn(|| setup.telemetry.run());
        let threads = [0, 1, 2, 3].map(|thread| {
            let setup = &setup;
            scope.spawn(move || {
                for number in 0..200 {
                    setup.ended(thread * 200 + number);
                    setup.telemetry.catch_up();
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
