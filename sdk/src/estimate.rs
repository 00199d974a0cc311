//! Estimates of the cost and latency of a call.
//!
//! The functions are pure and their formulas documented, so that policies agree on the meaning
//! of "cheap" and "fast", and a figure in a reason can be checked by hand.

use crate::{Abilities, Candidate, Request};

/// Output tokens assumed for a request without further information. The mean of a public
/// trace of conversations with a production service is 211.
pub const TYPICAL_OUTPUT_TOKENS: f64 = 256.0;

/// As [`TYPICAL_OUTPUT_TOKENS`], for a request that needs reasoning.
pub const TYPICAL_REASONING_TOKENS: f64 = 1024.0;

/// Concurrent calls that a server is assumed to process without slowing each other down.
/// Servers that batch requests reach 8 to 64.
pub const TYPICAL_SLOTS: f64 = 16.0;

/// The upper bound of the error rate in estimates: a model whose calls all failed so far is
/// the last choice, but remains one.
const MAX_ERROR_RATE: f64 = 0.95;

/// Estimates the output tokens of a request:
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

/// Estimates the cost of a call in US dollars:
///
/// `(input-tokens × input-price + output × output-price) / 1,000,000`
pub fn cost_usd(candidate: &Candidate, input_tokens: f64, output_tokens: f64) -> f64 {
    (input_tokens * candidate.input_price + output_tokens * candidate.output_price) / 1e6
}

/// Estimates the cost of a request as [`cost_usd`], with [`output_tokens`] for its output.
pub fn request_cost_usd(candidate: &Candidate, request: &Request) -> f64 {
    cost_usd(candidate, f64::from(request.input_tokens), output_tokens(request))
}

/// Formats an amount in whole millionths: `$0.000356`. Formatting floating-point numbers is
/// the most expensive part of a reason's text, so this uses integers.
pub fn dollars(usd: f64) -> impl std::fmt::Display {
    Dollars((usd * 1e6).round().max(0.0) as u64)
}

struct Dollars(u64);

impl std::fmt::Display for Dollars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "${}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// Estimates the milliseconds from the call to the last token on an idle candidate; `None`
/// if its time to the first token or its speed is unknown:
///
/// `first-token-ms + 1000 × output / tokens-per-second`
pub fn unloaded_ms(candidate: &Candidate, output_tokens: f64) -> Option<f64> {
    let speed = candidate.tokens_per_second.filter(|speed| *speed > 0.0)?;
    Some(candidate.first_token_ms? + 1000.0 * output_tokens / speed)
}

/// Estimates the milliseconds from the call to the last token, with the candidate's current
/// load and error rate; `None` as for [`unloaded_ms`]:
///
/// `unloaded × (1 + in-flight / slots) / (1 − error-rate)`
///
/// A server with `slots` calls in flight is assumed to take twice as long for a further one:
/// each of those calls ends within the time of one answer, and the expected wait for a free
/// slot grows linearly up to that. A failed call is retried, which makes
/// `1 / (1 − error-rate)` calls on average; an error rate above 0.95 counts as 0.95. The
/// first-token time was measured under load, so under steady load the wait is counted twice,
/// which spreads calls more evenly.
pub fn last_token_ms(candidate: &Candidate, output_tokens: f64, slots: f64) -> Option<f64> {
    let load = f64::from(candidate.in_flight) / slots.max(1.0);
    let errors = candidate.error_rate.clamp(0.0, MAX_ERROR_RATE);
    Some(unloaded_ms(candidate, output_tokens)? * (1.0 + load) / (1.0 - errors))
}

/// Estimates [`last_token_ms`] of each candidate, in their order. A candidate of unknown speed
/// gets the mean of the known ones, so that it is tried once those are busy, which measures
/// it. `None` if no speed is known.
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
