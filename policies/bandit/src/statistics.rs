//! State of the policy: for each kind of task and model, the number of observations, their sum and
//! the sum of their squares. All are counters, so nothing that concurrent calls observe is lost.

use std::collections::HashMap;

use pointsman_sdk::state;

use crate::posterior::Posterior;

/// Counts of one observation: millionths.
const SCALE: f64 = 1e6;
/// Variance that is assumed before any is known: that of numbers spread evenly from 0 to 1.
const PRIOR_VARIANCE: f64 = 1.0 / 12.0;

/// Origin of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// The worth of an answer.
    Outcome,
    /// The score of a rating.
    Score,
}

impl Signal {
    const fn name(self) -> &'static str {
        match self {
            Self::Outcome => "outcome",
            Self::Score => "score",
        }
    }
}

/// Observations of one kind of task, by the rest of their keys.
#[derive(Debug, Default)]
pub(crate) struct Statistics(HashMap<String, i64>);

/// Observations of one model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Observations {
    pub count: f64,
    pub sum: f64,
    pub squares: f64,
}

impl Statistics {
    /// Reads the observations of a kind of task.
    pub fn load(kind: &str) -> Self {
        let prefix = prefix(kind);
        let entries = state::list(&prefix).into_iter().filter_map(|entry| {
            let number = std::str::from_utf8(&entry.value).ok()?.parse().ok()?;
            Some((entry.key.strip_prefix(&prefix)?.to_owned(), number))
        });
        Self(entries.collect())
    }

    /// Returns the observations of a model.
    pub fn of(&self, model: &str, signal: Signal) -> Observations {
        let number = |member| {
            let key = rest_of_key(model, signal, member);
            self.0.get(&key).copied().unwrap_or_default() as f64
        };
        Observations {
            count: number("n").max(0.0),
            sum: number("sum") / SCALE,
            squares: number("squares") / SCALE,
        }
    }
}

impl Observations {
    /// Returns what is known of their mean, where the prior counts as `weight` observations.
    pub fn posterior(&self, prior: f64, weight: f64) -> Posterior {
        let count = self.count + weight;
        let mean = (self.sum + prior * weight) / count;
        // Around the mean; rounding may leave less than nothing.
        let spread = self.squares - 2.0 * mean * self.sum + mean * mean * self.count;
        let variance = (spread.max(0.0) + weight * PRIOR_VARIANCE) / count;
        Posterior { mean, deviation: (variance / count).sqrt(), count: self.count as u64 }
    }
}

/// Adds an observation from 0 to 1.
pub(crate) fn record(kind: &str, model: &str, signal: Signal, value: f64) {
    let value = if value.is_finite() { value.clamp(0.0, 1.0) } else { return };
    let add = |member, amount: i64| {
        let key = format!("{}{}", prefix(kind), rest_of_key(model, signal, member));
        state::add(&key, amount)
    };
    // A model whose name is too long for a key, or for which there is no room, stays unknown.
    let sums = add("sum", (value * SCALE).round() as i64)
        .and_then(|_| add("squares", (value * value * SCALE).round() as i64));
    if sums.is_ok() {
        let _ = add("n", 1);
    }
}

fn prefix(kind: &str) -> String {
    format!("1/{kind}/")
}

fn rest_of_key(model: &str, signal: Signal, member: &str) -> String {
    format!("{}/{member}/{model}", signal.name())
}
