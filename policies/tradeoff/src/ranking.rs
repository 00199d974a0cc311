//! Putting models in order for one of the calls that a request is cut into.

use std::cmp::Ordering;

use pointsman_sdk::details::Prefer;
use pointsman_sdk::{Candidate, Refusal, Request, details, estimate};
use serde::Deserialize;

/// A model below this share of the best one's quality comes after the others, however
/// cheap or fast: a vision model that also chats is not to answer for a language model.
const POOR: f64 = 0.5;

/// The preferred quality of a model; a setting of orchestrating policies.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Preference {
    /// The best at the task; among equals the cheapest.
    #[default]
    Quality,
    /// The cheapest.
    Cost,
    /// The one that will be done first; by cost where no speed is known.
    Speed,
}

/// A call for which a model is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The request that it is a part of.
    pub request: &'a Request,
    /// The candidates of the request.
    pub candidates: &'a [Candidate],
    /// The kind of task whose quality counts, such as `vision`; the general
    /// quality of models that state none for it.
    pub task: &'a str,
    /// Input tokens that have to fit into the model's context window.
    pub room: u32,
    /// The number of calls that the budget has to cover.
    pub calls: usize,
}

impl Preference {
    /// Returns the preference in the client's header, or this one if there is none.
    pub fn or_as_the_client_says(self) -> Self {
        match details::prefer() {
            Some(Prefer::Quality) => Self::Quality,
            Some(Prefer::Cost) => Self::Cost,
            Some(Prefer::Speed) => Self::Speed,
            None => self,
        }
    }

    /// As in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quality => "quality",
            Self::Cost => "cost",
            Self::Speed => "speed",
        }
    }
}

impl Call<'_> {
    /// The models among these that the budget can pay, in the order in which they
    /// are to be tried: healthy ones before others, those with room for the input
    /// before others, those that are not poor at the task before others, and then as
    /// preferred.
    ///
    /// # Errors
    /// Denied when there are models, but none that the budget can pay.
    pub fn order(&self, able: &[usize], prefer: Preference) -> Result<Vec<usize>, Refusal> {
        // Asked once for each model: every question is a call to the gateway.
        let quality = self.qualities();
        let keys = self.keys(prefer, &quality);
        let best = able.iter().filter_map(|&index| quality[index]).fold(0.0, f64::max);
        let rank = |index: usize| {
            let model = &self.candidates[index];
            let has_room = model.context_window.is_none_or(|window| window >= self.room);
            let is_poor = quality[index].is_some_and(|quality| quality < POOR * best);
            let unfit = (!model.healthy, !has_room, is_poor);
            Rank { unfit, key: keys[index], cost: self.cost(index), index }
        };
        let mut ranked: Vec<Rank> = self.affordable(able)?.into_iter().map(rank).collect();
        ranked.sort_by(Rank::compare);
        Ok(ranked.into_iter().map(|rank| rank.index).collect())
    }

    /// For each candidate a number, the smaller the better.
    fn keys(&self, prefer: Preference, quality: &[Option<f64>]) -> Vec<f64> {
        match prefer {
            Preference::Quality => quality.iter().map(|quality| -quality.unwrap_or(-1.0)).collect(),
            Preference::Cost => (0..self.candidates.len()).map(|index| self.cost(index)).collect(),
            Preference::Speed => {
                let tokens = estimate::output_tokens(self.request);
                estimate::last_tokens_ms(self.candidates, tokens, estimate::TYPICAL_SLOTS)
                    .unwrap_or_else(|| self.keys(Preference::Cost, quality))
            }
        }
    }

    /// The quality of each candidate at the task.
    fn qualities(&self) -> Vec<Option<f64>> {
        let of =
            |(index, model): (usize, &Candidate)| details::task_quality(index, self.task).or(model.quality);
        self.candidates.iter().enumerate().map(of).collect()
    }

    /// Of one call, as if it had the input of the whole request: tasks that get
    /// less cost less.
    fn cost(&self, index: usize) -> f64 {
        estimate::request_cost_usd(&self.candidates[index], self.request)
    }

    /// Those that could answer all calls for what is left of the budget.
    fn affordable(&self, able: &[usize]) -> Result<Vec<usize>, Refusal> {
        let Some(left) = self.request.budget_left else { return Ok(able.to_vec()) };
        let all_calls = |index: usize| self.cost(index) * self.calls as f64;
        let paid: Vec<usize> = able.iter().copied().filter(|&index| all_calls(index) <= left).collect();
        if paid.is_empty() && !able.is_empty() {
            let least = able.iter().map(|&index| all_calls(index)).fold(f64::INFINITY, f64::min);
            let (least, left) = (estimate::dollars(least), estimate::dollars(left));
            return Err(Refusal::Denied(format!(
                "{} calls to the cheapest model would cost about {least}, and {left} of the budget is left",
                self.calls
            )));
        }
        Ok(paid)
    }
}

/// The reasons against a candidate, most important first.
struct Rank {
    unfit: (bool, bool, bool),
    key: f64,
    cost: f64,
    index: usize,
}

impl Rank {
    fn compare(&self, other: &Self) -> Ordering {
        let by_key = self.key.total_cmp(&other.key).then(self.cost.total_cmp(&other.cost));
        self.unfit.cmp(&other.unfit).then(by_key).then(self.index.cmp(&other.index))
    }
}

#[cfg(test)]
mod tests;
