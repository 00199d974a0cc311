//! Sums over time: what a chart is drawn from.
//!
//! A request counts in the second in which it ends. Seconds are kept for five
//! minutes; they are summed to steps of ten seconds, which are kept for an hour,
//! and those to steps of five minutes, kept for a day. Memory is bounded by the
//! steps and by the models that are configured.

mod step;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use pointsman_domain::history::History;
use serde::Serialize;

pub use step::Point;
use step::Step;

use crate::record::unix_ms;

/// A step that begins later than this from now was begun before the clock was set back.
const CLOCK_SET_BACK_MS: u64 = 60_000;

/// How far back, and how finely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// Five minutes in seconds.
    #[default]
    Minutes,
    /// An hour in steps of ten seconds.
    Hour,
    /// A day in steps of five minutes.
    Day,
}

impl Window {
    /// All of them, the finest first.
    const ALL: [Self; 3] = [Self::Minutes, Self::Hour, Self::Day];

    /// The window of so many seconds, if there is one.
    pub fn of_seconds(seconds: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.seconds() == seconds)
    }

    /// How many seconds it reaches back.
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Minutes => 300,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    /// The length of its steps in milliseconds.
    pub const fn step_ms(self) -> u64 {
        match self {
            Self::Minutes => 1_000,
            Self::Hour => 10_000,
            Self::Day => 300_000,
        }
    }

    const fn steps(self) -> usize {
        (self.seconds() * 1_000 / self.step_ms()) as usize
    }
}

/// The steps of one window, for whoever draws them.
#[derive(Debug, Serialize)]
pub struct Steps {
    /// The length of a step in milliseconds.
    pub step_ms: u64,
    /// Steps with requests, the oldest first; the last one may still grow.
    pub points: Vec<Point>,
}

/// Sums over time.
#[derive(Debug, Default)]
pub struct Timeline(Mutex<[Ring; 3]>);

/// The steps of one window.
#[derive(Debug, Default)]
struct Ring {
    closed: VecDeque<Point>,
    growing: Option<Step>,
}

impl Timeline {
    /// Counts a request that has ended.
    pub(crate) fn add(&self, history: &History) {
        let at_ms = unix_ms(history.arrived + history.outcome.latency);
        let mut rings = self.rings();
        begin(&mut rings, at_ms);
        if let Some(step) = &mut rings[0].growing {
            step.add(history);
        }
    }

    /// The steps of a window that ends now.
    pub fn steps(&self, window: Window, now: SystemTime) -> Steps {
        let now = unix_ms(now);
        let mut rings = self.rings();
        begin(&mut rings, now);
        let place = window as usize;
        let mut growing: Option<Step> = None;
        // What finer steps have not passed on yet belongs to the last coarse step.
        for ring in rings[..=place].iter().rev() {
            match (&mut growing, &ring.growing) {
                (Some(sum), Some(step)) => sum.merge(step),
                (None, Some(step)) => growing = Some(step.starting(floor(step.at_ms, window))),
                (_, None) => {}
            }
        }
        let oldest = now.saturating_sub(window.seconds() * 1_000);
        let closed = rings[place].closed.iter().filter(|point| point.at_ms >= oldest).cloned();
        let growing = growing.filter(|step| !step.is_empty()).map(|step| step.point());
        Steps { step_ms: window.step_ms(), points: closed.chain(growing).collect() }
    }

    fn rings(&self) -> MutexGuard<'_, [Ring; 3]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sees to it that the finest ring has a step for this time: closes what is over,
/// and passes it on to the coarser rings.
fn begin(rings: &mut [Ring; 3], at_ms: u64) {
    let mut over: Option<Step> = None;
    for (ring, window) in rings.iter_mut().zip(Window::ALL) {
        if let Some(finer) = over.take() {
            ring.take_in(finer, window);
        }
        let at = floor(at_ms, window);
        // Requests end in no exact order, so a step may be ahead a little.
        let is_over = |step: &mut Step| step.at_ms < at || step.at_ms > at + CLOCK_SET_BACK_MS;
        over = ring.growing.take_if(is_over);
        if let Some(step) = &over {
            ring.close(step, window);
        }
    }
    rings[0].growing.get_or_insert_with(|| Step::new(floor(at_ms, Window::Minutes)));
}

impl Ring {
    /// Adds the sums of a finer step to the step that it is a part of.
    fn take_in(&mut self, finer: Step, window: Window) {
        let start = floor(finer.at_ms, window);
        match self.growing.take() {
            Some(mut growing) if growing.at_ms == start => {
                growing.merge(&finer);
                self.growing = Some(growing);
            }
            other => {
                if let Some(other) = other {
                    self.close(&other, window);
                }
                self.growing = Some(finer.starting(start));
            }
        }
    }

    fn close(&mut self, step: &Step, window: Window) {
        if step.is_empty() {
            return;
        }
        if self.closed.len() == window.steps() {
            self.closed.pop_front();
        }
        self.closed.push_back(step.point());
    }
}

fn floor(at_ms: u64, window: Window) -> u64 {
    at_ms - at_ms % window.step_ms()
}

#[cfg(test)]
mod tests;
