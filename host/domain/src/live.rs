//! Live stats of models: measured speed, error rate and health.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Weight of the newest sample in the moving averages of speed.
const SPEED_WEIGHT: f64 = 0.2;
/// Share of a whole answer's time that is the time to the first token, if nothing is known.
const FIRST_TOKEN_SHARE: f64 = 0.2;
/// Shortest generation that a speed is computed from.
const SHORTEST_GENERATION: Duration = Duration::from_millis(1);
/// Weight of the newest call in the error rate.
const ERROR_WEIGHT: f64 = 0.1;
/// Time in which an idle model's error rate halves, so that it is called again.
const ERROR_HALF_LIFE: Duration = Duration::from_secs(30);
/// Consecutive failures after which a model is unhealthy.
const FAILURES_TO_UNHEALTHY: u32 = 3;
/// Time that an unhealthy model is left out at first; doubles with each relapse.
const FIRST_COOL_DOWN: Duration = Duration::from_secs(1);
/// Longest time that an unhealthy model is left out without a probe.
const LONGEST_COOL_DOWN: Duration = Duration::from_secs(60);

/// Configured speed of a model, for as long as nothing is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExpectedSpeed {
    /// Milliseconds to the first token.
    pub first_token_ms: Option<f64>,
    /// Tokens per second after it.
    pub tokens_per_second: Option<f64>,
}

/// Live stats of one model. Every method takes the current time.
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
    /// Time at which the model became unhealthy. It is unset by a success, not by the end of a cool-down.
    down_since: Option<Instant>,
    resting_until: Option<Instant>,
    /// Time at which the backend first asked for the pause that lasts until then.
    resting_since: Option<Instant>,
}

/// Live stats at one time, with the expected speed where nothing was measured yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiveSnapshot {
    /// True if recent calls or probes succeeded.
    pub healthy: bool,
    /// True if the backend has asked not to be called for a time.
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
    /// Returns whether the model can be called now.
    pub const fn is_available(&self) -> bool {
        self.healthy && !self.resting
    }
}

/// Guard of a call in flight, which counts until it is dropped.
#[derive(Debug)]
pub struct InFlight(std::sync::Arc<LiveStats>);

/// Guard of a retry in flight, which counts until it is dropped.
#[derive(Debug)]
pub struct RetryPermit(std::sync::Arc<LiveStats>);

/// Limit on the concurrent retries of one model, over all requests: a share of its calls in flight,
/// but never fewer than a minimum. It keeps retries from multiplying the load on an overloaded
/// backend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryBudget {
    /// Share of the model's calls in flight, 0..1.
    pub share: f64,
    /// Retries that are always allowed.
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
    /// Counts a call as in flight until the guard is dropped.
    pub fn track_call(self: &std::sync::Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(std::sync::Arc::clone(self))
    }

    /// Acquires a permit for one retry, until it is dropped. Returns `None`, and counts a denied
    /// retry, if the budget is used up.
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

    /// Returns the number of retries that the budget denied.
    pub fn retries_denied(&self) -> u64 {
        self.retries_denied.load(Ordering::Relaxed)
    }

    /// Records a complete stream: the first token came after `first_token`, the last one
    /// `generation` later. Too short a generation, or too few tokens, does not change the measured
    /// speed.
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

    /// Records a whole answer that took `total`. It reveals only the sum of the time to the first
    /// token and the generation; the former is taken from earlier calls, else from the expectation,
    /// else as a fifth of the whole.
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

    /// Records a failure that is the model's fault.
    pub fn record_failure(&self, now: Instant) {
        let mut measured = self.measured();
        measured.count(now, 1.0);
        measured.failure(now);
    }

    /// Records that the backend asked not to be called for a time. The longest request counts.
    pub fn record_backoff_request(&self, now: Instant, wait: Duration) {
        let mut measured = self.measured();
        let until = now.checked_add(wait);
        if measured.resting_until.is_none_or(|until| now >= until) {
            measured.resting_since = Some(now);
        }
        measured.resting_until = measured.resting_until.max(until);
    }

    /// Records that the backend rejects requests for the usage of a stream. It holds until the
    /// process ends.
    pub fn refuse_stream_usage(&self) {
        self.refuses_stream_usage.store(true, Ordering::Relaxed);
    }

    /// Returns whether the backend rejects requests for the usage of a stream.
    pub fn refuses_stream_usage(&self) -> bool {
        self.refuses_stream_usage.load(Ordering::Relaxed)
    }

    /// Records a successful health probe. The model is healthy immediately.
    pub fn record_probe_success(&self) {
        self.measured().recover();
    }

    /// Records a failed health probe.
    pub fn record_probe_failure(&self, now: Instant) {
        self.measured().failure(now);
    }

    /// Returns the time at which the model became unhealthy, if no call or probe has succeeded since.
    pub fn down_since(&self) -> Option<Instant> {
        self.measured().down_since
    }

    /// Returns the time at which the backend asked not to be called, while that lasts.
    pub fn resting_since(&self, now: Instant) -> Option<Instant> {
        let measured = self.measured();
        measured.resting_since.filter(|_| measured.resting_until.is_some_and(|until| now < until))
    }

    /// Returns the live stats at this time.
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
        self.down_since.get_or_insert(now);
    }

    fn recover(&mut self) {
        self.failures_in_a_row = 0;
        self.cool_down = Duration::ZERO;
        self.unhealthy_until = None;
        self.down_since = None;
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
