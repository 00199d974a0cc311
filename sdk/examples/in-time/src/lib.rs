//! The cheapest model that answers within the client's deadline.

use pointsman_sdk::prelude::*;

/// Has nothing to set and remembers nothing.
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
mod tests {
    use pointsman_sdk::testkit::{Gateway, candidate, request};

    use super::*;

    #[test]
    fn a_cheap_model_that_would_be_late_comes_second() {
        let speed = |tokens_per_second, model| Candidate {
            first_token_ms: Some(100.0),
            tokens_per_second: Some(tokens_per_second),
            ..model
        };
        let models =
            [speed(10.0, candidate("a/slow", 0.1, 0.1)), speed(100.0, candidate("b/fast", 1.0, 1.0))];
        let first = |request| Gateway::new().route::<InTime>(&request, &models).unwrap().targets[0].candidate;
        assert_eq!(first(request()), 0);
        assert_eq!(first(Request { deadline_ms: Some(5000), ..request() }), 1);
    }
}
