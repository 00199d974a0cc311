//! A model that learns from outcomes and ratings. Settings, labels and formulas: README.md.

use std::fmt;

use pointsman_sdk::draw::Draw;
use pointsman_sdk::prelude::*;
use pointsman_sdk::{Abilities, Learner, Modalities, Observer, Outcome, OutcomeStatus, Rating};

mod posterior;
mod settings;
mod statistics;

use posterior::Posterior;
pub use settings::Settings;
use statistics::{Signal, Statistics};

/// First part of every label; the kind of task follows.
const LABEL: &str = "bandit:";

/// The policy.
#[derive(Clone, Debug)]
pub struct Bandit {
    settings: Settings,
}

impl Policy for Bandit {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        settings.check()?;
        Ok(Self { settings })
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let kind = kind(request, self.settings.long_input_tokens);
        let order = budget::affordable((0..candidates.len()).collect(), candidates, request)?;
        let statistics = Statistics::load(kind);
        let posteriors: Vec<Posterior> =
            candidates.iter().map(|model| self.posterior(&statistics, model)).collect();
        // A model that is not healthy is a fallback, as long as another is healthy.
        let any_healthy = order.iter().any(|&index| candidates[index].healthy);
        let eligible: Vec<usize> =
            order.iter().copied().filter(|&index| candidates[index].healthy || !any_healthy).collect();
        let mut chances = vec![0.0; candidates.len()];
        for (index, chance) in eligible.iter().zip(posterior::chances_to_be_best(&eligible, &posteriors)) {
            chances[*index] = chance;
        }
        let key = ["bandit", &request.id];
        let Draw { order, propensity } = draw::by_weight(&key, candidates, order, |index, _| chances[index]);
        let first = order[0];
        let reason = Reason { model: &candidates[first], posterior: posteriors[first], propensity };
        let decision = Decision::of(order, format!("{LABEL}{kind}")).because(reason);
        Ok(Decision { propensity: Some(propensity), ..decision })
    }
}

impl Bandit {
    /// Returns what is known of the worth of an answer of a model.
    fn posterior(&self, statistics: &Statistics, model: &Candidate) -> Posterior {
        let prior = self.settings.prior(model);
        let outcomes = statistics.of(&model.id, Signal::Outcome).posterior(prior, self.settings.prior_weight);
        if self.settings.score_weight == 0.0 {
            return outcomes;
        }
        let scores = statistics.of(&model.id, Signal::Score).posterior(0.5, self.settings.prior_weight);
        outcomes.plus(scores.scaled(self.settings.score_weight))
    }
}

impl Observer for Bandit {
    fn observe(&mut self, outcome: &Outcome) {
        let Some(kind) = outcome.label.strip_prefix(LABEL) else { return };
        let Some(model) = &outcome.model else { return };
        let worth = match outcome.status {
            OutcomeStatus::Answered => self.settings.worth(outcome.cost, outcome.latency_ms),
            OutcomeStatus::Failed => 0.0,
            // The client may have gone for any reason.
            OutcomeStatus::Cancelled => return,
        };
        statistics::record(kind, model, Signal::Outcome, worth);
    }
}

impl Learner for Bandit {
    fn rate(&mut self, rating: &Rating) {
        let is_meant = self.settings.rating.as_ref().is_none_or(|name| rating.name.as_ref() == Some(name));
        let Some(kind) = rating.label.strip_prefix(LABEL).filter(|_| is_meant) else { return };
        statistics::record(kind, &rating.model, Signal::Score, rating.score);
    }
}

/// Returns the kind of task of a request, without reading its prompt.
fn kind(request: &Request, long_input_tokens: u32) -> &'static str {
    if request.operation != "chat" {
        "other"
    } else if request.inputs.intersects(Modalities::IMAGE | Modalities::AUDIO | Modalities::VIDEO) {
        "media"
    } else if request.needs.contains(Abilities::REASONING) {
        "reasoning"
    } else if request.needs.contains(Abilities::TOOLS) {
        "tools"
    } else if request.input_tokens >= long_input_tokens {
        "long"
    } else {
        "chat"
    }
}

/// `a/large: worth 0.812 ± 0.031 of 250 answers, probability 0.750`
struct Reason<'a> {
    model: &'a Candidate,
    posterior: Posterior,
    propensity: f64,
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, posterior: Posterior { mean, deviation, count }, propensity } = self;
        let id = &model.id;
        write!(f, "{id}: worth {mean:.3} ± {deviation:.3} of {count} answers, probability {propensity:.3}")
    }
}

pointsman_sdk::describe!(include_str!("../description.json"));
export!(Bandit, learner);

#[cfg(test)]
mod tests;
