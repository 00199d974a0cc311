//! A policy that searches its whole memory for texts. Its label reports those it found and the
//! number of outcomes it received: `clean/outcomes-0`. It imports only `settings`.

use pointsman_sdk::prelude::*;
use pointsman_sdk::{Observer, Outcome};
use serde::Deserialize;

mod scan;

use scan::Needles;

/// The texts to search for.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    needles: Vec<String>,
}

/// The policy.
pub struct Scanner {
    needles: Needles,
    outcomes: u32,
}

impl Policy for Scanner {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        Needles::parse(&settings.needles).map(|needles| Self { needles, outcomes: 0 })
    }

    fn route(&mut self, _: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let label = format!("{}/outcomes-{}", self.needles.label(), self.outcomes);
        Ok(Decision::of(0..candidates.len(), label))
    }
}

impl Observer for Scanner {
    fn observe(&mut self, _: &Outcome) {
        self.outcomes += 1;
    }
}

pointsman_sdk::export!(Scanner, observer);
