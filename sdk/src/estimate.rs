//! What a candidate will probably cost and how long it will probably take.
//!
//! Pure functions with their formulas, so that policies agree on what "cheap"
//! and "fast" mean, and so that a figure in a reason can be checked by hand.

use crate::{Abilities, Candidate, Request};

/// Answer tokens assumed when nothing better is known: the mean of a public
/// trace of conversations with a production service is 211.
pub const TYPICAL_OUTPUT_TOKENS: f64 = 256.0;

/// As [`TYPICAL_OUTPUT_TOKENS`], for a request that asks a model to think first.
pub const TYPICAL_REASONING_TOKENS: f64 = 1024.0;

/// Calls that a server is assumed to answer side by side without one slowing the
/// other, where nothing says otherwise. Servers that batch manage 8 to 64.
pub const TYPICAL_SLOTS: f64 = 16.0;

/// An error rate above this counts as this: a model that always failed so far
/// is the last choice, but still one.
const MOST_ERRORS: f64 = 0.95;

/// Tokens that the answer will probably have:
///
/// `min(max-output-tokens, typical)`, where typical is 1024 for a request that
/// needs `reasoning` and 256 for any other.
pub fn output_tokens(request: &Request) -> f64 {
    let typical = if request.needs.contains(Abilities::REASONING) {
        TYPICAL_REASONING_TOKENS
    } else {
        TYPICAL_OUTPUT_TOKENS
    };
    request.max_output_tokens.map_or(typical, |limit| typical.min(f64::from(limit)))
}

/// US dollars for a call:
///
/// `(input-tokens × input-price + output × output-price) / 1,000,000`
pub fn cost_usd(candidate: &Candidate, input_tokens: f64, output_tokens: f64) -> f64 {
    (input_tokens * candidate.input_price + output_tokens * candidate.output_price) / 1e6
}

/// [`cost_usd`] of a request, with [`output_tokens`] for its answer.
pub fn request_cost_usd(candidate: &Candidate, request: &Request) -> f64 {
    cost_usd(candidate, f64::from(request.input_tokens), output_tokens(request))
}

/// An amount as text, in whole millionths: `$0.000356`. Numbers with a fraction are
/// the dearest part of a reason's text, and this is free of them.
pub fn dollars(usd: f64) -> impl std::fmt::Display {
    Dollars((usd * 1e6).round().max(0.0) as u64)
}

struct Dollars(u64);

impl std::fmt::Display for Dollars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "${}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// Milliseconds from the call to the last token on a candidate with nothing else
/// to do; `None` when the time to its first token or its speed is unknown:
///
/// `first-token-ms + 1000 × output / tokens-per-second`
pub fn unloaded_ms(candidate: &Candidate, output_tokens: f64) -> Option<f64> {
    let speed = candidate.tokens_per_second.filter(|speed| *speed > 0.0)?;
    Some(candidate.first_token_ms? + 1000.0 * output_tokens / speed)
}

/// Milliseconds from the call to the last token with the calls that the
/// candidate is already answering, and with the calls that will fail; `None`
/// as for [`unloaded_ms`]:
///
/// `unloaded × (1 + in-flight / slots) / (1 − error-rate)`
///
/// A server with `slots` calls in flight is taken to answer a further one in
/// twice its time: each slot's call is over after one answer's time, and the
/// expected wait for a free one grows evenly up to that. Calls that fail are
/// repeated, on average `1 / (1 − error-rate)` times in all; an error rate above
/// 0.95 counts as 0.95. The first-token time is measured under past load, so
/// under steady load the wait is counted twice; this errs towards spreading.
pub fn last_token_ms(candidate: &Candidate, output_tokens: f64, slots: f64) -> Option<f64> {
    let load = f64::from(candidate.in_flight) / slots.max(1.0);
    let errors = candidate.error_rate.clamp(0.0, MOST_ERRORS);
    Some(unloaded_ms(candidate, output_tokens)? * (1.0 + load) / (1.0 - errors))
}

/// [`last_token_ms`] of each candidate, in their order. A candidate of unknown
/// speed gets the mean of the known ones, so that it is tried once those are
/// busy, and is known from then on. `None` when no speed is known.
pub fn last_tokens_ms(candidates: &[Candidate], output_tokens: f64, slots: f64) -> Option<Vec<f64>> {
    let times: Vec<Option<f64>> =
        candidates.iter().map(|candidate| last_token_ms(candidate, output_tokens, slots)).collect();
    let known = times.iter().flatten().count();
    if known == 0 {
        return None;
    }
    let mean = times.iter().flatten().sum::<f64>() / known as f64;
    Some(times.into_iter().map(|time| time.unwrap_or(mean)).collect())
}

#[cfg(test)]
mod tests;
