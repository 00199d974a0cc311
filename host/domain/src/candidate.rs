//! Which models can serve a request. The host filters; the policy chooses among
//! what is left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::live::Snapshot;
use crate::model::{Abilities, Modalities, Model};
use crate::money::Picodollars;
use crate::request::RequestFacts;

/// A model that can serve a request, with its live stats at that moment.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The model.
    pub model: Arc<Model>,
    /// What was measured of it when the request arrived.
    pub live: Snapshot,
}

/// Why no model of a route can serve a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCandidate {
    /// None is called for this operation.
    #[error("no model of the route serves {0} requests")]
    Operation(&'static str),
    /// None accepts this content.
    #[error("no model of the route accepts {}", modality_names(.0))]
    Inputs(Modalities),
    /// None can do this.
    #[error("no model of the route supports {}", ability_names(.0))]
    Abilities(Abilities),
    /// The request is too long for all of them.
    #[error(
        "the request has about {needed} tokens, more than any model of the route takes (at most {largest})"
    )]
    ContextWindow {
        /// Estimated tokens of input and requested output.
        needed: u64,
        /// The largest window.
        largest: u32,
    },
}

/// Tokens of an answer whose length nothing limits: the mean of a public trace of
/// conversations is 211 (Azure LLM inference trace 2023, `conv`). The SDK's
/// `estimate` assumes the same, so that policies and the gateway agree.
const TYPICAL_OUTPUT_TOKENS: u32 = 256;
/// The same where the model is to think first.
const TYPICAL_REASONING_TOKENS: u32 = 1024;

impl Candidate {
    /// What it would probably charge for a request.
    pub fn predicted_cost(&self, request: &RequestFacts) -> Picodollars {
        self.model.price.of(request.input_tokens.into(), output_tokens(request).into())
    }

    /// How long a request would probably take, if the model's speed is known.
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

/// The models that can serve a request, in the given order.
#[derive(Debug)]
pub struct Eligible {
    /// The available ones, which are healthy and not resting, or all where none is; at
    /// least one.
    pub candidates: Vec<Candidate>,
    /// The others, where some are available: to be tried when all else failed.
    pub last_resort: Vec<Candidate>,
}

/// Splits the models that can serve a request by whether they are available.
pub fn eligible<'a>(
    models: impl IntoIterator<Item = &'a Arc<Model>>,
    request: &RequestFacts,
    now: Instant,
) -> Result<Eligible, NoCandidate> {
    let mut nearest_miss = Miss::Operation;
    let mut candidates = Vec::new();
    for model in models {
        match miss(model, request) {
            None => candidates.push(Candidate {
                model: Arc::clone(model),
                live: model.live.snapshot(&model.expected, now),
            }),
            Some(miss) => nearest_miss = nearest_miss.max(miss),
        }
    }
    if candidates.is_empty() {
        return Err(nearest_miss.explain(request));
    }
    let mut last_resort = Vec::new();
    if candidates.iter().any(|candidate| candidate.live.is_available()) {
        last_resort.extend(candidates.extract_if(.., |candidate| !candidate.live.is_available()));
    }
    Ok(Eligible { candidates, last_resort })
}

/// The models that can serve a request or a part of it, for a policy that may
/// cut it into tasks, and how many of them, counted from the first, can serve it
/// whole. Healthy ones come before unhealthy ones in both, else they are in the
/// given order.
pub fn partial<'a>(
    models: impl IntoIterator<Item = &'a Arc<Model>>,
    request: &RequestFacts,
    now: Instant,
) -> Result<(Vec<Candidate>, usize), NoCandidate> {
    let kinds = request.inputs | Modalities::TEXT;
    let (mut whole, mut others) = (Vec::new(), Vec::new());
    for model in models {
        let live = model.live.snapshot(&model.expected, now);
        let candidate = Candidate { model: Arc::clone(model), live };
        if miss(model, request).is_none() {
            whole.push(candidate);
        } else if model.inputs.intersects(kinds) {
            others.push(candidate);
        }
    }
    let count = whole.len();
    for candidates in [&mut whole, &mut others] {
        candidates.sort_by_key(|candidate| !candidate.live.is_available());
    }
    whole.append(&mut others);
    if whole.is_empty() { Err(NoCandidate::Inputs(request.inputs)) } else { Ok((whole, count)) }
}

/// Whether a model can serve a request, healthy or not.
pub fn can_serve(model: &Model, request: &RequestFacts) -> bool {
    miss(model, request).is_none()
}

/// What kept a model out, in the order of the checks: the model that got
/// furthest says best why none is left.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Miss {
    Operation,
    Inputs,
    Abilities,
    Window(u32),
}

fn miss(model: &Model, request: &RequestFacts) -> Option<Miss> {
    if !model.operations.contains(&request.operation) {
        return Some(Miss::Operation);
    }
    if !model.inputs.contains(request.inputs) {
        return Some(Miss::Inputs);
    }
    if !model.abilities.contains(request.needs) {
        return Some(Miss::Abilities);
    }
    match model.context_window {
        Some(window) if tokens_needed(request) > u64::from(window) => Some(Miss::Window(window)),
        _ => None,
    }
}

fn tokens_needed(request: &RequestFacts) -> u64 {
    u64::from(request.input_tokens) + u64::from(request.max_output_tokens.unwrap_or(0))
}

impl Miss {
    fn explain(self, request: &RequestFacts) -> NoCandidate {
        match self {
            Self::Operation => NoCandidate::Operation(request.operation.as_str()),
            Self::Inputs => NoCandidate::Inputs(request.inputs),
            Self::Abilities => NoCandidate::Abilities(request.needs),
            Self::Window(largest) => NoCandidate::ContextWindow { needed: tokens_needed(request), largest },
        }
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
