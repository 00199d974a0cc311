//! Decisions within the budget of a tenant.

use crate::{Candidate, Refusal, Request, estimate};

/// Removes the candidates whose estimated cost exceeds the request's `budget-left`. Without
/// a budget the order is returned unchanged.
///
/// # Errors
/// [`Refusal::Denied`] if no candidate is affordable.
pub fn affordable(
    mut order: Vec<usize>,
    candidates: &[Candidate],
    request: &Request,
) -> Result<Vec<usize>, Refusal> {
    let Some(left) = request.budget_left else { return Ok(order) };
    let cost = |index: usize| {
        candidates.get(index).map_or(f64::INFINITY, |c| estimate::request_cost_usd(c, request))
    };
    let least = order.iter().map(|&index| cost(index)).fold(f64::INFINITY, f64::min);
    order.retain(|&index| cost(index) <= left);
    if order.is_empty() {
        let (least, left) = (estimate::dollars(least), estimate::dollars(left));
        return Err(Refusal::Denied(format!(
            "the cheapest model would cost about {least}, and {left} of the budget is left"
        )));
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{candidate, request};

    #[test]
    fn candidates_above_the_budget_are_removed_and_none_left_is_a_denial() {
        let models = [candidate("a/dear", 10.0, 10.0), candidate("b/cheap", 1.0, 1.0)];
        let with = |budget_left| affordable(vec![0, 1], &models, &Request { budget_left, ..request() });
        assert_eq!(with(None), Ok(vec![0, 1]));
        assert_eq!(with(Some(1.0)), Ok(vec![0, 1]));
        assert_eq!(with(Some(0.001)), Ok(vec![1]));
        let Err(Refusal::Denied(message)) = with(Some(0.0001)) else { panic!("not denied") };
        assert_eq!(
            message,
            "the cheapest model would cost about $0.000356, and $0.000100 of the budget is left"
        );
    }
}
