//! The model that will have answered first. Settings, labels and figures: README.md.

use pointsman_sdk::prelude::*;
use serde::Deserialize;

/// The policy's table in the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Calls that a model answers side by side before they slow each other.
    pub slots: f64,
    /// Tokens of answer to expect; the SDK's estimate if not set.
    pub output_tokens: Option<f64>,
    /// The least general quality that will do, 0..1; 0 asks nothing.
    pub quality_floor: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { slots: estimate::TYPICAL_SLOTS, output_tokens: None, quality_floor: 0.0 }
    }
}

/// The policy.
#[derive(Clone, Debug)]
pub struct Performance {
    settings: Settings,
}

impl Policy for Performance {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        if settings.slots.is_nan() || settings.slots < 1.0 {
            return Err(format!("setting `slots`: {} is less than 1", settings.slots));
        }
        if settings.output_tokens.is_some_and(|tokens| tokens.is_nan() || tokens < 1.0) {
            return Err("setting `output_tokens`: it is less than 1".to_owned());
        }
        if !(0.0..=1.0).contains(&settings.quality_floor) {
            return Err(format!("setting `quality_floor`: {} is not in 0..1", settings.quality_floor));
        }
        Ok(Self { settings })
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let tokens = self.output_tokens(request);
        let Some(times) = estimate::last_tokens_ms(candidates, tokens, self.settings.slots) else {
            let order = order::ascending(candidates, |_, model| load(model));
            let (order, _) = self.within(order, candidates, request)?;
            return Ok(Decision::of(order, "fastest:unmeasured")
                .because("no speed is known yet; the model with the fewest calls and failures"));
        };
        let by_time = order::ascending(candidates, |index, _| times[index]);
        let (order, good) = self.within(by_time, candidates, request)?;
        let first = order[0];
        let late = request.deadline_ms.is_some_and(|deadline| times[first] > f64::from(deadline));
        let label = match (good, late) {
            (0, _) => "fastest:below-floor",
            (_, true) => "fastest:late",
            (_, false) => "fastest",
        };
        let model = &candidates[first];
        Ok(Decision::of(order, label).because(format_args!(
            "{}: the last of {tokens} tokens in about {:.0} ms, with {} calls in flight and {:.0} % failing",
            model.id,
            times[first],
            model.in_flight,
            model.error_rate * 100.0,
        )))
    }
}

impl Performance {
    fn output_tokens(&self, request: &Request) -> f64 {
        let Some(expected) = self.settings.output_tokens else { return estimate::output_tokens(request) };
        request.max_output_tokens.map_or(expected, |limit| expected.min(f64::from(limit)))
    }

    /// Puts what keeps the floor first, and leaves out what the budget can't pay.
    fn within(
        &self,
        order: Vec<usize>,
        candidates: &[Candidate],
        request: &Request,
    ) -> Result<(Vec<usize>, usize), Refusal> {
        let order = budget::affordable(order, candidates, request)?;
        let quality: Vec<Option<f64>> = candidates.iter().map(|model| model.quality).collect();
        Ok(order::good_first(order, &quality, self.settings.quality_floor))
    }
}

/// The penalty of a model of unknown speed: 1 for each call in flight, and up to 10 for its
/// error rate.
fn load(model: &Candidate) -> f64 {
    f64::from(model.in_flight) + 10.0 * model.error_rate
}

pointsman_sdk::describe!(include_str!("../description.json"));
export!(Performance);

#[cfg(test)]
mod tests;
