//! Facts of models that an operator derives from training rows: prices, speeds, and quality in general and
//! by kind of task.

use std::collections::BTreeMap;

use super::{GradedData, GradedOutcome, GradedRow, mean};

/// Rows of a kind that weigh as much as the model's general mean, so that quality from a handful of rows
/// is not taken at face value.
const PRIOR_ROWS: f64 = 20.0;

/// Facts of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFacts {
    /// Name.
    pub model: String,
    /// Mean score.
    pub score: f64,
    /// Mean cost of a request in US dollars.
    pub cost: f64,
    /// US dollars per million tokens of the request.
    pub input_price: f64,
    /// US dollars per million tokens of the answer.
    pub output_price: f64,
    /// Milliseconds to the first token, if latencies are known.
    pub first_token_ms: Option<f64>,
    /// Tokens of the answer in a second, if latencies are known.
    pub tokens_per_second: Option<f64>,
    /// Quality by kind of task.
    pub by_kind: BTreeMap<&'static str, f64>,
}

impl ModelFacts {
    /// Returns the place of the model with the greatest mean score; the first of equals.
    pub fn best(facts: &[Self]) -> usize {
        super::position_of_min(facts.iter().map(|model| -model.score))
    }
}

/// Derives the facts of all models from training rows.
pub fn model_facts(train: &GradedData) -> Vec<ModelFacts> {
    let of = |(number, model): (usize, &String)| {
        let outcomes: Vec<GradedOutcome> = train.rows.iter().map(|row| row.outcome(number)).collect();
        let score = mean(outcomes.iter().map(|outcome| outcome.score));
        let priced = outcomes.iter().map(|it| [it.input_tokens, it.output_tokens, it.cost]);
        let (input, output) = fit(priced);
        let timed = outcomes.iter().filter_map(|it| Some([1.0, it.output_tokens, it.latency_ms?]));
        let (first_token, per_token) = fit(timed);
        let is_timed = first_token > 0.0;
        ModelFacts {
            model: model.clone(),
            score,
            cost: mean(outcomes.iter().map(|outcome| outcome.cost)),
            input_price: input * 1e6,
            output_price: output * 1e6,
            first_token_ms: is_timed.then_some(first_token),
            tokens_per_second: is_timed.then_some(1000.0 / per_token.max(0.1)),
            by_kind: by_kind(&train.rows, number, score),
        }
    };
    train.models.iter().enumerate().map(of).collect()
}

fn by_kind(rows: &[GradedRow], model: usize, general: f64) -> BTreeMap<&'static str, f64> {
    let mut sums: BTreeMap<&'static str, (f64, f64)> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry(row.kind).or_default();
        *sum = (sum.0 + row.outcome(model).score, sum.1 + 1.0);
    }
    let shrunk = |(sum, rows): (f64, f64)| (sum + PRIOR_ROWS * general) / (rows + PRIOR_ROWS);
    sums.into_iter().map(|(kind, sum)| (kind, shrunk(sum))).collect()
}

/// Returns the least-squares solution of `z = a·x + b·y` with `b` of 0 or more. If `y` is the same in all points, as
/// an assumed length of answers is, `b` is `a`: an unknown price of answers is that of requests.
fn fit(points: impl Iterator<Item = [f64; 3]> + Clone) -> (f64, f64) {
    let sum = |of: fn([f64; 3]) -> f64| points.clone().map(of).sum::<f64>();
    let (xx, xy, yy) = (sum(|[x, _, _]| x * x), sum(|[x, y, _]| x * y), sum(|[_, y, _]| y * y));
    let (xz, yz) = (sum(|[x, _, z]| x * z), sum(|[_, y, z]| y * z));
    let first = points.clone().next().map_or(0.0, |[_, y, _]| y);
    if first > 0.0 && points.clone().all(|[_, y, _]| y == first) {
        let both = sum(|[x, y, z]| (x + y) * z) / sum(|[x, y, _]| (x + y) * (x + y)).max(f64::MIN_POSITIVE);
        return (both, both);
    }
    let determinant = xx * yy - xy * xy;
    let slope = (xx * yz - xy * xz) / determinant;
    if determinant > 1e-9 * xx * yy && slope > 0.0 {
        (((yy * xz - xy * yz) / determinant).max(0.0), slope)
    } else if xx > 0.0 {
        (xz / xx, 0.0)
    } else {
        (0.0, 0.0)
    }
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
        let assumed = [[100.0, 256.0, 712.0], [10.0, 256.0, 532.0]];
        let (input, output) = fit(assumed.into_iter());
        assert!((input - 2.0).abs() < 1e-9 && input == output);
    }
}
