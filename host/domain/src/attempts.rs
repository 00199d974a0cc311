//! Order of the calls for a decision, and retries.
//!
//! [`Attempts`] is a state machine without I/O: the caller makes the calls, reports failures and
//! requests the next action. It goes through the targets in order, then retries those whose failure
//! may be temporary, with exponential back-off, until the attempts or the time are used up.

use std::time::{Duration, Instant};

use crate::decision::Target;
use crate::failure::{CallFailure, CallTimeouts, Remedy};
use crate::live::RetryBudget;

/// Longest wait that a backend can request for a retry. A backend that requests more is not
/// retried: the client gets the error at once, and can wait itself.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Limits on the attempts of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttemptLimits {
    /// Most calls for one request.
    pub max_attempts: u32,
    /// Time limits of each call.
    pub timeouts: CallTimeouts,
    /// Time at which the request ends.
    pub deadline: Option<Instant>,
    /// Wait before the first retry. It doubles with each further round.
    pub backoff: Duration,
    /// Limit on the concurrent retries of one model.
    pub retry_budget: RetryBudget,
}

/// Next action for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptAction {
    /// Call a candidate.
    Call {
        /// Index into the candidates.
        candidate: usize,
        /// Longest wait for the first byte.
        timeout: Duration,
        /// True if the candidate failed for this request before, so that the call needs a permit of
        /// the model's retry budget.
        is_retry: bool,
    },
    /// Wait, then request the next action.
    Wait(Duration),
    /// Stop: no call is left.
    GiveUp,
}

/// State of the attempts of one request.
#[derive(Debug)]
pub struct Attempts {
    limits: AttemptLimits,
    /// Targets of this round that are not called yet, the next one last.
    queue: Vec<Target>,
    /// Targets for the next round, in order.
    again: Vec<Target>,
    /// Targets of the decision, for look-up by candidate.
    targets: Vec<Target>,
    made: u32,
    round: u32,
    /// Longest wait that a target of the next round requested.
    retry_after: Duration,
    /// Earliest start of the current round.
    not_before: Option<Instant>,
}

impl Attempts {
    /// Starts with the targets of a decision.
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

    /// Returns the number of calls so far.
    pub fn made(&self) -> u32 {
        self.made
    }

    /// Returns the next action. `jitter` in 0..1 spreads the retries of concurrent requests.
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

    /// Takes back the call that [`next`](Self::next) returned last, because the model's retry
    /// budget is used up. The candidate is not retried again.
    pub fn deny_retry(&mut self) {
        self.made = self.made.saturating_sub(1);
    }

    /// Records that the call of a candidate failed. Returns whether the client is to get this
    /// failure now, because no other model would do better.
    pub fn record_failure(&mut self, candidate: usize, failure: &CallFailure) -> bool {
        match failure.kind.remedy() {
            Remedy::Return => true,
            Remedy::OtherTarget => false,
            Remedy::AnyTarget => {
                let wait = failure.retry_after.unwrap_or_default();
                let target = self.targets.iter().find(|target| target.candidate == candidate);
                if let Some(target) = target.filter(|_| wait <= LONGEST_WAIT) {
                    // A policy sets a timeout in order to move on to the next target soon. A retry
                    // has no next target, so the timeout of the route applies.
                    self.again.push(Target { timeout: None, ..*target });
                    self.retry_after = self.retry_after.max(wait);
                }
                false
            }
        }
    }

    /// Starts the next round. Returns false if it has no targets, or would start after the
    /// deadline.
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
