//! What the gateway measured of a model, and whether it is healthy.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Weight of the newest sample in the moving averages of speed.
const SPEED_WEIGHT: f64 = 0.2;
/// Share of a whole answer's time that goes to the first token, if nothing is known.
const FIRST_TOKEN_SHARE: f64 = 0.2;
/// A shorter generation is not long enough to tell a speed from.
const SHORTEST_GENERATION: Duration = Duration::from_millis(1);
/// Weight of the newest call in the error rate.
const ERROR_WEIGHT: f64 = 0.1;
/// An idle model's error rate halves in this time, so that it is tried again.
const ERROR_HALF_LIFE: Duration = Duration::from_secs(30);
/// Failures in a row after which a model counts as unhealthy.
const FAILURES_TO_UNHEALTHY: u32 = 3;
/// First time that an unhealthy model is left out; doubles with each relapse.
const FIRST_COOL_DOWN: Duration = Duration::from_secs(1);
/// Longest time that an unhealthy model is left out without a probe.
const LONGEST_COOL_DOWN: Duration = Duration::from_secs(60);

/// Stated speed of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExpectedSpeed {
    /// Milliseconds to the first token.
    pub first_token_ms: Option<f64>,
    /// Tokens per second after it.
    pub tokens_per_second: Option<f64>,
}

/// The live stats of one model. Every method takes the time it happens at.
#[derive(Debug, Default)]
pub struct LiveStats {
    in_flight: AtomicU32,
    retries_in_flight: AtomicU32,
    retries_denied: AtomicU64,
    refuses_stream_usage: AtomicBool,
    measured: Mutex<Measured>,
}

#[derive(Debug, Default)]
struct Measured {
    first_token_ms: Option<f64>,
    tokens_per_second: Option<f64>,
    error_rate: f64,
    error_rate_at: Option<Instant>,
    failures_in_a_row: u32,
    cool_down: Duration,
    unhealthy_until: Option<Instant>,
    resting_until: Option<Instant>,
}

/// Live stats at one moment, with the configured expectation where nothing was
/// measured yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiveSnapshot {
    /// False when recent calls or probes failed.
    pub healthy: bool,
    /// True while the backend has asked not to be called.
    pub resting: bool,
    /// Calls that have not finished.
    pub in_flight: u32,
    /// Milliseconds to the first token.
    pub first_token_ms: Option<f64>,
    /// Tokens per second after the first.
    pub tokens_per_second: Option<f64>,
    /// Share of recent calls that failed.
    pub error_rate: f64,
}

impl LiveSnapshot {
    /// Returns whether the model is fit to be called now.
    pub const fn is_available(&self) -> bool {
        self.healthy && !self.resting
    }
}

/// Counts a call as in flight until dropped.
#[derive(Debug)]
pub struct InFlight(std::sync::Arc<LiveStats>);

/// Counts a call as a retry in flight until dropped.
#[derive(Debug)]
pub struct RetryPermit(std::sync::Arc<LiveStats>);

/// Limit on the retries of one model in flight, over all requests: a
/// share of its calls in flight, but never fewer than a minimum. Keeps retries from
/// multiplying the load on a backend that fails because of its load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryBudget {
    /// Share of the model's calls in flight, 0..1.
    pub share: f64,
    /// Retries that are allowed however few calls are in flight.
    pub minimum: u32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { share: 0.2, minimum: 3 }
    }
}

impl RetryBudget {
    /// Returns the limit for a number of calls in flight, retries included.
    pub fn limit(self, calls_in_flight: u32) -> u32 {
        self.minimum.max((f64::from(calls_in_flight) * self.share) as u32)
    }
}

impl LiveStats {
    /// Counts a call as in flight for as long as the guard lives.
    pub fn track_call(self: &std::sync::Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(std::sync::Arc::clone(self))
    }

    /// Permission for one retry, for as long as the permit lives; `None`, and counted
    /// as denied, when the budget is used up.
    pub fn acquire_retry(self: &std::sync::Arc<Self>, budget: RetryBudget) -> Option<RetryPermit> {
        let limit = budget.limit(self.in_flight.load(Ordering::Relaxed));
        let begun = self.retries_in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |retries| {
            (retries < limit).then_some(retries + 1)
        });
        if begun.is_err() {
            self.retries_denied.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(RetryPermit(std::sync::Arc::clone(self)))
    }

    /// Retries that the budget denied so far.
    pub fn retries_denied(&self) -> u64 {
        self.retries_denied.load(Ordering::Relaxed)
    }

    /// A stream was answered to its end: the first token came after
    /// `first_token`, the last one `generation` later. Too short a time or too
    /// few tokens say nothing about the speed.
    pub fn record_stream(
        &self,
        now: Instant,
        output_tokens: u64,
        first_token: Duration,
        generation: Duration,
    ) {
        let mut measured = self.measured();
        average(&mut measured.first_token_ms, millis(first_token));
        measured.speed(output_tokens, generation);
        measured.succeeded(now);
    }

