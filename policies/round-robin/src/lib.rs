//! Requests spread evenly over models. Settings, labels and propensities: README.md.

use std::fmt;

use pointsman_sdk::prelude::*;
use serde::Deserialize;

/// The policy's table in the configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The quantity that is even.
    pub balance: Balance,
}

/// The quantity that is even over models.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Balance {
    /// The number of requests.
    #[default]
    Requests,
    /// The number of calls in flight.
    Load,
}

/// The policy.
#[derive(Clone, Debug)]
pub struct RoundRobin {
    balance: Balance,
}

impl Policy for RoundRobin {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self { balance: settings.balance })
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let affordable = budget::affordable((0..candidates.len()).collect(), candidates, request)?;
        let mut order = draw::by_weight(&[&request.id], candidates, affordable, |_, _| 1.0).order;
        // A stable sort: models with equal keys stay in the order of the draw.
        order.sort_by_key(|&index| self.rank(&candidates[index]));
        let first = self.rank(&candidates[order[0]]);
        let equals = order.iter().filter(|&&index| self.rank(&candidates[index]) == first).count();
        let label = match self.balance {
            Balance::Requests => "round-robin",
            Balance::Load => "round-robin:least-busy",
        };
        let model = &candidates[order[0]];
        let decision = Decision::of(order, label).because(Reason { model, equals, balance: self.balance });
        Ok(Decision { propensity: Some(1.0 / equals as f64), ..decision })
    }
}

impl RoundRobin {
    /// Returns the key that orders candidates before the draw does.
    const fn rank(&self, model: &Candidate) -> (bool, u32) {
        match self.balance {
            Balance::Requests => (!model.healthy, 0),
            Balance::Load => (!model.healthy, model.in_flight),
        }
    }
}

/// `a/b, one of 3 with 2 calls in flight`
struct Reason<'a> {
    model: &'a Candidate,
    equals: usize,
    balance: Balance,
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, one of {}", self.model.id, self.equals)?;
        match self.balance {
            Balance::Requests => Ok(()),
            Balance::Load => write!(f, " with {} calls in flight", self.model.in_flight),
        }
    }
}

pointsman_sdk::describe!(include_str!("../description.json"));
export!(RoundRobin);

#[cfg(test)]
mod tests;
