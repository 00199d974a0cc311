//! Choices of perfect knowledge of the recorded outcomes, as they are and corrected for their noise.

use std::collections::BTreeMap;

use super::{GradedData, GradedRow, Strategy, mean};

/// Returns the strategy that takes the cheapest of the best answers of each request. It bounds every router, but
/// no router can reach it: an outcome that was luck would not happen again.
pub fn oracle(data: &GradedData) -> Strategy {
    Strategy::of("oracle", data.models.len(), data.rows.iter().map(best_answer))
}

fn best_answer(row: &GradedRow) -> usize {
    let better = |best: usize, next: usize| {
        let (a, b) = (row.outcome(best), row.outcome(next));
        let is_better = (b.score, -b.cost) > (a.score, -a.cost);
        if is_better { next } else { best }
    };
    (0..row.outcomes.len()).fold(0, better)
}

/// Estimates the reliability of outcomes: the share of the variance of scores, within a model and category, that
/// models have in common, which is the intraclass correlation of rows (Shrout and Fleiss, 1979, ICC(3,1)) of scores
/// without the means of their model and category. What differs from model to model and would still happen again is
/// not in it, so it is a lower bound. 0..1.
pub fn reliability(data: &GradedData) -> f64 {
    let means = Means::of(data);
    let models = data.models.len() as f64;
    let (mut between, mut within, mut rows) = (0.0, 0.0, 0.0);
    for row in &data.rows {
        let residuals: Vec<f64> =
            (0..data.models.len()).map(|model| row.outcome(model).score - means.get(row, model)).collect();
        let average = mean(residuals.iter().copied());
        between += models * average * average;
        within += residuals.iter().map(|value| (value - average).powi(2)).sum::<f64>();
        rows += 1.0;
    }
    let free = rows - means.categories() as f64;
    if free < 1.0 || models < 2.0 {
        return 0.0;
    }
    let (between, within) = (between / free, within / (free * (models - 1.0)));
    let reliability = (between - within) / (between + (models - 1.0) * within);
    if reliability.is_finite() { reliability.clamp(0.0, 1.0) } else { 0.0 }
}

/// Returns the mean score that the best choice for each row is expected to have if its answers were made again: each
/// outcome is shrunk towards the mean of its model in its category by the reliability of outcomes.
pub fn corrected_oracle(data: &GradedData, reliability: f64) -> f64 {
    let means = Means::of(data);
    let expected = |row: &GradedRow, model: usize| {
        let mean = means.get(row, model);
        mean + reliability * (row.outcome(model).score - mean)
    };
    let best = |row: &GradedRow| {
        (0..data.models.len()).map(|model| expected(row, model)).fold(f64::NEG_INFINITY, f64::max)
    };
    if data.models.is_empty() { 0.0 } else { mean(data.rows.iter().map(best)) }
}

/// Mean scores by category and model.
struct Means<'a>(BTreeMap<&'a str, Vec<f64>>);

impl<'a> Means<'a> {
    fn of(data: &'a GradedData) -> Self {
        let mut rows: BTreeMap<&str, Vec<&GradedRow>> = BTreeMap::new();
        for row in &data.rows {
            rows.entry(&row.category).or_default().push(row);
        }
        let of = |rows: Vec<&GradedRow>| {
            let score = |model: usize| mean(rows.iter().map(|row| row.outcome(model).score));
            (0..data.models.len()).map(score).collect()
        };
        Self(rows.into_iter().map(|(category, rows)| (category, of(rows))).collect())
    }

    fn get(&self, row: &GradedRow, model: usize) -> f64 {
        self.0.get(row.category.as_str()).and_then(|means| means.get(model)).copied().unwrap_or_default()
    }

    fn categories(&self) -> usize {
        self.0.len()
    }
}
