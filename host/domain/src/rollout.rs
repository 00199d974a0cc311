//! Comparison of a new version of a policy with the previous one, and the time for which a version
//! is held after a rollback.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Normal quantile of the intervals below: 95 % of them contain the true rate.
const Z: f64 = 1.96;
/// Share of decisions that may be slow. A smaller share is caused by a busy machine rather than the
/// policy: waiting for a processor takes milliseconds.
const SLOW_SHARE: f64 = 0.10;
/// Decision time below which no version is slow: at microseconds, a busy machine makes more of a
/// difference than a policy does.
const QUICK: Duration = Duration::from_millis(1);

/// Counts of one version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VersionCounts {
    /// Decisions that were requested.
    pub decisions: u64,
    /// Decisions that failed through the policy's fault.
    pub failures: u64,
    /// Histogram of decision times: a time, in ascending order, and the number of decisions that
    /// took about that long.
    pub decision_times: Vec<(Duration, u64)>,
    /// Requests that it routed and that have ended, except those that the client cancelled.
    pub requests: u64,
    /// Requests that no model answered.
    pub errors: u64,
}

/// Differences to the old version that are tolerated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Tolerated increase of the share of failed decisions; 0.05 is five in a hundred more.
    pub failure_rate: f64,
    /// Tolerated increase of the share of requests without an answer.
    pub error_rate: f64,
    /// Factor on the 90th percentile of the old version's decision times above which a decision is
    /// slow.
    pub decision_time: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { failure_rate: 0.05, error_rate: 0.05, decision_time: 4.0 }
    }
}

/// Threshold that a new version exceeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Breach {
    /// Share of failed decisions.
    Failures {
        /// Share of the new version.
        new: f64,
        /// Share of the old version.
        old: f64,
        /// Number of decisions of the new version.
        of: u64,
    },
    /// Share of requests without an answer.
    Errors {
        /// Share of the new version.
        new: f64,
        /// Share of the old version.
        old: f64,
        /// Number of requests of the new version.
        of: u64,
    },
    /// Share of slow decisions.
    DecisionTime {
        /// Share of the new version.
        slow: f64,
        /// Time above which a decision is slow.
        limit: Duration,
        /// Number of decisions of the new version.
        of: u64,
    },
}

impl Thresholds {
    /// Returns the threshold that the new version exceeds, if any. The lower end of the 95 %
    /// interval of a rate is compared, so two failures of two are enough and one of one is not.
    pub fn judge(&self, new: &VersionCounts, old: &VersionCounts) -> Option<Breach> {
        let (failing, failed) = (rate(new.failures, new.decisions), rate(old.failures, old.decisions));
        if at_least(new.failures, new.decisions) > failed + self.failure_rate && new.failures > 1 {
            return Some(Breach::Failures { new: failing, old: failed, of: new.decisions });
        }
        let (erring, erred) = (rate(new.errors, new.requests), rate(old.errors, old.requests));
        if at_least(new.errors, new.requests) > erred + self.error_rate && new.errors > 1 {
            return Some(Breach::Errors { new: erring, old: erred, of: new.requests });
        }
        let limit = old.p90().unwrap_or(QUICK).max(QUICK).mul_f64(self.decision_time);
        let slow = new.slower_than(limit);
        (at_least(slow, new.decisions) > SLOW_SHARE && slow > 1).then(|| Breach::DecisionTime {
            slow: rate(slow, new.decisions),
            limit,
            of: new.decisions,
        })
    }
}

impl VersionCounts {
    /// Returns the 90th percentile of the decision times.
    pub fn p90(&self) -> Option<Duration> {
        let counted: u64 = self.decision_times.iter().map(|(_, count)| count).sum();
        let mut slower = counted;
        let within = self.decision_times.iter().find(|(_, count)| {
            slower = slower.saturating_sub(*count);
            slower as f64 <= counted as f64 * SLOW_SHARE
        });
        within.map(|(time, _)| *time)
    }

    fn slower_than(&self, limit: Duration) -> u64 {
        self.decision_times.iter().filter(|(time, _)| *time > limit).map(|(_, count)| count).sum()
    }
}

fn rate(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Returns the lower end of Wilson's score interval for a rate of `part` in `whole` (E. B. Wilson,
/// "Probable inference, the law of succession, and statistical inference", JASA 22, 1927).
fn at_least(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    let (n, p) = (whole as f64, rate(part, whole));
    let z2 = Z * Z;
    let centre = p + z2 / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    ((centre - spread) / (1.0 + z2 / n)).max(0.0)
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |rate: f64| format!("{:.1} %", rate * 100.0);
        match *self {
            Self::Failures { new, old, of } => {
                write!(f, "{} of its {of} decisions failed, before it {}", percent(new), percent(old))
            }
            Self::Errors { new, old, of } => {
                write!(f, "{} of its {of} requests got no answer, before it {}", percent(new), percent(old))
            }
            Self::DecisionTime { slow, limit, of } => {
                write!(f, "{} of its {of} decisions took more than {limit:.1?}", percent(slow))
            }
        }
    }
}

/// Exponential back-off for versions that were rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldBackoff {
    /// First hold; doubles with each further rollback.
    pub first: Duration,
    /// Number of rollbacks after which a version is quarantined.
    pub attempts: u32,
}

impl Default for HoldBackoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(60), attempts: 3 }
    }
}

/// Hold on a version, which keeps it from serving.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Number of rollbacks.
    pub strikes: u32,
    /// Start of the hold, in seconds since 1970.
    pub since: u64,
    /// End of the hold, in seconds since 1970; `None` is a quarantine, which an operator has to
    /// release.
    pub until: Option<u64>,
    /// Reason for the hold.
    pub why: String,
}

impl HoldBackoff {
    /// Returns the hold that follows a rollback, which may not be the first.
    pub fn hold(&self, before: Option<&Hold>, now: u64, why: String) -> Hold {
        let strikes = before.map_or(0, |hold| hold.strikes).saturating_add(1);
        let doubled = 1_u64.checked_shl(strikes - 1).unwrap_or(u64::MAX);
        let pause = self.first.as_secs().saturating_mul(doubled);
        let until = (strikes < self.attempts).then(|| now.saturating_add(pause));
        Hold { strikes, since: now, until, why }
    }
}

impl Hold {
    /// Returns the quarantine of a version by an operator.
    pub fn quarantine(before: Option<&Self>, now: u64, why: String) -> Self {
        Self { strikes: before.map_or(0, |hold| hold.strikes) + 1, since: now, until: None, why }
    }

    /// Returns whether the hold is in force at this time.
    pub fn is_in_force(&self, now: u64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests;
