//! A router from rows.

use pointsman_text_features::{COUNT, Place, QuantizedRow, RoutedModel, Router, SIGNS, Space, SparseVector};

use super::ridge::{Design, Entries, Regression, predict};
use super::space::{guard, learn_space};
use super::tradeoff::{Tradeoff, score_per_dollar};
use super::{LearningModel, LearningOptions, LearningRow};

/// Strengths of the regularisation, of which leave-one-out chooses for each model.
const STRENGTHS: [f64; 6] = [3.0, 10.0, 30.0, 100.0, 300.0, 1000.0];
/// Penalty of signs and of centres, relative to that of words.
const SIGN_PENALTY: f64 = 0.3;
const CENTRE_PENALTY: f64 = 0.1;

/// Learns a router from rows that have at least one outcome each.
pub(super) fn fit(models: &[LearningModel], rows: &[&LearningRow], options: &LearningOptions) -> Router {
    let vectors: Vec<&SparseVector> = rows.iter().map(|row| &row.vector).collect();
    let space = learn_space(&vectors);
    let places: Vec<Place> = vectors.iter().map(|vector| place(&space, vector)).collect();
    let guard = guard(&places, options.familiar);
    let entries: Vec<Vec<(u16, f64)>> =
        vectors.iter().zip(&places).map(|(vector, place)| extended(vector, place)).collect();
    let task = Task { rows, models, entries: &entries, count: COUNT + space.centres.len() };
    let means = task.means();
    let best = position_of_max(&means);
    let is_complete = rows.iter().all(|row| row.outcomes.iter().all(Option::is_some));
    let learnt = if is_complete { task.differences(best, &means) } else { task.scores() };
    let tokens: Vec<f64> = (0..models.len()).map(|model| task.answer_tokens(model)).collect();
    let tradeoff = Tradeoff {
        models,
        rows,
        predictions: learnt.iter().map(|model| model.predictions.as_slice()).collect(),
        tokens: &tokens,
        familiar: places.iter().map(|place| guard.admits(place)).collect(),
        best,
    };
    let price = score_per_dollar(&tradeoff, options.max_loss);
    let routed = learnt.iter().enumerate().map(|(model, learnt)| {
        let mean = means.get(model).copied().unwrap_or_default();
        let tokens = tokens.get(model).copied().unwrap_or_default();
        let name = models.get(model).map(|model| model.name.clone()).unwrap_or_default();
        // Where no routing pays, each model has its mean, so the best one is chosen always.
        let learnt = if price.is_some() { learnt.clone() } else { LearntModel::constant(mean, task.count) };
        learnt.routed(name, mean, tokens)
    });
    Router {
        read_bytes: options.read_bytes,
        score_per_dollar: price.unwrap_or(0.0),
        guard,
        models: routed.collect(),
        space,
        ..Router::default()
    }
}

fn place(space: &Space, vector: &SparseVector) -> Place {
    let (coordinates, rest) = space.project(vector);
    space.place(&coordinates, rest)
}

/// Returns the features of a row with its memberships.
fn extended(vector: &SparseVector, place: &Place) -> Vec<(u16, f64)> {
    let memberships = place.memberships.iter().enumerate();
    let memberships = memberships.map(|(centre, share)| ((COUNT + centre) as u16, *share));
    vector.entries().iter().copied().chain(memberships).collect()
}

fn penalty(feature: usize, strength: f64) -> f64 {
    match feature {
        _ if feature < SIGNS => strength * SIGN_PENALTY,
        _ if feature < COUNT => strength,
        _ => strength * CENTRE_PENALTY,
    }
}

fn position_of_max(values: &[f64]) -> usize {
    let keyed = values.iter().copied().enumerate();
    keyed.fold((0, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best }).0
}

/// A regression of a model, with its predictions for all rows, leave-one-out where the row was learnt from.
#[derive(Clone)]
struct LearntModel {
    weights: Vec<f64>,
    bias: f64,
    predictions: Vec<f64>,
}

impl LearntModel {
    fn constant(bias: f64, count: usize) -> Self {
        Self { weights: vec![0.0; count], bias, predictions: Vec::new() }
    }

    fn routed(&self, model: String, mean: f64, output_tokens: f64) -> RoutedModel {
        let (features, centres) = self.weights.split_at(COUNT.min(self.weights.len()));
        let row = QuantizedRow::of(features);
        RoutedModel {
            model,
            mean,
            output_tokens,
            bias: self.bias,
            scale: row.scale,
            weights: row.weights,
            centres: centres.iter().copied().collect(),
        }
    }
}

/// Rows with all features.
struct Task<'a> {
    rows: &'a [&'a LearningRow],
    models: &'a [LearningModel],
    entries: &'a [Vec<(u16, f64)>],
    count: usize,
}

