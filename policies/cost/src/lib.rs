//! The cheapest model that is good enough. Settings, labels and figures: README.md.

use pointsman_sdk::prelude::*;
use serde::Deserialize;

/// The policy's table in the configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The least quality that will do, 0..1; 0 asks nothing.
    pub quality_floor: f64,
    /// The kind of task whose quality counts; the general quality if not set, or
    /// where a model states none for it.
    pub task: Option<String>,
    /// Refuse rather than take a model below the floor.
    pub strict: bool,
}

/// The policy.
#[derive(Clone, Debug)]
pub struct Cost {
    settings: Settings,
}

impl Policy for Cost {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        if !(0.0..=1.0).contains(&settings.quality_floor) {
            return Err(format!("setting `quality_floor`: {} is not in 0..1", settings.quality_floor));
        }
        Ok(Self { settings })
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let quality = self.qualities(candidates);
        let by_cost = order::ascending(candidates, |_, model| estimate::request_cost_usd(model, request));
        let by_cost = budget::affordable(by_cost, candidates, request)?;
        let floor = self.settings.quality_floor;
        let (order, good) = order::good_first(by_cost, &quality, floor);
        let first = order[0];
        if self.settings.strict && good == 0 {
            return Err(refusal(floor, &candidates[first], quality[first]));
        }
        let label = match (good, quality[first]) {
            _ if floor <= 0.0 => "cheapest",
            (1.., _) => "cheapest:above-floor",
            (0, None) => "cheapest:quality-unknown",
            (0, Some(_)) => "best:below-floor",
        };
        let reason = Reason { request, model: &candidates[first], quality: quality[first], floor, good };
        Ok(Decision::of(order, label).because(reason))
    }
}

impl Cost {
    fn qualities(&self, candidates: &[Candidate]) -> Vec<Option<f64>> {
        let of = |(index, model): (usize, &Candidate)| {
            let at_task = self.settings.task.as_deref().and_then(|task| details::task_quality(index, task));
            at_task.or(model.quality)
        };
        candidates.iter().enumerate().map(of).collect()
    }
}

fn refusal(floor: f64, best: &Candidate, quality: Option<f64>) -> Refusal {
    Refusal::NoCandidate(match quality {
        Some(quality) => {
            format!("no model reaches the quality floor of {floor}; the best, {}, has {quality}", best.id)
        }
        None => format!(
            "no model is known to reach the quality floor of {floor}; hint: state `quality` in the models"
        ),
    })
}

/// `a/b at about $0.000127 for 100 + 256 tokens; quality 0.82, floor 0.8, 3 models reach it`
struct Reason<'a> {
    request: &'a Request,
    model: &'a Candidate,
    quality: Option<f64>,
    floor: f64,
    good: usize,
}

impl std::fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cost = estimate::dollars(estimate::request_cost_usd(self.model, self.request));
        let (input, output) = (self.request.input_tokens, estimate::output_tokens(self.request));
        write!(f, "{} at about {cost} for {input} + {} tokens", self.model.id, output as u64)?;
        if self.floor > 0.0 {
            match self.quality {
                Some(quality) => write!(f, "; quality {quality}")?,
                None => f.write_str("; quality unknown")?,
            }
            write!(f, ", floor {}, {} models reach it", self.floor, self.good)?;
        }
        Ok(())
    }
}

pointsman_sdk::describe!(include_str!("../description.json"));
export!(Cost);

#[cfg(test)]
mod tests;
