use std::thread;
use std::time::Duration;

use pointsman_domain::outcome::Ending;
use pointsman_domain::prompt::{NoPrompt, Prompt};

use super::*;
use crate::sample::{history, time};
use crate::waiting::{MANY, TOO_MANY};

fn ended(telemetry: &Telemetry, number: u64) {
    telemetry.ended(history(number, "llama-7b", Ending::Answered), None);
}

/// How many were told of, without asking for those that were not.
fn told(telemetry: &Telemetry) -> usize {
    telemetry.recent.newest(usize::MAX, |_| true).len()
}

fn until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is never so");
        thread::yield_now();
    }
}

#[test]
fn whoever_asks_sees_all_that_has_ended() {
    let telemetry = Telemetry::default();
    ended(&telemetry, 1);
    assert_eq!(told(&telemetry), 0);
    assert!(telemetry.recent().get("id-1").is_some());
    ended(&telemetry, 2);
    let points = telemetry.timeline().steps(Window::Minutes, time(10)).points;
    assert_eq!(points.iter().map(|point| point.requests).sum::<u64>(), 2);
    telemetry.serves(std::iter::empty);
    ended(&telemetry, 3);
    telemetry.metrics(Format::OpenMetrics, State::default());
    assert_eq!(told(&telemetry), 3);
}

#[test]
fn those_that_nobody_asks_for_are_told_of_soon_one_or_many() {
    let telemetry = Telemetry::default();
    thread::scope(|scope| {
        scope.spawn(|| telemetry.run());
        for count in [1, 2, 2 + 3 * MANY] {
            (told(&telemetry)..count).for_each(|number| ended(&telemetry, number as u64));
            until(|| told(&telemetry) == count);
        }
        telemetry.close();
    });
    ended(&telemetry, 1_000);
    telemetry.close();
    assert_eq!(told(&telemetry), 3 + 3 * MANY, "what ends after the end is not lost either");
}

#[test]
fn where_nobody_tells_those_that_end_do_not_pile_up() {
    let telemetry = Telemetry::default();
    (0..TOO_MANY as u64 - 1).for_each(|number| ended(&telemetry, number));
    assert_eq!(told(&telemetry), 0);
    ended(&telemetry, TOO_MANY as u64);
    assert!(told(&telemetry) > 0);
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
fn nor_does_what_was_said() {
    let telemetry = Telemetry::default();
    for number in 0..4 {
        assert_eq!(told(&telemetry), 0);
        telemetry.ended(history(number, "llama-7b", Ending::Answered), Some(Box::new(Long)));
    }
    assert_eq!(told(&telemetry), 4);
}

#[test]
fn each_is_told_of_once_whoever_tells() {
    let telemetry = Telemetry::default();
    thread::scope(|scope| {
        scope.spawn(|| telemetry.run());
        let threads = [0, 1, 2, 3].map(|thread| {
            let telemetry = &telemetry;
            scope.spawn(move || {
                for number in 0..200 {
                    ended(telemetry, thread * 200 + number);
                    telemetry.catch_up();
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        telemetry.close();
    });
    let mut ids: Vec<_> =
        telemetry.recent().newest(usize::MAX, |_| true).iter().map(|it| it.outcome.id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 800);
}
