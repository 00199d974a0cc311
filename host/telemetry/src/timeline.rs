//! Sums over time, for charts.
//!
//! A request counts in the second in which it ends. Seconds are kept for five minutes and summed
//! to intervals of ten seconds, which are kept for an hour; those are summed to intervals of five
//! minutes, which are kept for a day. The number of intervals and of configured models bounds the
//! memory.

mod interval;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use pointsman_domain::history::History;
use pointsman_domain::outcome::FailureCause;
use pointsman_record::unix_ms;

use interval::IntervalSums;
pub use interval::IntervalTotals;

/// An interval that starts later than this from now was started before the clock was set back.
const CLOCK_SET_BACK_MS: u64 = 60_000;

/// Length of a chart, and of its intervals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimelineWindow {
    /// Five minutes in intervals of a second.
    #[default]
    Minutes,
    /// An hour in intervals of ten seconds.
    Hour,
    /// A day in intervals of five minutes.
    Day,
}

impl TimelineWindow {
    /// All windows, the finest first.
    const ALL: [Self; 3] = [Self::Minutes, Self::Hour, Self::Day];

    /// Returns the window of this length.
    pub fn of_seconds(seconds: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.seconds() == seconds)
    }

    /// Returns the length in seconds.
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Minutes => 300,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    /// Returns the length of an interval in milliseconds.
    pub const fn step_ms(self) -> u64 {
        match self {
            Self::Minutes => 1_000,
            Self::Hour => 10_000,
            Self::Day => 300_000,
        }
    }

    /// Returns the number of intervals.
    const fn intervals(self) -> usize {
        (self.seconds() * 1_000 / self.step_ms()) as usize
    }
}

/// Points of one window.
#[derive(Debug)]
pub struct IntervalSeries {
    /// Length of an interval in milliseconds.
    pub step_ms: u64,
    /// Intervals with requests, the oldest first. The last one may still grow.
    pub points: Vec<IntervalTotals>,
}

/// Sums over time.
#[derive(Debug)]
pub struct Timeline(Mutex<Rings>);

/// Rings of all windows, the finest first.
type Rings = [IntervalRing; TimelineWindow::ALL.len()];

/// Intervals of one window.
#[derive(Debug)]
struct IntervalRing {
    window: TimelineWindow,
    closed: VecDeque<IntervalTotals>,
    growing: Option<IntervalSums>,
}

impl Default for Timeline {
    fn default() -> Self {
        let ring = |window| IntervalRing { window, closed: VecDeque::new(), growing: None };
        Self(Mutex::new(TimelineWindow::ALL.map(ring)))
    }
}

impl Timeline {
    /// Counts a request that has ended.
    pub(crate) fn add(&self, history: &History) {
        let at_ms = unix_ms(history.arrived + history.outcome.latency);
        let mut rings = self.rings();
        finest_interval(&mut rings, at_ms).add(history);
    }

    /// Counts a request that is rejected before a decision.
    pub fn add_rejected(&self, cause: FailureCause, at: SystemTime) {
        finest_interval(&mut self.rings(), unix_ms(at)).add_rejected(cause);
    }

    /// Returns the points of a window that ends now.
    pub fn series(&self, window: TimelineWindow, now: SystemTime) -> IntervalSeries {
        let now = unix_ms(now);
        let mut rings = self.rings();
        finest_interval(&mut rings, now);
        let mut closed = Vec::new();
        // Sums that finer rings have not passed on yet belong to the last interval of the window.
        let mut growing: Option<IntervalSums> = None;
        for ring in rings.iter().rev().skip_while(|ring| ring.window != window) {
            if ring.window == window {
                let oldest = now.saturating_sub(window.seconds() * 1_000);
                closed.extend(ring.closed.iter().filter(|point| point.at_ms >= oldest).cloned());
            }
            match (&mut growing, &ring.growing) {
                (Some(sums), Some(finer)) => sums.merge(finer),
                (None, Some(sums)) => growing = Some(sums.starting(floor(sums.at_ms, window))),
                (_, None) => {}
            }
        }
        closed.extend(growing.filter(|sums| !sums.is_empty()).map(|sums| sums.point()));
        IntervalSeries { step_ms: window.step_ms(), points: closed }
    }

    fn rings(&self) -> MutexGuard<'_, Rings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the growing interval of the finest ring at this time. Intervals that are over are closed
/// and passed on to the next coarser ring.
fn finest_interval(rings: &mut Rings, at_ms: u64) -> &mut IntervalSums {
    let mut over: Option<IntervalSums> = None;
    for ring in rings.iter_mut() {
        if let Some(finer) = over.take() {
            ring.merge(finer);
        }
        let at = floor(at_ms, ring.window);
        // Requests do not end in exact order, so an interval may be a little ahead.
        let is_over = |sums: &mut IntervalSums| sums.at_ms < at || sums.at_ms > at + CLOCK_SET_BACK_MS;
        over = ring.growing.take_if(is_over);
        if let Some(sums) = &over {
            ring.close(sums);
        }
    }
    let [finest, ..] = rings;
    let at_ms = floor(at_ms, finest.window);
    finest.growing.get_or_insert_with(|| IntervalSums::new(at_ms))
}

impl IntervalRing {
    /// Adds the sums of a finer interval to the interval that contains it.
    fn merge(&mut self, finer: IntervalSums) {
        let start = floor(finer.at_ms, self.window);
        match self.growing.take() {
            Some(mut growing) if growing.at_ms == start => {
                growing.merge(&finer);
                self.growing = Some(growing);
            }
            other => {
                if let Some(other) = other {
                    self.close(&other);
                }
                self.growing = Some(finer.starting(start));
            }
        }
    }

    fn close(&mut self, sums: &IntervalSums) {
        if sums.is_empty() {
            return;
        }
        if self.closed.len() == self.window.intervals() {
            self.closed.pop_front();
        }
        self.closed.push_back(sums.point());
    }
}

/// Rounds a time down to the start of its interval.
fn floor(at_ms: u64, window: TimelineWindow) -> u64 {
    at_ms - at_ms % window.step_ms()
}

#[cfg(test)]
mod tests;
