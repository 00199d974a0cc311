//! Scores, costs and savings of strategies on test rows.

use std::fmt;

use anyhow::{Context, Result};

use crate::baseline::{baselines, by_length};
use crate::data::DataSplit;
use crate::fleet::{Fleet, mean};
use crate::policy::PolicyRunner;
use crate::strategy_result::{StrategyResult, expected, measure};
use crate::sweep::choose;

/// Results on one data set.
#[derive(Clone, Debug)]
pub struct Report {
    /// Name of the data set.
    pub name: &'static str,
    /// Number of rows learnt from, and of rows reported on.
    pub rows: (usize, usize),
    /// One line for each strategy.
    pub lines: Vec<StrategyResult>,
}

/// Learns from the training rows and reports on the test rows.
pub fn report(split: &DataSplit) -> Result<Report> {
    let fleet = Fleet::learn(&split.train);
    let mut strategies = baselines(&fleet, &split.train, &split.test);
    let on_train = PolicyRunner { fleet: &fleet, rows: &split.train }.dynamic("", &serde_json::json!({}))?;
    let budget = expected(&on_train, &split.train, |outcome| outcome.cost_usd).into_iter();
    strategies.insert(3, by_length(&fleet, &split.train, &split.test, mean(budget)));
    strategies.extend(PolicyRunner { fleet: &fleet, rows: &split.test }.all()?);
    if let Some((easy, hard)) = choose(&split.train)? {
        let name = format!("dynamic, shares {easy} and {hard} chosen on training rows");
        let settings = serde_json::json!({"easy_share": easy, "hard_share": hard});
        strategies.push(PolicyRunner { fleet: &fleet, rows: &split.test }.dynamic(&name, &settings)?);
    }
    let reference = strategies.get(1).context("there is no baseline")?.clone();
    let lines = strategies.iter().map(|strategy| measure(strategy, &reference, &split.test)).collect();
    Ok(Report { name: split.name, rows: (split.train.len(), split.test.len()), lines })
}

impl fmt::Display for Report {
    /// Formats a table in Markdown.
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
