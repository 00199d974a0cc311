//! A policy that learns from outcomes: it counts the failures of each model. Needs
//! `isolation = "warm"`.

use std::collections::BTreeMap;

use pointsman_sdk::prelude::*;
use pointsman_sdk::{Observer, Outcome, OutcomeStatus};

/// Prefers the model with the fewest failures that this instance has observed.
pub struct FewestFailures {
    failures: BTreeMap<String, u32>,
}

impl Policy for FewestFailures {
    type Settings = NoSettings;

    fn new(_: NoSettings) -> Result<Self, String> {
        Ok(Self { failures: BTreeMap::new() })
    }

    fn route(&mut self, _: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let failures = |model: &Candidate| f64::from(*self.failures.get(&model.id).unwrap_or(&0));
        Ok(Decision::of(order::ascending(candidates, |_, model| failures(model)), "fewest-failures"))
    }
}

impl Observer for FewestFailures {
    fn observe(&mut self, outcome: &Outcome) {
        if let (OutcomeStatus::Failed, Some(model)) = (outcome.status, &outcome.model) {
            *self.failures.entry(model.clone()).or_default() += 1;
        }
    }
}

export!(FewestFailures, observer);