impl Task<'_> {
    /// Returns the mean score of each model, weighted by what was observed.
    fn means(&self) -> Vec<f64> {
        let of = |model: usize| {
            let outcomes = self.rows.iter().filter_map(|row| row.outcome(model));
            let (sum, weights) = outcomes.fold((0.0, 0.0), |(sum, weights), outcome| {
                let weight = outcome.weight.unwrap_or(1.0);
                (sum + weight * outcome.score, weights + weight)
            });
            if weights > 0.0 { sum / weights } else { 0.0 }
        };
        (0..self.models.len()).map(of).collect()
    }

    /// Returns the mean tokens of a model's answers.
    fn answer_tokens(&self, model: usize) -> f64 {
        let tokens = self.rows.iter().filter_map(|row| row.outcome(model)?.output_tokens);
        let (sum, count) = tokens.fold((0.0, 0.0), |(sum, count), tokens| (sum + tokens, count + 1.0));
        if count > 0.0 { sum / count } else { 0.0 }
    }

    /// Regresses the difference of each model to the best one.
    fn differences(&self, best: usize, means: &[f64]) -> Vec<LearntModel> {
        let score = |row: &LearningRow, model: usize| row.outcome(model).map_or(0.0, |outcome| outcome.score);
        let targets: Vec<Option<Vec<f64>>> = (0..self.models.len())
            .map(|model| {
                let difference = |row: &&LearningRow| score(row, model) - score(row, best);
                (model != best).then(|| self.rows.iter().map(difference).collect())
            })
            .collect();
        let rows: Vec<usize> = (0..self.rows.len()).collect();
        let weights = vec![1.0; rows.len()];
        let base = means.get(best).copied().unwrap_or_default();
        let regressions = self.regress(&rows, &weights, &targets);
        let finish = |regression: Option<Regression>| match regression {
            Some(regression) => LearntModel {
                bias: base + regression.bias,
                predictions: regression.left_out.iter().map(|difference| base + difference).collect(),
                weights: regression.weights,
            },
            None => LearntModel {
                predictions: vec![base; self.rows.len()],
                ..LearntModel::constant(base, self.count)
            },
        };
        regressions.into_iter().map(finish).collect()
    }

    /// Regresses the score of each model on the rows that it answered.
    fn scores(&self) -> Vec<LearntModel> {
        let of = |model: usize| {
            let observed = |row: &usize| self.rows.get(*row).and_then(|row| row.outcome(model)).is_some();
            let rows: Vec<usize> = (0..self.rows.len()).filter(observed).collect();
            let outcomes = || rows.iter().filter_map(|row| self.rows.get(*row)?.outcome(model));
            let weights: Vec<f64> = outcomes().map(|outcome| outcome.weight.unwrap_or(1.0)).collect();
            let mean = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
            let weights: Vec<f64> = weights.iter().map(|weight| weight / mean).collect();
            let target: Vec<f64> = outcomes().map(|outcome| outcome.score).collect();
            let Some(regression) = self.regress(&rows, &weights, &[Some(target)]).pop().flatten() else {
                return LearntModel::constant(0.0, self.count);
            };
            let predicted =
                |entries: &Vec<(u16, f64)>| regression.bias + predict(&regression.weights, entries);
            let mut predictions: Vec<f64> = self.entries.iter().map(predicted).collect();
            for (row, left_out) in rows.iter().zip(&regression.left_out) {
                if let Some(prediction) = predictions.get_mut(*row) {
                    *prediction = *left_out;
                }
            }
            LearntModel { weights: regression.weights, bias: regression.bias, predictions }
        };
        (0..self.models.len()).map(of).collect()
    }

    /// Regresses targets of the same rows, each at the strength that predicts left-out rows best.
    fn regress(
        &self,
        rows: &[usize],
        weights: &[f64],
        targets: &[Option<Vec<f64>>],
    ) -> Vec<Option<Regression>> {
        let weighted = rows.iter().zip(weights).filter_map(|(row, weight)| {
            let entries: &Entries = self.entries.get(*row)?;
            Some((entries, *weight))
        });
        let design = Design::new(self.count, weighted.collect());
        let mut best: Vec<Option<Regression>> = targets.iter().map(|_| None).collect();
        for strength in STRENGTHS {
            let factor = design.factor(|feature| penalty(feature, strength));
            for (best, target) in best.iter_mut().zip(targets) {
                let Some(target) = target else { continue };
                let regression = factor.regress(target);
                if best.as_ref().is_none_or(|best| regression.error < best.error) {
                    *best = Some(regression);
                }
            }
        }
        best
    }
}
