//! A policy that counts its calls and keeps the last outcome, which shows whether an instance is
//! reused.

use pointsman_sdk::prelude::*;
use pointsman_sdk::{Observer, Outcome};

/// The policy.
#[derive(Default)]
pub struct Recorder {
    decisions: u32,
    outcomes: u32,
    last: String,
}

impl Policy for Recorder {
    type Settings = NoSettings;

    fn new(_: NoSettings) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn route(&mut self, _: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        self.decisions += 1;
        let label = format!("decision-{}:outcomes-{}", self.decisions, self.outcomes);
        Ok(Decision::of(0..candidates.len(), label).because(&self.last))
    }
}

impl Observer for Recorder {
    fn observe(&mut self, outcome: &Outcome) {
        self.outcomes += 1;
        self.last = format!("{outcome:?}");
    }
}

pointsman_sdk::export!(Recorder, observer);
