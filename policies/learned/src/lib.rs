//! The model whose predicted score, less its predicted cost, is the greatest. Settings, labels and figures:
//! README.md.

use std::fmt;

use pointsman_sdk::details::Prefer;
use pointsman_sdk::prelude::*;
use pointsman_sdk::{Abilities, Pattern, prompt};
use pointsman_text_features::{RoutedModel, Router};

/// Times as much that a US dollar counts where the client prefers cost.
const COST_PREFERENCE: f64 = 4.0;

/// The policy.
#[derive(Clone, Debug)]
pub struct Learned {
    router: Router,
}

impl Policy for Learned {
    type Settings = Router;

    fn new(router: Router) -> Result<Self, String> {
        router.check_sizes().map_err(|error| error.to_string())?;
        Ok(Self { router })
    }

    fn validate(&self) -> Result<(), String> {
        self.router.check().map_err(|error| error.to_string())
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let known: Vec<Option<usize>> = candidates.iter().map(|model| self.place(&model.id)).collect();
        if known.iter().all(Option::is_none) {
            let order = order_of_strangers(request, candidates)?;
            let first = &candidates[order[0]].id;
            let why = format_args!("nothing is learnt about any candidate, so {first} by stated quality");
            return Ok(Decision::of(order, "learned:unknown").because(why));
        }
        let tools = if request.needs.contains(Abilities::TOOLS) { prompt::tool_names() } else { Vec::new() };
        let text = prompt::last_user_text(self.router.read_bytes);
        let prediction = self.router.predict(&pointsman_tasks::facts(request, &text, &tools));
        let choice = Choice { request, candidates, router: &self.router, known, scores: prediction.scores };
        if !prediction.is_familiar {
            return choice.guarded();
        }
        match details::prefer() {
            Some(Prefer::Quality) => choice.decide("learned:quality", 0.0),
            Some(Prefer::Cost) => choice.decide("learned:cost", COST_PREFERENCE),
            Some(Prefer::Speed) => choice.fast(),
            None => choice.in_time(),
        }
    }
}

impl Learned {
    /// Returns the place of the model whose pattern fits an id; the longest of several.
    fn place(&self, id: &str) -> Option<usize> {
        let fitting = self.router.models.iter().enumerate().filter(|(_, model)| fits(model, id));
        fitting.max_by_key(|(_, model)| model.model.len()).map(|(place, _)| place)
    }
}

fn fits(model: &RoutedModel, id: &str) -> bool {
    Pattern::new(model.model.as_str()).fits(id)
}

/// Orders candidates about which nothing is learnt: healthy ones first, then by stated quality, those without one
/// last, and among equals the cheapest first.
fn order_of_strangers(request: &Request, candidates: &[Candidate]) -> Result<Vec<usize>, Refusal> {
    let by_cost = order::ascending(candidates, |_, model| estimate::request_cost_usd(model, request));
    let mut order = budget::affordable(by_cost, candidates, request)?;
    let quality = |index: usize| candidates[index].quality.unwrap_or(-1.0);
    order.sort_by(|&a, &b| quality(b).total_cmp(&quality(a)));
    order.sort_by_key(|&index| !candidates[index].healthy);
    Ok(order)
}

/// A request with its predictions.
struct Choice<'a> {
    request: &'a Request,
    candidates: &'a [Candidate],
    router: &'a Router,
    /// Place of each candidate among the models of the router.
    known: Vec<Option<usize>>,
    /// Predicted score of each model of the router.
    scores: Vec<f64>,
}