    /// A call was answered in one piece after `total`. That tells only the sum of
    /// the time to the first token and of the generation: the former is taken as
    /// known or expected, else as a fifth of the whole.
    pub fn record_whole_answer(
        &self,
        expected: &ExpectedSpeed,
        now: Instant,
        output_tokens: u64,
        total: Duration,
    ) {
        let mut measured = self.measured();
        if output_tokens < 2 {
            average(&mut measured.first_token_ms, millis(total));
        } else {
            let known = measured.first_token_ms.or(expected.first_token_ms);
            let first_token = known.unwrap_or(millis(total) * FIRST_TOKEN_SHARE).min(millis(total));
            measured.first_token_ms.get_or_insert(first_token);
            measured.speed(output_tokens, total.saturating_sub(Duration::from_secs_f64(first_token / 1e3)));
        }
        measured.succeeded(now);
    }

    /// A call failed, and the model is to blame.
    pub fn record_failure(&self, now: Instant) {
        let mut measured = self.measured();
        measured.count(now, 1.0);
        measured.failure(now);
    }

    /// Records that the backend asked not to be called for a time, as of the end of the
    /// longest such request.
    pub fn record_backoff_request(&self, now: Instant, wait: Duration) {
        let mut measured = self.measured();
        let until = now.checked_add(wait);
        measured.resting_until = measured.resting_until.max(until);
    }

    /// Records that the backend refused a request for the usage of a stream that was not the
    /// client's. It holds for as long as the process lives.
    pub fn refuse_stream_usage(&self) {
        self.refuses_stream_usage.store(true, Ordering::Relaxed);
    }

    /// Returns whether the backend refused to report the usage of a stream.
    pub fn refuses_stream_usage(&self) -> bool {
        self.refuses_stream_usage.load(Ordering::Relaxed)
    }

    /// A health probe came back well: the model is healthy at once.
    pub fn record_probe_success(&self) {
        self.measured().recover();
    }

    /// A health probe failed.
    pub fn record_probe_failure(&self, now: Instant) {
        self.measured().failure(now);
    }

    /// What is known at this moment.
    pub fn snapshot(&self, expected: &ExpectedSpeed, now: Instant) -> LiveSnapshot {
        let measured = self.measured();
        LiveSnapshot {
            healthy: measured.unhealthy_until.is_none_or(|until| now >= until),
            resting: measured.resting_until.is_some_and(|until| now < until),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            first_token_ms: measured.first_token_ms.or(expected.first_token_ms),
            tokens_per_second: measured.tokens_per_second.or(expected.tokens_per_second),
            error_rate: measured.error_rate_now(now),
        }
    }

    fn measured(&self) -> MutexGuard<'_, Measured> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Measured {
    fn speed(&mut self, output_tokens: u64, generation: Duration) {
        if output_tokens >= 2 && generation >= SHORTEST_GENERATION {
            average(&mut self.tokens_per_second, (output_tokens - 1) as f64 / generation.as_secs_f64());
        }
    }

    fn succeeded(&mut self, now: Instant) {
        self.count(now, 0.0);
        self.recover();
        self.resting_until = None;
    }

    fn count(&mut self, now: Instant, error: f64) {
        self.error_rate = self.error_rate_now(now) * (1.0 - ERROR_WEIGHT) + error * ERROR_WEIGHT;
        self.error_rate_at = Some(now);
    }

    fn error_rate_now(&self, now: Instant) -> f64 {
        let Some(at) = self.error_rate_at else { return 0.0 };
        let half_lives = now.saturating_duration_since(at).as_secs_f64() / ERROR_HALF_LIFE.as_secs_f64();
        self.error_rate * 0.5_f64.powf(half_lives)
    }

    fn failure(&mut self, now: Instant) {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        if self.failures_in_a_row < FAILURES_TO_UNHEALTHY
            || self.unhealthy_until.is_some_and(|until| now < until)
        {
            return;
        }
        self.cool_down = (self.cool_down * 2).clamp(FIRST_COOL_DOWN, LONGEST_COOL_DOWN);
        self.unhealthy_until = Some(now + self.cool_down);
    }

    fn recover(&mut self) {
        self.failures_in_a_row = 0;
        self.cool_down = Duration::ZERO;
        self.unhealthy_until = None;
    }
}

impl Drop for RetryPermit {
    fn drop(&mut self) {
        self.0.retries_in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn average(value: &mut Option<f64>, sample: f64) {
    *value = Some(value.map_or(sample, |old| old + (sample - old) * SPEED_WEIGHT));
}

#[cfg(test)]
mod tests;
