//! Ridge regression with leave-one-out predictions in closed form.
//!
//! For rows `x` with weights `w` around their weighted mean, a strength `λ` and the relative penalties `p` of
//! the features, the coefficients are `(XᵀWX + λP)⁻¹XᵀWy`, and the prediction of a row by the model that was
//! learnt without it is `y − (y − ŷ)/(1 − h)`, where `h` is the row's leverage (Hoerl and Kennard, 1970; Allen's
//! PRESS, 1974). The intercept has no penalty.

use super::matrix::{SquareMatrix, add_multiple, dot};

/// Largest leverage that is divided by: a row that is alone in what it shows predicts itself.
const MAX_LEVERAGE: f64 = 0.99;

/// Entries of a row that are not zero: number of the feature and value, in ascending order.
pub(super) type Entries = [(u16, f64)];

/// Rows of a regression, with their weights.
pub(super) struct Design<'a> {
    /// Number of features.
    count: usize,
    /// Features that occur in a row: the others have no coefficient.
    active: Vec<usize>,
    rows: Vec<(&'a Entries, f64)>,
    /// The rows with the places of their features among the active ones.
    compact: Vec<Vec<(u16, f64)>>,
    gram: SquareMatrix,
    mean: Vec<f64>,
    total: f64,
}

/// A factorised design at one strength, which serves any number of targets.
pub(super) struct Factor<'d, 'a> {
    design: &'d Design<'a>,
    inverse: SquareMatrix,
    /// The inverse factor times the mean.
    mean: Vec<f64>,
    leverages: Vec<f64>,
}

/// A regression of one target.
#[derive(Clone, Debug)]
pub(super) struct Regression {
    /// Coefficients by feature.
    pub(super) weights: Vec<f64>,
    /// Prediction of a row without features.
    pub(super) bias: f64,
    /// Predictions of the rows, each by the model that was learnt without it.
    pub(super) left_out: Vec<f64>,
    /// Weighted mean of the squared errors of those predictions.
    pub(super) error: f64,
}

impl<'a> Design<'a> {
    /// Creates a design of rows with `count` features, whose weights are above 0.
    pub(super) fn new(count: usize, rows: Vec<(&'a Entries, f64)>) -> Self {
        let total: f64 = rows.iter().map(|(_, weight)| weight).sum();
        let mut places = vec![None; count];
        rows.iter().flat_map(|(entries, _)| *entries).for_each(|&(feature, _)| {
            places[usize::from(feature)] = Some(0_u16);
        });
        let active: Vec<usize> = (0..count).filter(|feature| places[*feature].is_some()).collect();
        for (place, feature) in active.iter().enumerate() {
            places[*feature] = Some(place as u16);
        }
        let place = |&(feature, value): &(u16, f64)| Some((places[usize::from(feature)]?, value));
        let compact: Vec<Vec<(u16, f64)>> =
            rows.iter().map(|(entries, _)| entries.iter().filter_map(place).collect()).collect();
        let (mut gram, mut mean) = (SquareMatrix::zeros(active.len()), vec![0.0; active.len()]);
        for (entries, (_, weight)) in compact.iter().zip(&rows) {
            for (place, &(feature, value)) in entries.iter().enumerate() {
                mean[usize::from(feature)] += weight * value / total;
                let row = gram.row_mut(usize::from(feature));
                // The lower triangle is enough for a Cholesky factor.
                for &(other, product) in &entries[..=place] {
                    row[usize::from(other)] += weight * value * product;
                }
            }
        }
        for feature in 0..active.len() {
            let factor = -total * mean[feature];
            add_multiple(&mut gram.row_mut(feature)[..=feature], factor, &mean[..=feature]);
        }
        Self { count, active, rows, compact, gram, mean, total }
    }

    /// Factorises the design with a penalty for each feature.
    pub(super) fn factor(&self, penalty: impl Fn(usize) -> f64) -> Factor<'_, 'a> {
        let diagonal = |place: usize| self.active.get(place).map_or(0.0, |feature| penalty(*feature));
        let inverse = self.gram.cholesky(diagonal).inverse_transposed();
        let mut mean = vec![0.0; self.active.len()];
        for (feature, value) in self.mean.iter().enumerate() {
            add_multiple(&mut mean, *value, inverse.row(feature));
        }
        let mut factor = Factor { design: self, inverse, mean, leverages: Vec::new() };
        let rows = self.compact.iter().zip(&self.rows);
        let leverage = |entries: &Entries, weight| weight * (1.0 / self.total + factor.distance(entries));
        factor.leverages =
            rows.map(|(entries, (_, weight))| leverage(entries, weight).min(MAX_LEVERAGE)).collect();
        factor
    }
}

impl Factor<'_, '_> {
    /// Returns the leverage of a row without that of the intercept: its squared distance from the mean in
    /// the metric of the regression.
    fn distance(&self, entries: &Entries) -> f64 {
        let mut solved: Vec<f64> = self.mean.iter().map(|value| -value).collect();
        for &(feature, value) in entries {
            let feature = usize::from(feature);
            add_multiple(&mut solved[feature..], value, &self.inverse.row(feature)[feature..]);
        }
        dot(&solved, &solved)
    }