impl Choice<'_> {
    /// The best single model of the requests learnt from.
    fn guarded(&self) -> Result<Decision, Refusal> {
        let order = self.order(|index| self.model(index).map(|model| model.mean))?;
        Ok(self.decision(order, "learned:guard", "unlike the requests learnt from"))
    }

    /// The greatest value, unless it would be late.
    fn in_time(&self) -> Result<Decision, Refusal> {
        let decision = self.decide("learned:predicted", 1.0)?;
        let first = decision.targets.first().map_or(0, |target| target.candidate as usize);
        let is_late = self.request.deadline_ms.is_some_and(|deadline| {
            self.times()
                .and_then(|times| times.get(first).copied())
                .is_some_and(|time| time > f64::from(deadline))
        });
        if is_late { self.fast() } else { Ok(decision) }
    }

    /// The greatest value, with costs that count some times as much as learnt.
    fn decide(&self, label: &str, weight: f64) -> Result<Decision, Refusal> {
        let price = weight * self.router.score_per_dollar;
        let order = self.order(|index| Some(self.score(index)? - price * self.cost(index)))?;
        Ok(self.decision(order, label, "predicted"))
    }

    /// The fastest of the models with at least the predicted score of the greatest value; that one, if speeds are not
    /// known.
    fn fast(&self) -> Result<Decision, Refusal> {
        let price = self.router.score_per_dollar;
        let order = self.order(|index| Some(self.score(index)? - price * self.cost(index)))?;
        let Some(times) = self.times() else {
            return Ok(self.decision(order, "learned:speed", "no speed is known; predicted"));
        };
        let enough = self.score(order[0]);
        let is_slower = |index: usize| {
            let is_enough = self.score(index).is_some_and(|score| Some(score) >= enough);
            (!self.candidates[index].healthy, !is_enough)
        };
        let mut order = order;
        order.sort_by(|&a, &b| {
            is_slower(a).cmp(&is_slower(b)).then_with(|| {
                if is_slower(a).1 { std::cmp::Ordering::Equal } else { times[a].total_cmp(&times[b]) }
            })
        });
        Ok(self.decision(order, "learned:speed", "the fastest of those; predicted"))
    }

    /// Orders the candidates that the budget can pay: healthy ones first, then by value, those about which nothing
    /// is learnt last.
    fn order(&self, value: impl Fn(usize) -> Option<f64>) -> Result<Vec<usize>, Refusal> {
        let strangers = order_of_strangers(self.request, self.candidates)?;
        let values: Vec<Option<f64>> = (0..self.candidates.len()).map(value).collect();
        let key = |index: usize| values[index].unwrap_or(f64::NEG_INFINITY);
        let mut order = strangers;
        // Stable: those about which nothing is learnt keep their order.
        order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
        order.sort_by_key(|&index| !self.candidates[index].healthy);
        Ok(order)
    }

    fn model(&self, index: usize) -> Option<&RoutedModel> {
        self.router.models.get(self.known[index]?)
    }

    fn score(&self, index: usize) -> Option<f64> {
        self.scores.get(self.known[index]?).copied()
    }

    /// Predicted cost in US dollars, with the model's own mean length of answers.
    fn cost(&self, index: usize) -> f64 {
        let model = &self.candidates[index];
        let tokens = self.model(index).map_or(estimate::TYPICAL_OUTPUT_TOKENS, |model| model.output_tokens);
        let tokens = self.request.max_output_tokens.map_or(tokens, |most| tokens.min(f64::from(most)));
        estimate::cost_usd(model, f64::from(self.request.input_tokens), tokens)
    }

    fn times(&self) -> Option<Vec<f64>> {
        let tokens = estimate::output_tokens(self.request);
        estimate::last_tokens_ms(self.candidates, tokens, estimate::TYPICAL_SLOTS)
    }

    fn decision(&self, order: Vec<usize>, label: &str, why: &str) -> Decision {
        let first = order[0];
        let reason = Reason {
            why,
            id: &self.candidates[first].id,
            score: if label == "learned:guard" {
                self.model(first).map(|it| it.mean)
            } else {
                self.score(first)
            },
            cost: self.cost(first),
        };
        Decision::of(order, label).because(reason)
    }
}

/// `predicted: a/b with score 0.712 at about $0.000127`
struct Reason<'a> {
    why: &'a str,
    id: &'a str,
    score: Option<f64>,
    cost: f64,
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { why, id, .. } = self;
        let cost = estimate::dollars(self.cost);
        match self.score {
            // In whole thousandths: formatting floating-point numbers is slow.
            Some(score) => {
                let thousandths = (score.clamp(0.0, 1.0) * 1000.0).round() as u32;
                let (whole, rest) = (thousandths / 1000, thousandths % 1000);
                write!(f, "{why}: {id} with score {whole}.{rest:03} at about {cost}")
            }
            None => write!(f, "{why}: {id}, of which nothing is learnt, at about {cost}"),
        }
    }
}

pointsman_sdk::describe!(include_str!("../description.json"));
export!(Learned);

#[cfg(test)]
mod tests;
