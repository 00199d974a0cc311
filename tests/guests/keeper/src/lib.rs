//! A policy that keeps counts of its decisions, outcomes and ratings, which shows what state its
//! versions and instances share.

use pointsman_sdk::prelude::*;
use pointsman_sdk::{Learner, Observer, Outcome, Rating, state};
use serde::Deserialize;

/// Settings of the policy.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Further writes of each decision, to the keys `write/0`, `write/1` and so on.
    writes: u32,
}

/// The policy. Its label is `decisions-N:outcomes-M:ratings-K`, and the reason lists everything that
/// it keeps, or the error of its first rejected write.
pub struct Keeper(Settings);

impl Policy for Keeper {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self(settings))
    }

    fn route(&mut self, _: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let mut result = state::add("decisions", 1).map(drop);
        for number in 0..self.0.writes {
            result = result.and(state::set(&format!("write/{number}"), number.to_string()));
        }
        let label = format!(
            "decisions-{}:outcomes-{}:ratings-{}",
            state::number("decisions"),
            state::number("outcomes"),
            state::number("ratings"),
        );
        let reason = match result {
            Ok(()) => {
                let entries = state::list("");
                let text =
                    |entry: &state::Entry| format!("{}={}", entry.key, String::from_utf8_lossy(&entry.value));
                entries.iter().take(8).map(text).collect::<Vec<_>>().join(" ")
            }
            Err(error) => format!("{error:?}"),
        };
        Ok(Decision::of(0..candidates.len(), label).because(reason))
    }
}

impl Observer for Keeper {
    fn observe(&mut self, _: &Outcome) {
        // The count stays as it is where there is no room.
        let _ = state::add("outcomes", 1);
    }
}

impl Learner for Keeper {
    fn rate(&mut self, rating: &Rating) {
        let _ = state::add("ratings", 1);
        let _ =
            state::set("last-rating", format!("{}:{}", rating.name.as_deref().unwrap_or("-"), rating.score));
    }
}

pointsman_sdk::export!(Keeper, learner);
