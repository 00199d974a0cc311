//! Draws of models by weight, with their true probability. No source of randomness is needed: a
//! draw is computed from a key, so it is the same wherever it is repeated, such as in a replay of
//! the decision log.
//!
//! With the decision's id as the key, draws of different requests are independent: the gateway
//! makes a new random id for each request, and clients cannot choose it. With the session as the
//! key, all requests of a session get the same model.

use crate::Candidate;

/// Result of a draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// All candidates of the draw. The first is the one that was drawn, and the others follow in
    /// the order in which they would be drawn without those before them. Those of weight 0 come
    /// last, in their given order.
    pub order: Vec<usize>,
    /// The probability with which a key draws the first of `order`, for `Decision::propensity`.
    pub propensity: f64,
}

/// Draws from the candidates in `order`, each with a probability in proportion to its weight.
/// Only the ratio of weights matters. One that is negative, infinite or NaN counts as 0; if all
/// are 0, every candidate has the same weight.
///
/// The draw is by weighted rendezvous hashing: if a candidate is added or removed, or its weight
/// changes, only keys that it gains or loses are affected. Parts of `key` are kept apart, so
/// `["a", "b"]` and `["ab"]` are different keys.
pub fn by_weight(
    key: &[&str],
    candidates: &[Candidate],
    order: Vec<usize>,
    weight: impl Fn(usize, &Candidate) -> f64,
) -> Draw {
    let weight_of = |index: usize| {
        let weight = candidates.get(index).map_or(0.0, |candidate| weight(index, candidate));
        if weight.is_finite() { weight.max(0.0) } else { 0.0 }
    };
    let mut weights: Vec<f64> = order.iter().map(|&index| weight_of(index)).collect();
    let largest = weights.iter().copied().fold(0.0, f64::max);
    for weight in &mut weights {
        // Relative to the largest, so that their sum is finite.
        *weight = if largest > 0.0 { *weight / largest } else { 1.0 };
    }
    let total: f64 = weights.iter().sum();
    let key = key.iter().fold(SEED, |state, part| mix(absorb(state, part)));
    let mut drawn: Vec<Ticket> = order
        .into_iter()
        .zip(weights)
        .enumerate()
        .map(|(position, (index, weight))| {
            let id = candidates.get(index).map_or("", |candidate| candidate.id.as_str());
            Ticket { time: arrival(mix(absorb(key, id)), weight), weight, position, index }
        })
        .collect();
    drawn.sort_unstable_by(|a, b| a.time.total_cmp(&b.time).then(a.position.cmp(&b.position)));
    let propensity = drawn.first().map_or(1.0, |first| first.weight / total);
    Draw { order: drawn.into_iter().map(|ticket| ticket.index).collect(), propensity }
}

/// A candidate in a draw.
struct Ticket {
    /// Arrival in a race of exponential clocks, which each candidate wins with a probability in
    /// proportion to its rate, the weight.
    time: f64,
    weight: f64,
    /// Position in the given order.
    position: usize,
    index: usize,
}

/// Returns the first event of an exponential clock; infinite for a clock of rate 0.
fn arrival(hash: u64, rate: f64) -> f64 {
    // The 53 bits of an f64, centred, so that the result is neither 0 nor 1.
    let uniform = ((hash >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    if rate > 0.0 { -uniform.ln() / rate } else { f64::INFINITY }
}

/// Offset basis of 64-bit FNV-1a.
const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// Continues 64-bit FNV-1a with a text.
fn absorb(state: u64, text: &str) -> u64 {
    text.bytes().fold(state, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Finalizer of MurmurHash3, by which every bit of the input affects every bit of the output.
fn mix(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests;
