//! The models that are tried, and their order.

use pointsman_sdk::prelude::*;
use pointsman_sdk::{Modalities, Pattern, outline};
use pointsman_tasks::best_first;

/// The candidates that can serve the request whole and that the budget can pay,
/// best first; broken ones last.
pub(crate) fn able(request: &Request, candidates: &[Candidate]) -> Result<Vec<usize>, Refusal> {
    let whole = candidates.get(..outline::whole()).unwrap_or(candidates);
    if whole.is_empty() {
        return Err(Refusal::NoCandidate("no single model can serve the whole request".to_owned()));
    }
    let mut order = best_first(whole, request, &qualities(whole), 0.0)?;
    order.sort_by_key(|&index| !whole[index].healthy);
    Ok(order)
}

/// From the cheapest to the best: of the healthy models that read text, cheapest
/// first, each that is better than all cheaper ones. Of more than `levels` the
/// cheapest and the best stay, and of those in between some at even distances. A
/// model without a rating is no level, unless none is rated: then the dearer
/// counts as better.
pub(crate) fn levels(
    able: &[usize],
    candidates: &[Candidate],
    request: &Request,
    levels: usize,
) -> Vec<usize> {
    let cost = |index: usize| estimate::request_cost_usd(&candidates[index], request);
    let is_rated = able.iter().any(|&index| candidates[index].quality.is_some());
    let worth = |index: usize| if is_rated { candidates[index].quality } else { Some(cost(index)) };
    let fit = |model: &Candidate| model.healthy && model.inputs.contains(Modalities::TEXT);
    let mut by_cost: Vec<usize> = able.iter().copied().filter(|&index| fit(&candidates[index])).collect();
    // Stable, and they come best first: of equally dear ones the best hides the others.
    by_cost.sort_by(|&a, &b| cost(a).total_cmp(&cost(b)));
    let mut best = f64::NEG_INFINITY;
    by_cost.retain(|&index| {
        let better = worth(index).is_some_and(|worth| worth > best);
        if better {
            best = worth(index).unwrap_or(best);
        }
        better
    });
    if by_cost.len() <= levels {
        return by_cost;
    }
    let last = by_cost.len() - 1;
    (0..levels).map(|level| by_cost[level * last / (levels - 1)]).collect()
}

/// Those that may judge: of those that read text the ones that fit the pattern, or
/// all without one, best first. The one whose answer it is comes last.
pub(crate) fn judges(
    pattern: Option<&Pattern>,
    judged: usize,
    candidates: &[Candidate],
    able: &[usize],
) -> Vec<usize> {
    let fitting = able.iter().copied().filter(|&index| {
        let is_meant = pattern.is_none_or(|pattern| pattern.fits(&candidates[index].id));
        is_meant && candidates[index].inputs.contains(Modalities::TEXT)
    });
    let mut judges: Vec<usize> = fitting.collect();
    judges.sort_by_key(|&index| index == judged);
    judges
}

fn qualities(candidates: &[Candidate]) -> Vec<Option<f64>> {
    candidates.iter().map(|model| model.quality).collect()
}

#[cfg(test)]
mod tests;
