//! Putting the best models first.

use pointsman_sdk::{Candidate, Refusal, Request, budget, estimate, order};

/// Indices of the candidates that the budget can pay: those within `tolerance` of
/// the best quality, cheapest first; then the others of known quality, best
/// first; then those of unknown quality, dearest first, because among models
/// that nobody rated the price is the best sign of quality there is.
pub fn best_first(
    candidates: &[Candidate],
    request: &Request,
    quality: &[Option<f64>],
    tolerance: f64,
) -> Result<Vec<usize>, Refusal> {
    let of = |index: usize| quality.get(index).copied().flatten();
    let order = order::ascending(candidates, |index, model| {
        let cost = estimate::request_cost_usd(model, request);
        if of(index).is_some() { cost } else { -cost }
    });
    let mut order = budget::affordable(order, candidates, request)?;
    let best = order.iter().filter_map(|&index| of(index)).fold(0.0, f64::max);
    let near = |index: usize| of(index).is_some_and(|quality| quality >= best - tolerance);
    // 2 for the nearly best, then by quality, then the unknown ones. Stable, so
    // that equals keep the order by cost.
    let rank = |index: usize| if near(index) { 2.0 } else { of(index).unwrap_or(-1.0) };
    order.sort_by(|&a, &b| rank(b).total_cmp(&rank(a)));
    Ok(order)
}

#[cfg(test)]
mod tests {
    use pointsman_sdk::testkit::{candidate, request};

    use super::*;

    #[test]
    fn the_cheapest_of_the_best_goes_first_and_unrated_ones_go_last_by_price() {
        let prices = [1.0, 0.5, 0.1, 3.0, 5.0];
        let models = prices.map(|price| candidate("a/b", price, price));
        let quality = [Some(0.9), Some(0.89), Some(0.4), None, None];
        let order = |tolerance| best_first(&models, &request(), &quality, tolerance).unwrap();
        assert_eq!(order(0.0), [0, 1, 2, 4, 3]);
        assert_eq!(order(0.02), [1, 0, 2, 4, 3]);
    }
}
