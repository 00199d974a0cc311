//! Selection of defaults: settings of `dynamic` compared by five-fold cross-validation on
//! training rows, so that no test row takes part.

use anyhow::Result;
use serde_json::json;

use crate::baseline::{Strategy, baselines};
use crate::data::OutcomeRow;
use crate::fleet::Fleet;
use crate::policy::PolicyRunner;
use crate::strategy_result::{StrategyResult, measure};

const FOLDS: usize = 5;
const SHARES: [f64; 7] = [0.88, 0.90, 0.92, 0.94, 0.95, 0.96, 0.98];
/// Steps by which `hard_share` may be higher.
const STEPS: [f64; 2] = [0.0, 0.03];

/// Limit of quality that a chosen setting may lose on training rows.
const LOSS: f64 = 0.01;

/// Reports one line for each pair of `easy_share` and `hard_share`.
pub fn sweep(rows: &[OutcomeRow]) -> Result<Vec<StrategyResult>> {
    pairs().map(|(easy, hard)| validated(rows, easy, hard)).collect()
}

/// Returns the pair of `easy_share` and `hard_share` that saves most on training rows and loses
/// no more quality than [`LOSS`] and than may be chance; `None` if no pair does.
pub fn choose(rows: &[OutcomeRow]) -> Result<Option<(f64, f64)>> {
    let mut best = None;
    for (easy, hard) in pairs() {
        let line = validated(rows, easy, hard)?;
        let harmless = line.difference.value >= -LOSS && line.difference.high >= 0.0;
        let saved = line.saved.value;
        if harmless && saved > best.map_or(0.0, |(most, _)| most) {
            best = Some((saved, (easy, hard)));
        }
    }
    Ok(best.map(|(_, pair)| pair))
}

fn pairs() -> impl Iterator<Item = (f64, f64)> {
    SHARES.into_iter().flat_map(|easy| STEPS.map(|step| (easy, (easy + step).min(1.0))))
}

fn validated(rows: &[OutcomeRow], easy: f64, hard: f64) -> Result<StrategyResult> {
    let name = format!("easy_share {easy:.2}, hard_share {hard:.2}");
    let mut tested = Vec::new();
    let mut joined =
        [&name, "always best"].map(|name| Strategy { name: name.to_owned(), shares: Vec::new() });
    for fold in 0..FOLDS {
        let held_out = |number: &usize| number % FOLDS == fold;
        let pick = |test: bool| {
            rows.iter()
                .enumerate()
                .filter(move |(number, _)| held_out(number) == test)
                .map(|(_, row)| row.clone())
        };
        let (train, test): (Vec<OutcomeRow>, Vec<OutcomeRow>) = (pick(false).collect(), pick(true).collect());
        let fleet = Fleet::learn(&train);
        let settings = json!({"easy_share": easy, "hard_share": hard});
        let dynamic = PolicyRunner { fleet: &fleet, rows: &test }.dynamic(&name, &settings)?;
        let best = baselines(&fleet, &train, &test).swap_remove(1);
        for (joined, strategy) in joined.iter_mut().zip([dynamic, best]) {
            joined.shares.extend(strategy.shares);
        }
        tested.extend(test);
    }
    Ok(measure(&joined[0], &joined[1], &tested))
}
