//! Scores, costs and savings of strategies on test rows.

use std::fmt;

use anyhow::{Context, Result};

use crate::baseline::{Strategy, baselines, by_length};
use crate::data::{Outcome, Row, Split};
use crate::fleet::{Fleet, mean};
use crate::policy::Policies;
use crate::stats::{Interval, bootstrap};
use crate::sweep::choose;

/// What came out on one data set.
#[derive(Clone, Debug)]
pub struct Report {
    /// The data set.
    pub name: &'static str,
    /// Rows learnt from, and rows reported on.
    pub rows: (usize, usize),
    /// One line a strategy.
    pub lines: Vec<Line>,
}

/// One strategy.
#[derive(Clone, Debug)]
pub struct Line {
    /// The strategy.
    pub name: String,
    /// Mean score.
    pub score: Interval,
    /// US dollars for 1,000 requests.
    pub cost: f64,
    /// Share of the cost of `always best` that is saved.
    pub saved: Interval,
    /// Score minus that of `always best`, on the same rows.
    pub difference: Interval,
    /// Mean milliseconds to the whole answer, where known.
    pub latency_ms: Option<f64>,
}

/// Learns from the training rows and reports on the test rows.
pub fn report(split: &Split) -> Result<Report> {
    let fleet = Fleet::learn(&split.train);
    let mut strategies = baselines(&fleet, &split.train, &split.test);
    let on_train = Policies { fleet: &fleet, rows: &split.train }.dynamic("", &serde_json::json!({}))?;
    let budget = expected(&on_train, &split.train, |outcome| outcome.cost_usd).into_iter();
    strategies.insert(3, by_length(&fleet, &split.train, &split.test, mean(budget)));
    strategies.extend(Policies { fleet: &fleet, rows: &split.test }.all()?);
    if let Some((easy, hard)) = choose(&split.train)? {
        let name = format!("dynamic, shares {easy} and {hard} chosen on training rows");
        let settings = serde_json::json!({"easy_share": easy, "hard_share": hard});
        strategies.push(Policies { fleet: &fleet, rows: &split.test }.dynamic(&name, &settings)?);
    }
    let reference = strategies.get(1).context("there is no baseline")?.clone();
    let lines = strategies.iter().map(|strategy| line(strategy, &reference, &split.test)).collect();
    Ok(Report { name: split.name, rows: (split.train.len(), split.test.len()), lines })
}

pub(crate) fn line(strategy: &Strategy, reference: &Strategy, rows: &[Row]) -> Line {
    let score = expected(strategy, rows, |outcome| outcome.score);
    let cost = expected(strategy, rows, |outcome| outcome.cost_usd);
    let best_score = expected(reference, rows, |outcome| outcome.score);
    let best_cost = expected(reference, rows, |outcome| outcome.cost_usd);
    let timed = rows.iter().all(|row| row.outcomes.values().all(|outcome| outcome.latency_ms.is_some()));
    let latency = || mean(expected(strategy, rows, |outcome| outcome.latency_ms.unwrap_or(0.0)).into_iter());
    Line {
        name: strategy.name.clone(),
        cost: 1000.0 * mean(cost.iter().copied()),
        saved: bootstrap(&pairs(&cost, &best_cost), |cost, best, _| 1.0 - cost / best),
        difference: bootstrap(&pairs(&score, &best_score), |score, best, rows| (score - best) / rows),
        score: bootstrap(&pairs(&score, &best_score), |score, _, rows| score / rows),
        latency_ms: timed.then(latency),
    }
}

/// By row, what a strategy gets of something on average.
fn expected(strategy: &Strategy, rows: &[Row], of: impl Fn(&Outcome) -> f64) -> Vec<f64> {
    let one = |(row, shares): (&Row, &Vec<f64>)| {
        row.outcomes.values().zip(shares).map(|(outcome, share)| of(outcome) * share).sum()
    };
    rows.iter().zip(&strategy.shares).map(one).collect()
}

fn pairs(first: &[f64], second: &[f64]) -> Vec<(f64, f64)> {
    first.iter().copied().zip(second.iter().copied()).collect()
}

impl fmt::Display for Report {
    /// A table in Markdown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (train, test) = self.rows;
        writeln!(f, "### {} ({train} rows learnt from, {test} reported)\n", self.name)?;
        writeln!(
            f,
            "| strategy | score | $ per 1,000 | saved against best | score against best | latency |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|")?;
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Line {
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