    /// Regresses a target, a value for each row.
    pub(super) fn regress(&self, target: &[f64]) -> Regression {
        let rows = &self.design.rows;
        let average =
            rows.iter().zip(target).map(|((_, weight), y)| weight * y).sum::<f64>() / self.design.total;
        let active = &self.design.active;
        let mut moment = vec![0.0; active.len()];
        for ((entries, (_, weight)), y) in self.design.compact.iter().zip(rows).zip(target) {
            for &(feature, value) in entries {
                moment[usize::from(feature)] += weight * value * (y - average);
            }
        }
        // The sum of the centred target is 0, so the mean of the features drops out of the moment.
        let mut solved = vec![0.0; active.len()];
        for (feature, value) in moment.iter().enumerate() {
            add_multiple(&mut solved[feature..], *value, &self.inverse.row(feature)[feature..]);
        }
        let compact: Vec<f64> =
            (0..active.len()).map(|place| dot(&self.inverse.row(place)[place..], &solved[place..])).collect();
        let bias = average - dot(&compact, &self.design.mean);
        let mut weights = vec![0.0; self.design.count];
        for (feature, weight) in active.iter().zip(compact) {
            weights[*feature] = weight;
        }
        let mut error = 0.0;
        let left_out =
            rows.iter().zip(target).zip(&self.leverages).map(|(((entries, weight), y), leverage)| {
                let residual = y - bias - predict(&weights, entries);
                let without = residual / (1.0 - leverage);
                error += weight * without * without / self.design.total;
                y - without
            });
        let left_out = left_out.collect();
        Regression { weights, bias, left_out, error }
    }
}

/// Returns the sum of products of weights and entries.
pub(super) fn predict(weights: &[f64], entries: &Entries) -> f64 {
    entries.iter().map(|&(feature, value)| weights[usize::from(feature)] * value).sum()
}

#[cfg(test)]
mod tests {
    use pointsman_text_features::{COUNT, Facts, SIGNS, SparseVector, features};

    use super::*;
    use crate::random::Random;

    /// Returns vectors of made-up requests, with a target that depends on their words.
    fn sample(rows: usize) -> (Vec<SparseVector>, Vec<f64>) {
        let mut random = Random::new(5);
        let words = ["red", "green", "blue", "why", "list", "sum", "12", "of", "the", "city"];
        let text =
            |random: &mut Random| (0..8).map(|_| words[random.below(10)]).collect::<Vec<_>>().join(" ");
        let texts: Vec<String> = (0..rows).map(|_| text(&mut random)).collect();
        let vector = |text: &String| features(&Facts { text, ..Facts::default() });
        let target = |text: &String| f64::from(u8::from(text.contains("why"))) + 0.1 * random.normal();
        (texts.iter().map(vector).collect(), texts.iter().map(target).collect())
    }

    #[test]
    fn predictions_that_leave_a_row_out_are_those_of_a_model_without_it() {
        let (vectors, target) = sample(25);
        let weight = |row: usize| 1.0 + (row % 3) as f64;
        let rows = |without: Option<usize>| {
            let kept = (0..25).filter(move |row| Some(*row) != without);
            kept.map(|row| (vectors[row].entries(), weight(row))).collect::<Vec<_>>()
        };
        let penalty = |feature| if feature < SIGNS { 0.2 } else { 0.7 };
        let design = Design::new(COUNT, rows(None));
        let all = design.factor(penalty).regress(&target);
        for row in [0, 7, 24] {
            let rest: Vec<f64> = (0..25).filter(|other| *other != row).map(|other| target[other]).collect();
            let design = Design::new(COUNT, rows(Some(row)));
            let without = design.factor(penalty).regress(&rest);
            let predicted = without.bias + predict(&without.weights, vectors[row].entries());
            assert!((predicted - all.left_out[row]).abs() < 1e-6, "{predicted} {}", all.left_out[row]);
        }
    }

    #[test]
    fn a_word_that_matters_is_learnt_and_a_great_strength_learns_the_mean() {
        let (vectors, target) = sample(120);
        let design = Design::new(COUNT, vectors.iter().map(|vector| (vector.entries(), 1.0)).collect());
        let learnt = design.factor(|_| 0.1).regress(&target);
        let constant = design.factor(|_| 1e9).regress(&target);
        assert!(learnt.error < 0.5 * constant.error, "{} {}", learnt.error, constant.error);
        let mean = target.iter().sum::<f64>() / 120.0;
        assert!((constant.bias - mean).abs() < 1e-3);
    }
}
