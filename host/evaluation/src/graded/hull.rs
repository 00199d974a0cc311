//! The concave hull of single models: what a random choice among them scores at each cost. A router that is not
//! above it learnt nothing about requests.

use super::{GradedData, mean};

/// A model on the hull.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HullPoint {
    /// Model.
    pub model: usize,
    /// Mean cost in US dollars.
    pub cost: f64,
    /// Mean score.
    pub score: f64,
}

/// Returns the models on the upper concave hull of mean score over mean cost, cheapest first. Beyond the model with
/// the greatest score there is none.
pub fn hull(data: &GradedData) -> Vec<HullPoint> {
    let point = |model: usize| HullPoint {
        model,
        cost: mean(data.rows.iter().map(|row| row.outcome(model).cost)),
        score: mean(data.rows.iter().map(|row| row.outcome(model).score)),
    };
    let mut points: Vec<HullPoint> = (0..data.models.len()).map(point).collect();
    points.sort_by(|a, b| a.cost.total_cmp(&b.cost).then(b.score.total_cmp(&a.score)));
    let mut hull: Vec<HullPoint> = Vec::new();
    for point in points {
        if hull.last().is_some_and(|last| point.score <= last.score) {
            continue;
        }
        while let [.., before, last] = hull.as_slice() {
            let rise = (last.score - before.score) * (point.cost - before.cost);
            if rise > (point.score - before.score) * (last.cost - before.cost) {
                break;
            }
            hull.pop();
        }
        hull.push(point);
    }
    hull
}

/// Returns the share of each model in the mixture of the hull that costs as much; the cheapest or the best model
/// alone where no mixture does.
pub fn hull_mix(hull: &[HullPoint], models: usize, cost: f64) -> Vec<f64> {
    let mut shares = vec![0.0; models];
    let mut give = |model: usize, share: f64| {
        if let Some(place) = shares.get_mut(model) {
            *place += share;
        }
    };
    let above = hull.iter().position(|point| point.cost >= cost);
    match (above, hull.last()) {
        (Some(0), _) => give(hull[0].model, 1.0),
        (Some(place), _) => {
            let (below, above) = (hull[place - 1], hull[place]);
            let share = (cost - below.cost) / (above.cost - below.cost);
            give(above.model, share);
            give(below.model, 1.0 - share);
        }
        (None, Some(last)) => give(last.model, 1.0),
        (None, None) => {}
    }
    shares
}
