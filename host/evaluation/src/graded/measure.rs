//! Score, cost and savings of one strategy.

use serde::Serialize;

use super::interval::{ConfidenceInterval, bootstrap};
use super::{GradedData, GradedOutcome, HullPoint, Strategy, hull_mix, mean};

/// Results of one strategy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StrategyResult {
    /// Name.
    pub name: String,
    /// Mean score.
    pub score: ConfidenceInterval,
    /// Cost of 1,000 requests in US dollars.
    pub cost_of_1000: f64,
    /// Share of the reference's cost that is saved.
    pub saved: ConfidenceInterval,
    /// Score minus the reference's, on the same rows.
    pub difference: ConfidenceInterval,
    /// Score minus that of the mixture of single models that costs as much, on the same rows.
    pub above_hull: ConfidenceInterval,
    /// Mean milliseconds to the whole answer, if known.
    pub latency_ms: Option<f64>,
    /// Number of models that it chose.
    pub models: usize,
}

/// Bounds that a result has to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Least share that is saved.
    pub min_saved: Option<f64>,
    /// Largest loss of the score.
    pub max_loss: Option<f64>,
}

/// Measures a strategy beside a reference.
pub fn measure(
    strategy: &Strategy,
    reference: &Strategy,
    data: &GradedData,
    hull: &[HullPoint],
) -> StrategyResult {
    let score = expected(strategy, data, |outcome| outcome.score);
    let cost = expected(strategy, data, |outcome| outcome.cost);
    let best_score = expected(reference, data, |outcome| outcome.score);
    let best_cost = expected(reference, data, |outcome| outcome.cost);
    let mixture = hull_mix(hull, data.models.len(), mean(cost.iter().copied()));
    let mixture = Strategy { name: String::new(), shares: vec![mixture; data.rows.len()] };
    let hull_score = expected(&mixture, data, |outcome| outcome.score);
    let is_timed =
        data.rows.iter().all(|row| row.outcomes.iter().all(|outcome| outcome.latency_ms.is_some()));
    let latency = || mean(expected(strategy, data, |outcome| outcome.latency_ms.unwrap_or(0.0)).into_iter());
    StrategyResult {
        name: strategy.name.clone(),
        cost_of_1000: 1000.0 * mean(cost.iter().copied()),
        saved: bootstrap(
            &pairs(&cost, &best_cost),
            |cost, best, _| if best > 0.0 { 1.0 - cost / best } else { 0.0 },
        ),
        difference: bootstrap(&pairs(&score, &best_score), |score, best, rows| (score - best) / rows),
        above_hull: bootstrap(&pairs(&score, &hull_score), |score, hull, rows| (score - hull) / rows),
        score: bootstrap(&pairs(&score, &best_score), |score, _, rows| score / rows),
        latency_ms: (is_timed && !data.rows.is_empty()).then(latency),
        models: strategy.models_used(),
    }
}

/// Returns the expected value of a quantity for each row, over the shares of the strategy.
fn expected(strategy: &Strategy, data: &GradedData, of: impl Fn(&GradedOutcome) -> f64) -> Vec<f64> {
    let rows = data.rows.iter().zip(&strategy.shares);
    rows.map(|(row, shares)| {
        row.outcomes.iter().zip(shares).map(|(outcome, share)| of(outcome) * share).sum()
    })
    .collect()
}

fn pairs(first: &[f64], second: &[f64]) -> Vec<(f64, f64)> {
    first.iter().copied().zip(second.iter().copied()).collect()
}

impl Bounds {
    /// Returns the bounds that a result breaks, in words.
    pub fn broken(&self, result: &StrategyResult) -> Vec<String> {
        let mut broken = Vec::new();
        if let Some(least) = self.min_saved.filter(|least| result.saved.value < *least) {
            broken.push(format!(
                "saves {:.1} %, and at least {:.1} % are asked for",
                100.0 * result.saved.value,
                100.0 * least
            ));
        }
        if let Some(most) = self.max_loss.filter(|most| -result.difference.value > *most) {
            broken.push(format!("loses {:.4}, and at most {most} is allowed", -result.difference.value));
        }
        broken
    }
}
