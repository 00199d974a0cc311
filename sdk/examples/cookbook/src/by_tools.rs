//! Requests with a tool that changes something go to the best model, others to the cheapest. Needs
//! the grant `prompt`, for the names of the tools.

use pointsman_sdk::prelude::*;
use pointsman_sdk::prompt;
use serde::Deserialize;

/// Beginnings of the names of tools that need care.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    careful: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { careful: ["delete", "pay", "send"].map(str::to_owned).to_vec() }
    }
}

/// Routes by the names of the tools that the client offers to the model.
pub struct ByTools(Settings);

impl Policy for ByTools {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self(settings))
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let is_careful = |tool: &String| self.0.careful.iter().any(|start| tool.starts_with(start));
        if let Some(tool) = prompt::tool_names().iter().find(|tool| is_careful(tool)) {
            let order = order::descending(candidates, |_, model| model.quality.unwrap_or(0.0));
            return Ok(Decision::of(order, "careful").because(format_args!("the tool {tool}")));
        }
        let order = order::ascending(candidates, |_, model| estimate::request_cost_usd(model, request));
        Ok(Decision::of(order, "cheapest"))
    }
}
