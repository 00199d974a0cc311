//! The price of a score: how much predicted score a US dollar has to bring.

use super::{LearningModel, LearningRow};

/// Ratio of neighbouring prices that are compared.
const STEP: f64 = 1.15;
/// Prices below and above the one at which the best model's mean cost is worth a whole point of score.
const BELOW: i32 = 60;
const ABOVE: i32 = 25;
/// A loss is assumed to be greater than it looks by standard errors. For each model beside the best one their number is the
/// square of this divided by the rows: strengths, kinds and price are chosen on the same rows, and the fewer rows and
/// the more models, the better by chance the best of many looks.
const CAUTION_ROWS: f64 = 350.0;
/// Largest weight of an observed outcome, so that a rare one does not decide alone.
const MAX_WEIGHT: f64 = 20.0;

/// Predictions to trade off.
pub(super) struct Tradeoff<'a> {
    pub(super) models: &'a [LearningModel],
    pub(super) rows: &'a [&'a LearningRow],
    /// Predicted scores by model and row.
    pub(super) predictions: Vec<&'a [f64]>,
    /// Mean tokens of an answer by model.
    pub(super) tokens: &'a [f64],
    /// Rows that the guard admits.
    pub(super) familiar: Vec<bool>,
    /// The best single model.
    pub(super) best: usize,
}

/// Score and cost of a price, against those of the best single model.
struct PriceResult {
    loss: f64,
    error: f64,
    saved: f64,
}

/// Returns the price that saves most with a loss that is allowed; `None` if the best single model is better.
pub(super) fn score_per_dollar(tradeoff: &Tradeoff<'_>, max_loss: f64) -> Option<f64> {
    let costs = tradeoff.costs();
    let of_best = |row: &Vec<f64>| row.get(tradeoff.best).copied().unwrap_or_default();
    let mean = costs.iter().map(of_best).sum::<f64>() / costs.len().max(1) as f64;
    if mean <= 0.0 {
        return None;
    }
    let prices = (-BELOW..=ABOVE).map(|power| STEP.powi(power) / mean);
    let others = tradeoff.models.len().saturating_sub(1) as f64;
    let caution = others * (CAUTION_ROWS / costs.len().max(1) as f64).powi(2);
    let mut best: Option<(f64, f64)> = None;
    for price in std::iter::once(0.0).chain(prices) {
        let result = tradeoff.evaluate(&costs, price);
        let is_allowed = result.loss + caution * result.error <= max_loss;
        if is_allowed && result.saved > best.map_or(0.0, |(saved, _)| saved) {
            best = Some((result.saved, price));
        }
    }
    best.map(|(_, price)| price)
}

impl Tradeoff<'_> {
    /// Returns the predicted cost of each row by model.
    fn costs(&self) -> Vec<Vec<f64>> {
        let of = |row: &LearningRow| {
            self.models.iter().zip(self.tokens).map(|(model, tokens)| model.cost(row, *tokens)).collect()
        };
        self.rows.iter().map(|row| of(row)).collect()
    }

    fn evaluate(&self, costs: &[Vec<f64>], price: f64) -> PriceResult {
        let (mut losses, mut cost, mut best_cost) = (Vec::with_capacity(costs.len()), 0.0, 0.0);
        for (number, (row, costs)) in self.rows.iter().zip(costs).enumerate() {
            let chosen = self.choose(number, costs, price);
            losses.push(self.value(number, row, self.best) - self.value(number, row, chosen));
            let paid = |model: usize| {
                let known = row.outcome(model).map(|outcome| outcome.cost);
                known.unwrap_or_else(|| costs.get(model).copied().unwrap_or_default())
            };
            cost += paid(chosen);
            best_cost += paid(self.best);
        }
        let rows = losses.len().max(1) as f64;
        let loss = losses.iter().sum::<f64>() / rows;
        let squares: f64 = losses.iter().map(|value| (value - loss).powi(2)).sum();
        PriceResult { loss, error: squares.sqrt() / rows, saved: 1.0 - cost / best_cost }
    }

    fn choose(&self, row: usize, costs: &[f64], price: f64) -> usize {
        if self.familiar.get(row) != Some(&true) {
            return self.best;
        }
        let mut best = (self.best, f64::NEG_INFINITY);
        for (model, (predictions, cost)) in self.predictions.iter().zip(costs).enumerate() {
            let value = predictions.get(row).copied().unwrap_or_default() - price * cost;
            if value > best.1 {
                best = (model, value);
            }
        }
        best.0
    }

    /// Returns the score of a model on a row: the observed one where all are known, else the doubly robust
    /// estimate (Dudík, Langford and Li, 2011).
    fn value(&self, number: usize, row: &LearningRow, model: usize) -> f64 {
        let predicted =
            self.predictions.get(model).and_then(|of| of.get(number)).copied().unwrap_or_default();
        let Some(outcome) = row.outcome(model) else { return predicted };
        let weight = outcome.weight.map_or(0.0, |weight| weight.min(MAX_WEIGHT));
        predicted + weight * (outcome.score - predicted)
    }
}
