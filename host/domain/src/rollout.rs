//! When a new version of a policy is worse than the one that it took over from,
//! and for how long it is left alone then.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The normal quantile of the intervals below: 95 % of them hold the true rate.
const Z: f64 = 1.96;
/// The share of decisions that may be slow. Fewer say more of a busy machine than of
/// the policy: what waits for a processor waits for milliseconds.
const SLOW_SHARE: f64 = 0.10;
/// Decision times below this are as good as any: at microseconds a busy machine
/// makes more of a difference than a policy does.
const QUICK: Duration = Duration::from_millis(1);

/// What was counted of one version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VersionCounts {
    /// Decisions that were asked for.
    pub decisions: u64,
    /// Those that failed by the policy's own fault.
    pub failures: u64,
    /// How long decisions took: times, from the shortest, with how many took
    /// about that long.
    pub decision_times: Vec<(Duration, u64)>,
    /// Requests that it routed and that came to an end, but for those whose client went away.
    pub requests: u64,
    /// Those that no model answered.
    pub errors: u64,
}

/// How much worse than the old version a new one may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// The share of failed decisions may be higher by this much; 0.05 is five
    /// in a hundred more.
    pub failure_rate: f64,
    /// The share of requests without an answer may be higher by this much.
    pub error_rate: f64,
    /// Decisions that take more than this many times what nine of ten of the old
    /// version took have to be as rare.
    pub decision_time: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { failure_rate: 0.05, error_rate: 0.05, decision_time: 4.0 }
    }
}

/// In what a new version is worse than allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Breach {
    /// It fails more often.
    Failures {
        /// Its share of failed decisions.
        new: f64,
        /// That of the old version.
        old: f64,
        /// How many decisions it was asked for.
        of: u64,
    },
    /// More of its requests come to nothing.
    Errors {
        /// Its share of requests without an answer.
        new: f64,
        /// That of the old version.
        old: f64,
        /// How many requests of its there were.
        of: u64,
    },
    /// It takes longer.
    DecisionTime {
        /// Its share of slow decisions.
        slow: f64,
        /// What is slow.
        limit: Duration,
        /// How many decisions it was asked for.
        of: u64,
    },
}

impl Thresholds {
    /// Whether, and in what, the new version is worse than allowed. A rate counts
    /// only as far as the numbers bear it: the lower end of its 95 % interval is
    /// compared, so two failures of two are enough and one of one is not.
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
    /// The time that nine of ten decisions took at most.
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

/// The lower end of Wilson's score interval for a rate of `part` in `whole`
/// (E. B. Wilson, "Probable inference, the law of succession, and statistical
/// inference", JASA 22, 1927).
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

/// When a version that was rolled back may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldBackoff {
    /// How long it is left alone the first time; doubles with each further one.
    pub first: Duration,
    /// The time after which it is left alone until a person lets it back in.
    pub attempts: u32,
}

impl Default for HoldBackoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(60), attempts: 3 }
    }
}

/// A version that is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// How often it was rolled back.
    pub strikes: u32,
    /// When it was put on hold, in seconds since 1970.
    pub since: u64,
    /// When it may be tried again, in seconds since 1970; `None` is a quarantine,
    /// which a person has to lift.
    pub until: Option<u64>,
    /// Why.
    pub why: String,
}

impl HoldBackoff {
    /// What follows when a version was rolled back, perhaps not for the first time.
    pub fn hold(&self, before: Option<&Hold>, now: u64, why: String) -> Hold {
        let strikes = before.map_or(0, |hold| hold.strikes).saturating_add(1);
        let doubled = 1_u64.checked_shl(strikes - 1).unwrap_or(u64::MAX);
        let pause = self.first.as_secs().saturating_mul(doubled);
        let until = (strikes < self.attempts).then(|| now.saturating_add(pause));
        Hold { strikes, since: now, until, why }
    }
}

impl Hold {
    /// A person's word that a version is not to serve.
    pub fn quarantine(before: Option<&Self>, now: u64, why: String) -> Self {
        Self { strikes: before.map_or(0, |hold| hold.strikes) + 1, since: now, until: None, why }
    }

    /// Whether the version is left alone at this time.
    pub fn is_in_force(&self, now: u64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests;
