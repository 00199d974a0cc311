//! Short requests go to the cheapest model, long ones to the best. Settings and labels: README.md.

use pointsman_sdk::prelude::*;
use serde::Deserialize;

/// The policy's table in the gateway's configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Input tokens from which a request is long.
    pub long_tokens: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { long_tokens: 2000 }
    }
}

/// The policy.
#[derive(Clone, Debug)]
pub struct ByLength {
    settings: Settings,
}

impl Policy for ByLength {
    type Settings = Settings;

    /// Checks the settings. The gateway calls it when it loads the policy; an error keeps the previous version serving.
    fn new(settings: Settings) -> Result<Self, String> {
        if settings.long_tokens == 0 {
            return Err("setting `long_tokens`: 0 is not a whole number of at least 1".to_owned());
        }
        Ok(Self { settings })
    }

    /// Orders the models for a request. The first is called, the others are its fallbacks.
    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let (tokens, long) = (request.input_tokens, self.settings.long_tokens);
        let (order, label) = if tokens < long {
            (order::ascending(candidates, |_, model| estimate::request_cost_usd(model, request)), "cheapest")
        } else {
            (order::descending(candidates, |_, model| model.quality.unwrap_or(0.0)), "best")
        };
        Ok(Decision::of(order, label).because(format!("{tokens} input tokens, long from {long}")))
    }
}

export!(ByLength);

#[cfg(test)]
mod tests {
    use pointsman_sdk::testkit::{Gateway, candidate, request};

    use super::*;

    #[test]
    fn a_model_of_unknown_quality_comes_last_for_long_requests() {
        let known = Candidate { quality: Some(0.5), ..candidate("fleet/known", 2.0, 8.0) };
        let unknown = Candidate { quality: None, ..candidate("fleet/unknown", 0.1, 0.4) };
        let long = Request { input_tokens: 2000, ..request() };
        let decision = Gateway::new().route::<ByLength>(&long, &[unknown, known]).unwrap();
        let order: Vec<u32> = decision.targets.iter().map(|target| target.candidate).collect();
        assert_eq!((order, decision.label.as_str()), (vec![1, 0], "best"));
    }
}
