//! Score, cost and savings of one strategy on rows of a data set.

use std::fmt;

use crate::baseline::Strategy;
use crate::data::{Outcome, OutcomeRow};
use crate::fleet::mean;
use crate::stats::{ConfidenceInterval, bootstrap};

/// Results of one strategy: a row of a report.
#[derive(Clone, Debug)]
pub struct StrategyResult {
    /// Name of the strategy.
    pub name: String,
    /// Mean score.
    pub score: ConfidenceInterval,
    /// Cost of 1,000 requests in US dollars.
    pub cost: f64,
    /// Share of the cost of `always best` that is saved.
    pub saved: ConfidenceInterval,
    /// Score minus that of `always best` on the same rows.
    pub difference: ConfidenceInterval,
    /// Mean milliseconds to the whole answer, if known.
    pub latency_ms: Option<f64>,
}

/// Measures a strategy on rows, beside a reference that its savings are relative to.
pub(crate) fn measure(strategy: &Strategy, reference: &Strategy, rows: &[OutcomeRow]) -> StrategyResult {
    let score = expected(strategy, rows, |outcome| outcome.score);
    let cost = expected(strategy, rows, |outcome| outcome.cost_usd);
    let best_score = expected(reference, rows, |outcome| outcome.score);
    let best_cost = expected(reference, rows, |outcome| outcome.cost_usd);
    let timed = rows.iter().all(|row| row.outcomes.values().all(|outcome| outcome.latency_ms.is_some()));
    let latency = || mean(expected(strategy, rows, |outcome| outcome.latency_ms.unwrap_or(0.0)).into_iter());
    StrategyResult {
        name: strategy.name.clone(),
        cost: 1000.0 * mean(cost.iter().copied()),
        saved: bootstrap(&pairs(&cost, &best_cost), |cost, best, _| 1.0 - cost / best),
        difference: bootstrap(&pairs(&score, &best_score), |score, best, rows| (score - best) / rows),
        score: bootstrap(&pairs(&score, &best_score), |score, _, rows| score / rows),
        latency_ms: timed.then(latency),
    }
}

/// Returns the expected value of a quantity for each row, over the shares of the strategy.
pub(crate) fn expected(strategy: &Strategy, rows: &[OutcomeRow], of: impl Fn(&Outcome) -> f64) -> Vec<f64> {
    let one = |(row, shares): (&OutcomeRow, &Vec<f64>)| {
        row.outcomes.values().zip(shares).map(|(outcome, share)| of(outcome) * share).sum()
    };
    rows.iter().zip(&strategy.shares).map(one).collect()
}

fn pairs(first: &[f64], second: &[f64]) -> Vec<(f64, f64)> {
    first.iter().copied().zip(second.iter().copied()).collect()
}

impl fmt::Display for StrategyResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, score, cost, saved, difference, latency_ms } = self;
        write!(f, "| {name} | {:.3} [{:.3}, {:.3}] | {cost:.4} ", score.value, score.low, score.high)?;
        let percent = [saved.value, saved.low, saved.high].map(|share| 100.0 * share);
        write!(f, "| {:.1} % [{:.1}, {:.1}] ", percent[0], percent[1], percent[2])?;
        write!(f, "| {:+.3} [{:+.3}, {:+.3}] ", difference.value, difference.low, difference.high)?;
        match latency_ms {
            Some(ms) => write!(f, "| {ms:.0} ms |"),
            None => write!(f, "| – |"),
        }
    }
}
