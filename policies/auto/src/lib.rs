//! One model where one will do, chosen as `dynamic` does; several where the request
//! has several kinds of content, as `multimodal` does. Settings and labels: README.md.

use pointsman_media::Multimodal;
use pointsman_sdk::plan::Step;
use pointsman_sdk::prelude::*;
use pointsman_sdk::{Orchestrator, outline};
use pointsman_tradeoff::dynamic::{self, Dynamic};
use serde::Deserialize;

/// The policy's table in the configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// For requests that one model answers.
    pub dynamic: dynamic::Settings,
    /// For requests that are cut.
    pub multimodal: pointsman_media::Settings,
}

/// The policy.
#[derive(Clone, Debug)]
pub struct Auto {
    dynamic: Dynamic,
    multimodal: Multimodal,
}

impl Orchestrator for Auto {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self {
            dynamic: Dynamic::new(settings.dynamic).map_err(|why| below("dynamic", &why))?,
            multimodal: Multimodal::new(settings.multimodal).map_err(|why| below("multimodal", &why))?,
        })
    }

    fn plan(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Step, Refusal> {
        if let Some(step) = self.multimodal.cut(request, candidates)? {
            return Ok(step);
        }
        // Those that can serve the whole request come first, so indices stay the same.
        let whole = candidates.get(..outline::whole()).unwrap_or(candidates);
        self.dynamic.route(request, whole).map(Step::Route)
    }
}

/// A message about a setting, with the table that it is in:
/// ``setting `dynamic.slots`: 0 is less than 1``.
fn below(table: &str, why: &str) -> String {
    why.replacen("setting `", &format!("setting `{table}."), 1)
}

pointsman_sdk::describe!(include_str!("../description.json"));
export!(Auto, orchestrator);

#[cfg(test)]
mod tests;
