//! Cheap where that is good enough, else fast where time matters, else the best
//! for the task. Settings, labels and figures: policies/dynamic/README.md.

use pointsman_sdk::details::Prefer;
use pointsman_sdk::prelude::*;
use pointsman_tasks::{Kind, best_first, read};

mod settings;
pub use settings::Settings;

/// The policy.
#[derive(Clone, Debug)]
pub struct Dynamic {
    settings: Settings,
}

impl Policy for Dynamic {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        settings.check()?;
        Ok(Self { settings })
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let kind = read(request, self.settings.read_bytes);
        let quality = self.settings.quality.of_all(candidates, kind);
        let prefer = details::prefer();
        let floor = self.floor(kind, &quality, prefer);
        let choice = Choice { settings: &self.settings, request, candidates, kind, quality, floor };
        match prefer {
            Some(Prefer::Quality) => choice.by_task("the client prefers quality"),
            Some(Prefer::Speed) => choice.by_speed("the client prefers speed"),
            Some(Prefer::Cost) | None => choice.by_cost(),
        }
    }
}

impl Dynamic {
    /// The quality that a cheap model has to reach: a share of the best one's,
    /// higher for hard requests. 0 when no quality is known.
    fn floor(&self, kind: Kind, quality: &[Option<f64>], prefer: Option<Prefer>) -> f64 {
        let best = quality.iter().flatten().copied().fold(0.0, f64::max);
        let strict = kind.hard && prefer != Some(Prefer::Cost);
        best * if strict { self.settings.hard_share } else { self.settings.easy_share }
    }
}

/// One request with what was found out about it.
struct Choice<'a> {
    settings: &'a Settings,
    request: &'a Request,
    candidates: &'a [Candidate],
    kind: Kind,
    quality: Vec<Option<f64>>,
    floor: f64,
}

impl Choice<'_> {
    /// The cheapest of the good, unless it would be late, or is the best anyway.
    fn by_cost(&self) -> Result<Decision, Refusal> {
        let by_cost = order::ascending(self.candidates, |_, model| self.cost(model));
        let by_cost = budget::affordable(by_cost, self.candidates, self.request)?;
        let unrated = self.quality.iter().all(Option::is_none);
        if unrated && self.kind.hard {
            return self.by_task("it looks hard and no quality is stated");
        }
        let (order, _) = order::good_first(by_cost, &self.quality, self.floor);
        let cheap = order[0];
        if self.is_late(cheap) {
            return self.by_speed("the cheap choice would miss the deadline");
        }
        let best = best_first(self.candidates, self.request, &self.quality, 0.0)?[0];
        let (cheap_cost, best_cost) = (self.cost(&self.candidates[cheap]), self.cost(&self.candidates[best]));
        if cheap != best && cheap_cost >= best_cost || cheap == best && !unrated && order.len() > 1 {
            return self.by_task("no cheaper model is good enough");
        }
        let saved = if best_cost > 0.0 { 100.0 * (1.0 - cheap_cost / best_cost) } else { 0.0 };
        Ok(self.decision(order, "dynamic:cost", format_args!("good enough, and {saved:.0} % below the best")))
    }

    /// The fastest of the good; by cost where no speed is known.
    fn by_speed(&self, why: &str) -> Result<Decision, Refusal> {
        let times = self.times();
        let order = order::ascending(self.candidates, |index, model| match &times {
            Some(times) => times[index],
            None => self.cost(model),
        });
        let order = budget::affordable(order, self.candidates, self.request)?;
        let (order, _) = order::good_first(order, &self.quality, self.floor);
        let first = order[0];
        Ok(match times {
            Some(times) => {
                self.decision(order, "dynamic:speed", format_args!("{why}; about {:.0} ms", times[first]))
            }
            None => {
                self.decision(order, "dynamic:speed", format_args!("{why}; no speed is known, so by cost"))
            }
        })
    }

    /// The best for the task.
    fn by_task(&self, why: &str) -> Result<Decision, Refusal> {
        let order = best_first(self.candidates, self.request, &self.quality, self.settings.tolerance)?;
        Ok(self.decision(order, "dynamic:task", format_args!("{why}")))
    }

    /// `looks like code; a/b with quality 0.82, floor 0.8, about $0.000127: why`
    fn decision(&self, order: Vec<usize>, label: &str, why: std::fmt::Arguments<'_>) -> Decision {
        let first = order[0];
        let model = &self.candidates[first];
        let (kind, id, floor) = (self.kind.name(), &model.id, self.floor);
        let cost = estimate::dollars(self.cost(model));
        let decision = Decision::of(order, label);
        match self.quality[first] {
            Some(quality) => decision.because(format_args!(
                "looks like {kind}; {id} with quality {quality:.3}, floor {floor:.3}, about {cost}: {why}"
            )),
            None => decision
                .because(format_args!("looks like {kind}; {id}, quality unknown, about {cost}: {why}")),
        }
    }

    fn cost(&self, model: &Candidate) -> f64 {
        estimate::request_cost_usd(model, self.request)
    }

    fn is_late(&self, index: usize) -> bool {
        let Some(deadline) = self.request.deadline_ms else { return false };
        self.times().is_some_and(|times| times[index] > f64::from(deadline))
    }

    fn times(&self) -> Option<Vec<f64>> {
        let tokens = estimate::output_tokens(self.request);
        estimate::last_tokens_ms(self.candidates, tokens, self.settings.slots)
    }
}
