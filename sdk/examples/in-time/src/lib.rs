//! A policy that prefers the cheapest model that answers within the client's deadline.

use pointsman_sdk::prelude::*;

/// Has no settings and no state.
pub struct InTime;

impl Policy for InTime {
    type Settings = NoSettings;

    fn new(_: NoSettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let tokens = estimate::output_tokens(request);
        let limit = request.deadline_ms.map_or(f64::INFINITY, f64::from);
        let order = order::ascending(candidates, |_, model| {
            let late = estimate::last_token_ms(model, tokens, 16.0).is_none_or(|ms| ms > limit);
            estimate::request_cost_usd(model, request) + if late { 1e9 } else { 0.0 }
        });
        Ok(Decision::of(order, "cheapest-in-time"))
    }
}

export!(InTime);

#[cfg(test)]
mod tests;
