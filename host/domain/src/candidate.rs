//! Selection of the models that can serve a request. The host filters; a policy chooses among the
//! candidates.

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::fit::{Fit, Misses};
use crate::live::LiveSnapshot;
use crate::model::{Abilities, Modalities, Model, Operation};
use crate::money::Picodollars;
use crate::request::RequestFacts;

mod fit;

/// Model that can serve a request, with its live stats at that time.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Facts about the model.
    pub model: Arc<Model>,
    /// Live stats at the arrival of the request.
    pub live: LiveSnapshot,
}

/// Reason why no model of a route can serve a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCandidate {
    /// No model supports the operation.
    #[error("no model of the route serves {0} requests")]
    Operation(Operation),
    /// No model accepts this content, or none accepts all of it.
    #[error("no model of the route accepts {}", modality_names(.0))]
    Inputs(Modalities),
    /// No model has these abilities, or none has all of them.
    #[error("no model of the route supports {}", ability_names(.0))]
    Abilities(Abilities),
    /// One model accepts the content and another has the abilities, but none both.
    #[error(
        "no model of the route accepts {} and supports {} as well",
        modality_names(.inputs),
        ability_names(.abilities)
    )]
    Combination {
        /// Content of the request.
        inputs: Modalities,
        /// Abilities that the models lack which accept the content.
        abilities: Abilities,
    },
    /// The request is too long for every model, however its tokens are counted.
    #[error(
        "the request has at least {needed} tokens, more than any model of the route takes (at most {largest})"
    )]
    ContextWindow {
        /// Lower bound on the tokens of the input.
        needed: u32,
        /// Largest context window.
        largest: u32,
    },
}

/// Expected tokens of an answer without a limit: the mean of a public trace of conversations is 211
/// (Azure LLM inference trace 2023, `conv`). The SDK's `estimate` assumes the same, so that
/// policies and the gateway agree.
const TYPICAL_OUTPUT_TOKENS: u32 = 256;
/// Expected tokens of an answer with reasoning.
const TYPICAL_REASONING_TOKENS: u32 = 1024;

impl Candidate {
    /// Returns the expected cost of a request.
    pub fn predicted_cost(&self, request: &RequestFacts) -> Picodollars {
        self.model.price.of(request.input_tokens.into(), output_tokens(request).into())
    }

    /// Returns the expected latency of a request, if the model's speed is known.
    pub fn predicted_latency(&self, request: &RequestFacts) -> Option<Duration> {
        let first_token = self.live.first_token_ms? / 1e3;
        let generation = f64::from(output_tokens(request)) / self.live.tokens_per_second?;
        Duration::try_from_secs_f64(first_token + generation).ok()
    }
}

fn output_tokens(request: &RequestFacts) -> u32 {
    let typical = match request.needs.contains(Abilities::REASONING) {
        true => TYPICAL_REASONING_TOKENS,
        false => TYPICAL_OUTPUT_TOKENS,
    };
    request.max_output_tokens.map_or(typical, |limit| limit.min(typical))
}

/// Models of a route that can serve a request, in the given order.
#[derive(Debug)]
pub struct Eligible {
    /// Available models, which are healthy and not resting, or all models where none is available.
    /// Never empty.
    pub candidates: Vec<Candidate>,
    /// Models that are not available, for when every candidate has failed.
    pub last_resort: Vec<Candidate>,
}

/// Selects the models that suit a request best, and splits them by whether they are available.
///
/// Models whose context window holds the estimated tokens, and whose abilities are stated
/// rather than assumed, exclude the others. Where no window is large enough by that estimate,
/// the models with the largest are selected.
pub fn eligible<'a>(
    models: impl IntoIterator<Item = &'a Arc<Model>>,
    request: &RequestFacts,
    now: Instant,
) -> Result<Eligible, NoCandidate> {
    let Selection { best, misses, .. } = Selection::of(models, request, now);
    if best.is_empty() {
        return Err(misses.explain(request));
    }
    let mut candidates = best;
    let mut last_resort = Vec::new();
    if candidates.iter().any(|candidate| candidate.live.is_available()) {
        last_resort.extend(candidates.extract_if(.., |candidate| !candidate.live.is_available()));
    }
    Ok(Eligible { candidates, last_resort })
}

/// Selects the models that can serve a request or a part of it, for a policy that may split it into
/// tasks. Also returns how many of them, counted from the first, can serve the whole request: those
/// that [`eligible`] selects. Healthy models precede unhealthy ones in both groups; else the given
/// order is kept.
pub fn partial<'a>(
    models: impl IntoIterator<Item = &'a Arc<Model>>,
    request: &RequestFacts,
    now: Instant,
) -> Result<(Vec<Candidate>, usize), NoCandidate> {
    let kinds = request.inputs | Modalities::TEXT;
    let Selection { best: mut whole, mut others, misses } = Selection::of(models, request, now);
    others.retain(|candidate| candidate.model.inputs.intersects(kinds));
    let count = whole.len();
    for candidates in [&mut whole, &mut others] {
        candidates.sort_by_key(|candidate| !candidate.live.is_available());
    }
    whole.append(&mut others);
    if whole.is_empty() { Err(misses.explain(request)) } else { Ok((whole, count)) }
}

/// Returns whether a model can serve a request, healthy or not.
pub fn can_serve(model: &Model, request: &RequestFacts) -> bool {
    Fit::of(model, request).is_ok()
}

/// Models of a route, grouped by fit.
struct Selection {
    /// Models with the best fit.
    best: Vec<Candidate>,
    /// All others, including models that cannot serve the request.
    others: Vec<Candidate>,
    /// Reasons of the models that cannot serve it.
    misses: Misses,
}

impl Selection {
    fn of<'a>(
        models: impl IntoIterator<Item = &'a Arc<Model>>,
        request: &RequestFacts,
        now: Instant,
    ) -> Self {
        let mut misses = Misses::new();
        let mut candidates: Vec<(Option<Fit>, Candidate)> = Vec::new();
        for model in models {
            let fit = Fit::of(model, request).inspect_err(|miss| misses.add(model, *miss)).ok();
            let live = model.live.snapshot(&model.expected, now);
            candidates.push((fit, Candidate { model: Arc::clone(model), live }));
        }
        let best_fit = candidates.iter().filter_map(|(fit, _)| *fit).min();
        let (best, others): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(|(fit, _)| fit.is_some() && *fit == best_fit);
        let models = |group: Vec<(_, Candidate)>| group.into_iter().map(|(_, candidate)| candidate).collect();
        Self { best: models(best), others: models(others), misses }
    }
}

fn modality_names(inputs: &Modalities) -> String {
    inputs.iter_names().map(|(name, _)| name.to_ascii_lowercase()).collect::<Vec<_>>().join(" and ")
}

fn ability_names(needs: &Abilities) -> String {
    needs
        .iter_names()
        .map(|(name, _)| name.to_ascii_lowercase().replace('_', " "))
        .collect::<Vec<_>>()
        .join(" and ")
}

#[cfg(test)]
mod tests;
