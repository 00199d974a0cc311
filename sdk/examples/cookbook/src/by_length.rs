//! Long prompts go to models with a long context at a low price, short ones to the fastest.

use pointsman_sdk::prelude::*;
use serde::Deserialize;

/// Input tokens from which a prompt is long.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    long: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { long: 20_000 }
    }
}

/// Routes by the estimated length of the prompt, without reading it.
pub struct ByLength(Settings);

impl Policy for ByLength {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        if settings.long == 0 {
            return Err("setting `long`: 0 makes every prompt long; give a number of tokens".to_owned());
        }
        Ok(Self(settings))
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        if request.input_tokens >= self.0.long {
            let order = order::ascending(candidates, |_, model| model.input_price);
            return Ok(Decision::of(order, "long").because(format_args!("{} tokens", request.input_tokens)));
        }
        // Models of unknown speed come last.
        let order = order::ascending(candidates, |_, model| model.first_token_ms.unwrap_or(f64::NAN));
        Ok(Decision::of(order, "short"))
    }
}
