//! Configuration that an operator would write after looking at the training rows: prices, speeds,
//! and quality in general and by kind of task.

use std::collections::BTreeMap;

use pointsman_sdk::Candidate;
use pointsman_sdk::testkit::candidate;
use pointsman_tasks::{Kind, classify};

use crate::data::{Outcome, OutcomeRow};

/// Number of rows of a kind that weigh as much as the model's general mean, so that quality from
/// a handful of rows is not taken at face value.
const PRIOR_ROWS: f64 = 20.0;

/// Models of a data set.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// Candidates in the order of the rows' outcomes.
    pub candidates: Vec<Candidate>,
    /// Setting `quality` of `task-type` and `dynamic`.
    pub quality: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Fleet {
    /// Derives the fleet from training rows.
    pub fn learn(rows: &[OutcomeRow]) -> Self {
        let mut fleet = Self { candidates: Vec::new(), quality: BTreeMap::new() };
        let kinds: Vec<Kind> = rows.iter().map(|row| classify(&row.request, &row.text, &row.tools)).collect();
        for model in rows.first().into_iter().flat_map(|row| row.outcomes.keys()) {
            let outcomes: Vec<&Outcome> = rows.iter().filter_map(|row| row.outcomes.get(model)).collect();
            let general = mean(outcomes.iter().map(|outcome| outcome.score));
            fleet.candidates.push(facts(model, &outcomes, general));
            let scores = kinds.iter().copied().zip(outcomes.iter().map(|outcome| outcome.score));
            fleet.quality.insert(model.clone(), by_kind(scores, general));
        }
        fleet
    }

    /// Returns the candidate with the best general quality.
    pub fn best(&self) -> usize {
        self.pick(|model| -model.quality.unwrap_or_default())
    }

    /// Returns the candidate with the least mean cost over rows.
    pub fn cheapest(&self, rows: &[OutcomeRow]) -> usize {
        let cost = |model: &Candidate| {
            rows.iter()
                .filter_map(|row| row.outcomes.get(&model.id))
                .map(|outcome| outcome.cost_usd)
                .sum::<f64>()
        };
        self.pick(cost)
    }

    fn pick(&self, key: impl Fn(&Candidate) -> f64) -> usize {
        let keyed = self.candidates.iter().map(key).enumerate();
        keyed.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index)
    }
}

fn by_kind(scores: impl Iterator<Item = (Kind, f64)>, general: f64) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (kind, score) in scores {
        let sum = sums.entry(kind.name()).or_default();
        *sum = (sum.0 + score, sum.1 + 1.0);
    }
    let shrunk = |(sum, rows): (f64, f64)| (sum + PRIOR_ROWS * general) / (rows + PRIOR_ROWS);
    sums.into_iter().map(|(kind, sum)| (kind.to_owned(), shrunk(sum))).collect()
}

fn facts(model: &str, outcomes: &[&Outcome], quality: f64) -> Candidate {
    let tokens = |outcome: &Outcome| outcome.output_tokens.unwrap_or(0.0);
    let priced = outcomes.iter().map(|outcome| [outcome.input_tokens, tokens(outcome), outcome.cost_usd]);
    let (input, output) = fit(priced);
    let timed = outcomes.iter().filter_map(|outcome| Some([1.0, tokens(outcome), outcome.latency_ms?]));
    let (first_token, per_token) = fit(timed);
    let measured = first_token > 0.0;
    Candidate {
        quality: Some(quality),
        first_token_ms: measured.then_some(first_token),
        tokens_per_second: measured.then_some(1000.0 / per_token.max(0.1)),
        ..candidate(model, input * 1e6, output * 1e6)
    }
}

/// Returns the least-squares solution of `z = a·x + b·y`; `b` is 0 if `y` always is, or if the
/// fit would make it negative.
fn fit(points: impl Iterator<Item = [f64; 3]> + Clone) -> (f64, f64) {
    let sum = |of: fn([f64; 3]) -> f64| points.clone().map(of).sum::<f64>();
    let (xx, xy, yy) = (sum(|[x, _, _]| x * x), sum(|[x, y, _]| x * y), sum(|[_, y, _]| y * y));
    let (xz, yz) = (sum(|[x, _, z]| x * z), sum(|[_, y, z]| y * z));
    let determinant = xx * yy - xy * xy;
    let slope = (xx * yz - xy * xz) / determinant;
    if determinant > 1e-9 * xx * yy && slope > 0.0 {
        ((yy * xz - xy * yz) / determinant, slope)
    } else if xx > 0.0 {
        (xz / xx, 0.0)
    } else {
        (0.0, 0.0)
    }
}

pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_recovered_from_costs() {
        let points = [[100.0, 10.0, 130.0], [50.0, 40.0, 170.0], [10.0, 0.0, 10.0]];
        let (input, output) = fit(points.into_iter());
        assert!((input - 1.0).abs() < 1e-9 && (output - 3.0).abs() < 1e-9);
        assert_eq!(fit([[100.0, 0.0, 200.0]].into_iter()), (2.0, 0.0));
    }
}
