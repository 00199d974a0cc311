//! The first available model in a stated order. Settings and labels: README.md.

use std::borrow::Cow;
use std::fmt;

use pointsman_sdk::prelude::*;

mod settings;
pub use settings::Settings;

/// Places that have a label of their own.
const LABELLED_PLACES: usize = 9;

/// The policy.
#[derive(Clone, Debug)]
pub struct Priority {
    settings: Settings,
}

impl Policy for Priority {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        settings.check()?;
        Ok(Self { settings })
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let affordable = budget::affordable((0..candidates.len()).collect(), candidates, request)?;
        let mut ranked: Vec<Ranked<'_>> = affordable
            .into_iter()
            .map(|index| {
                let model = &candidates[index];
                let obstacle = self.settings.obstacle(model);
                Ranked { place: self.place(index, model), index, model, obstacle }
            })
            .collect();
        // By place alone, to find the model that would be first if none had an obstacle.
        ranked.sort_by_key(|ranked| (ranked.place, ranked.index));
        let preferred = Ranked { ..ranked[0] };
        ranked.sort_by_key(|ranked| ranked.obstacle.map(|obstacle| obstacle.rank()));
        let reason = Reason { first: Ranked { ..ranked[0] }, preferred };
        let label = ranked[0].place.label();
        let mut decision = Decision::of(ranked.iter().map(|ranked| ranked.index), label).because(reason);
        if let Some((_last, others)) = decision.targets.split_last_mut() {
            others.iter_mut().for_each(|target| target.timeout_ms = self.settings.timeout_ms);
        }
        Ok(decision)
    }
}

impl Priority {
    fn place(&self, index: usize, model: &Candidate) -> Place {
        if self.settings.order.is_empty() {
            return Place::Number(index);
        }
        let listed = self.settings.order.iter().position(|pattern| pattern.fits(&model.id));
        listed.map_or(Place::Unlisted, Place::Number)
    }
}

/// Place of a model in the stated order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Counted from 0.
    Number(usize),
    Unlisted,
}

impl Place {
    /// Returns a label. Statistics are grouped by labels, so their number is bounded.
    fn label(self) -> Cow<'static, str> {
        match self {
            Self::Number(place) if place < LABELLED_PLACES => format!("priority:{}", place + 1).into(),
            Self::Number(_) => "priority:later".into(),
            Self::Unlisted => "priority:unlisted".into(),
        }
    }
}

/// Reason to try a model after the others.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Obstacle {
    Busy { in_flight: u32, limit: u32 },
    Slow { first_token_ms: f64, limit: f64 },
    Failing { error_rate: f64, limit: f64 },
    Unhealthy,
}

impl Obstacle {
    /// Returns a number that is larger the less is to be expected of the model.
    const fn rank(self) -> u8 {
        match self {
            Self::Busy { .. } | Self::Slow { .. } => 0,
            Self::Failing { .. } => 1,
            Self::Unhealthy => 2,
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy { in_flight, limit } => write!(f, "has {in_flight} calls in flight, limit {limit}"),
            Self::Slow { first_token_ms, limit } => {
                write!(f, "takes {first_token_ms:.0} ms to its first token, limit {limit} ms")
            }
            Self::Failing { error_rate, limit } => {
                write!(f, "fails {:.0} % of its calls, limit {:.0} %", error_rate * 100.0, limit * 100.0)
            }
            Self::Unhealthy => f.write_str("is unhealthy"),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Ranked<'a> {
    place: Place,
    index: usize,
    model: &'a Candidate,
    obstacle: Option<Obstacle>,
}

/// `b/second in place 2; a/first in place 1 has 12 calls in flight, limit 10`
struct Reason<'a> {
    first: Ranked<'a>,
    preferred: Ranked<'a>,
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        match self.preferred.obstacle {
            Some(obstacle) if self.preferred.index == self.first.index => {
                write!(f, "; it {obstacle}, and no other is better")
            }
            Some(obstacle) => write!(f, "; {} {obstacle}", self.preferred),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Ranked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Number(place) => write!(f, "{} in place {}", self.model.id, place + 1),
            Place::Unlisted => write!(f, "{}, not listed", self.model.id),
        }
    }
}

pointsman_sdk::describe!(include_str!("../description.json"));
export!(Priority);

#[cfg(test)]
mod tests;
