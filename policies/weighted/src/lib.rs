//! A model drawn by weight. Settings, labels and propensities: README.md.

use std::fmt;

use pointsman_sdk::draw::Draw;
use pointsman_sdk::prelude::*;

mod settings;
pub use settings::Settings;

/// The policy.
#[derive(Clone, Debug)]
pub struct Weighted {
    settings: Settings,
}

impl Policy for Weighted {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        settings.check()?;
        Ok(Self { settings })
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let weights = self.weights(candidates)?;
        let order = budget::affordable((0..candidates.len()).collect(), candidates, request)?;
        let total: f64 = order.iter().map(|&index| weights[index]).sum();
        let session = request.session.as_deref().filter(|_| self.settings.sticky);
        // The first part keeps a session apart from a decision with an equal id.
        let (key, label) = match session {
            Some(session) => (["session", session], "weighted:session"),
            None => (["decision", &request.id], "weighted"),
        };
        let key = [self.settings.salt.as_str(), key[0], key[1]];
        let Draw { order, propensity } = draw::by_weight(&key, candidates, order, |index, _| weights[index]);
        let first = order[0];
        let share = Share { model: &candidates[first], weight: weights[first], total, propensity };
        let decision = Decision::of(order, label).because(share);
        Ok(Decision { propensity: Some(propensity), ..decision })
    }
}

impl Weighted {
    /// Returns the weight of each candidate. A model that is not healthy has none, as long as
    /// another is healthy.
    fn weights(&self, candidates: &[Candidate]) -> Result<Vec<f64>, Refusal> {
        let any_healthy = candidates.iter().any(|model| model.healthy);
        let weight = |(index, model): (usize, &Candidate)| {
            let weight = self.settings.weight(index, model)?;
            Ok(if any_healthy && !model.healthy { 0.0 } else { weight })
        };
        candidates.iter().enumerate().map(weight).collect::<Result<_, String>>().map_err(Refusal::Internal)
    }
}

/// `a/large with weight 3 of 4, probability 0.750`
struct Share<'a> {
    model: &'a Candidate,
    weight: f64,
    total: f64,
    propensity: f64,
}

impl fmt::Display for Share<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, weight, total, propensity } = self;
        if *total > 0.0 {
            write!(f, "{} with weight {weight} of {total}, probability {propensity:.3}", model.id)
        } else {
            write!(f, "{}; no candidate has a weight, so each has probability {propensity:.3}", model.id)
        }
    }
}

pointsman_sdk::describe!(include_str!("../description.json"));
export!(Weighted);

#[cfg(test)]
mod tests;
