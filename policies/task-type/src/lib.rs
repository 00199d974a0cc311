//! The best model for the kind of task. Settings, labels and figures: README.md.

use pointsman_sdk::prelude::*;
use pointsman_tasks::{Kind, Qualities, read};
use serde::Deserialize;

/// The policy's table in the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The quality of models at each kind of task.
    pub quality: Qualities,
    /// Models this close to the best count as equally good: the cheapest wins.
    pub tolerance: f64,
    /// Bytes of the newest user message to look at.
    pub read_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { quality: Qualities::default(), tolerance: 0.005, read_bytes: 2048 }
    }
}

/// The policy.
#[derive(Clone, Debug)]
pub struct TaskType {
    settings: Settings,
}

impl Policy for TaskType {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        settings.quality.check()?;
        if !(0.0..=1.0).contains(&settings.tolerance) {
            return Err(format!("setting `tolerance`: {} is not in 0..1", settings.tolerance));
        }
        Ok(Self { settings })
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let kind = read(request, self.settings.read_bytes);
        let quality = self.settings.quality.of_all(candidates, kind);
        let label = format!("task:{}", kind.task.name());
        let order = pointsman_tasks::best_first(candidates, request, &quality, self.settings.tolerance)?;
        let decision = Decision::of(order.iter().copied(), label);
        Ok(decision.because(Reason { kind, model: &candidates[order[0]], quality: quality[order[0]] }))
    }
}

/// `looks like code/hard; a/b has quality 0.82 at it`
struct Reason<'a> {
    kind: Kind,
    model: &'a Candidate,
    quality: Option<f64>,
}

impl std::fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, id) = (self.kind.name(), &self.model.id);
        match self.quality {
            Some(quality) => write!(f, "looks like {kind}; {id} has quality {quality} at it"),
            None => write!(f, "looks like {kind}; no quality is stated, so {id} for its price"),
        }
    }
}

pointsman_sdk::describe!(include_str!("../description.json"));
export!(TaskType);

#[cfg(test)]
mod tests;
