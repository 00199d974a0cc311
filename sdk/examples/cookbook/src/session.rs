//! All requests of a session go to the same model, so that the provider's prompt cache serves them.

use pointsman_sdk::draw::Draw;
use pointsman_sdk::prelude::*;

/// Spreads sessions evenly over the healthy models.
pub struct SameModel;

impl Policy for SameModel {
    type Settings = NoSettings;

    fn new(_: NoSettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        // A request without a session is one of its own.
        let key = request.session.as_deref().unwrap_or(&request.id);
        let all = (0..candidates.len()).collect();
        let healthy = |_, model: &Candidate| if model.healthy { 1.0 } else { 0.0 };
        let Draw { order, propensity } = draw::by_weight(&["session", key], candidates, all, healthy);
        Ok(Decision { propensity: Some(propensity), ..Decision::of(order, "session") })
    }
}
