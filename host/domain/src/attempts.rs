//! Which call comes next when a decision's targets fail.
//!
//! A state machine without I/O: the caller makes the calls, reports failures and
//! asks for the next action. It goes through the targets in order, then retries
//! those whose failure may pass, with exponential back-off, until the attempts or
//! the time run out.

use std::time::{Duration, Instant};

use crate::decision::Target;
use crate::failure::{CallFailure, CallTimeouts, Remedy};
use crate::live::RetryBudget;

/// A backend that asks for a longer wait than this is not retried: the client gets
/// the error at once, and can wait itself.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long and how often to try.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttemptLimits {
    /// Most calls for one request.
    pub max_attempts: u32,
    /// Time limits of each call.
    pub timeouts: CallTimeouts,
    /// Time by which the request must be over.
    pub deadline: Option<Instant>,
    /// Wait before the first repeated call; doubles with each further round.
    pub backoff: Duration,
    /// Limit on the retries of one model in flight.
    pub retry_budget: RetryBudget,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptAction {
    /// Call this candidate, and wait this long for its first byte.
    Call {
        /// Index into the candidates.
        candidate: usize,
        /// Time for the first byte.
        timeout: Duration,
        /// True if the candidate failed for this request before, so that the call
        /// needs a permit of the model's retry budget.
        is_retry: bool,
    },
    /// Wait, then ask again.
    Wait(Duration),
    /// Nothing left to try.
    GiveUp,
}

/// The attempts of one request.
#[derive(Debug)]
pub struct Attempts {
    limits: AttemptLimits,
    /// Targets still to be called in this round, next one last.
    queue: Vec<Target>,
    /// Targets that failed and may be called again, in order.
    again: Vec<Target>,
    /// Targets of the decision, to find one again by its candidate.
    targets: Vec<Target>,
    made: u32,
    round: u32,
    /// The longest time that a target of the next round asked for.
    retry_after: Duration,
    /// The current round must not begin before.
    not_before: Option<Instant>,
}

impl Attempts {
    /// For the targets of a decision.
    pub fn new(targets: &[Target], limits: AttemptLimits) -> Self {
        let mut queue = targets.to_vec();
        queue.reverse();
        Self {
            limits,
            queue,
            again: Vec::new(),
            targets: targets.to_vec(),
            made: 0,
            round: 0,
            retry_after: Duration::ZERO,
            not_before: None,
        }
    }

    /// Calls handed out so far.
    pub fn made(&self) -> u32 {
        self.made
    }

    /// What to do now. `jitter` in 0..1 spreads repeated calls of many requests.
    pub fn next(&mut self, now: Instant, jitter: f64) -> AttemptAction {
        if self.made >= self.limits.max_attempts || self.time_left(now) == Some(Duration::ZERO) {
            return AttemptAction::GiveUp;
        }
        if self.queue.is_empty() && !self.begin_round(now, jitter) {
            return AttemptAction::GiveUp;
        }
        if let Some(wait) = self.not_before.map(|start| start.saturating_duration_since(now))
            && !wait.is_zero()
        {
            return AttemptAction::Wait(wait);
        }
        self.not_before = None;
        match self.queue.pop() {
            None => AttemptAction::GiveUp,
            Some(target) => {
                self.made += 1;
                AttemptAction::Call {
                    candidate: target.candidate,
                    timeout: self.timeout(target, now),
                    is_retry: self.round > 0,
                }
            }
        }
    }

    /// Takes back the call that [`next`](Self::next) handed out last, because the
    /// model's retry budget is used up. The candidate is not retried again.
    pub fn deny_retry(&mut self) {
        self.made = self.made.saturating_sub(1);
    }

    /// Records that the call of a candidate failed. Returns true if the client is to
    /// get this failure now, because no other model would do better.
    pub fn record_failure(&mut self, candidate: usize, failure: &CallFailure) -> bool {
        match failure.kind.remedy() {
            Remedy::Return => true,
            Remedy::OtherTarget => false,
            Remedy::AnyTarget => {
                let wait = failure.retry_after.unwrap_or_default();
                let target = self.targets.iter().find(|target| target.candidate == candidate);
                if let Some(target) = target.filter(|_| wait <= LONGEST_WAIT) {
                    // A policy's own limit is for going on to the next target soon. Here
                    // there is no next one, so the route's patience counts.
                    self.again.push(Target { timeout: None, ..*target });
                    self.retry_after = self.retry_after.max(wait);
                }
                false
            }
        }
    }

    /// Starts over with the targets worth another call. False if there is none,
    /// or the wait would outlast the deadline.
    fn begin_round(&mut self, now: Instant, jitter: f64) -> bool {
        if self.again.is_empty() {
            return false;
        }
        let backoff = self.limits.backoff.saturating_mul(1 << self.round.min(10));
        let wait = backoff.mul_f64(0.5 + jitter.clamp(0.0, 1.0)).max(self.retry_after);
        if self.time_left(now).is_some_and(|left| wait >= left) {
            return false;
        }
        self.round += 1;
        self.retry_after = Duration::ZERO;
        self.not_before = Some(now + wait);
        self.queue = std::mem::take(&mut self.again);
        self.queue.reverse();
        true
    }

    fn timeout(&self, target: Target, now: Instant) -> Duration {
        let limit = self.limits.timeouts.first_byte;
        let own = target.timeout.map_or(limit, |timeout| timeout.min(limit));
        self.time_left(now).map_or(own, |left| own.min(left))
    }

    fn time_left(&self, now: Instant) -> Option<Duration> {
        self.limits.deadline.map(|deadline| deadline.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests;
