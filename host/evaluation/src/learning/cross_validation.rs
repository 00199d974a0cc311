//! Estimate of a router on rows that it was not learnt from.

use pointsman_text_features::Router;

use super::fit::fit;
use super::{LearningData, LearningModel, LearningOptions, LearningRow, generator};
use crate::graded::interval::{ConfidenceInterval, bootstrap};

/// Score and cost of routers on rows that each was not learnt from, against the best single model of the rows that
/// it was learnt from. Only where the outcomes of all models are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Validation {
    /// Rows.
    pub rows: usize,
    /// Share of the cost that is saved.
    pub saved: ConfidenceInterval,
    /// Mean difference of the score.
    pub difference: ConfidenceInterval,
    /// Share of requests that the guard does not admit.
    pub unfamiliar: f64,
}

/// Learns from all folds but one, and decides on that one, in turn.
pub(super) fn validate(data: &LearningData, options: &LearningOptions) -> Option<Validation> {
    let is_complete = data.rows.iter().all(|row| row.outcomes.iter().all(Option::is_some));
    if !is_complete {
        return None;
    }
    let mut random = generator();
    let folds: Vec<usize> = data.rows.iter().map(|_| random.below(options.folds)).collect();
    let (mut scores, mut costs, mut unfamiliar) = (Vec::new(), Vec::new(), 0_usize);
    for fold in 0..options.folds {
        let part = |held_out: bool| {
            let of = folds.iter().zip(&data.rows).filter(move |(of, _)| (**of == fold) == held_out);
            of.map(|(_, row)| row).collect::<Vec<&LearningRow>>()
        };
        let router = fit(&data.models, &part(false), options);
        let best = best_of(&router);
        for row in part(true) {
            let (chosen, is_familiar) = decide(&router, &data.models, row);
            unfamiliar += usize::from(!is_familiar);
            let (Some(chosen), Some(best)) = (row.outcome(chosen), row.outcome(best)) else { continue };
            scores.push((chosen.score, best.score));
            costs.push((chosen.cost, best.cost));
        }
    }
    Some(Validation {
        rows: scores.len(),
        saved: bootstrap(&costs, |cost, best, _| 1.0 - cost / best),
        difference: bootstrap(&scores, |score, best, rows| (score - best) / rows),
        unfamiliar: unfamiliar as f64 / scores.len().max(1) as f64,
    })
}

fn best_of(router: &Router) -> usize {
    let keyed = router.models.iter().map(|model| model.mean).enumerate();
    keyed.fold((0, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best }).0
}

/// Decides as the policy does with no other wishes.
fn decide(router: &Router, models: &[LearningModel], row: &LearningRow) -> (usize, bool) {
    let prediction = router.predict_vector(&row.vector);
    if !prediction.is_familiar {
        return (best_of(router), false);
    }
    let routed = router.models.iter().zip(models).zip(&prediction.scores);
    let values = routed.map(|((routed, model), score)| {
        score - router.score_per_dollar * model.cost(row, routed.output_tokens)
    });
    let best = values
        .enumerate()
        .fold((0, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best });
    (best.0, true)
}
