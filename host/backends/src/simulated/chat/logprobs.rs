//! Log probabilities of simulated tokens.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;

/// Tokens that are offered as alternatives.
const ALTERNATIVES: [&str; 20] = [
    " the", " a", " of", " and", " to", " in", " is", " it", " that", " for", " as", " with", " on", " at",
    " by", " this", " from", " or", " an", " be",
];

/// Log probabilities of the tokens of a choice.
#[derive(Debug, Serialize)]
pub(super) struct Logprobs<'a> {
    content: Vec<TokenLogprob<'a>>,
    refusal: Option<()>,
}

#[derive(Debug, Serialize)]
struct TokenLogprob<'a> {
    #[serde(flatten)]
    token: Likelihood<'a>,
    top_logprobs: Vec<Likelihood<'a>>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Likelihood<'a> {
    token: &'a str,
    logprob: f64,
    bytes: &'a [u8],
}

impl<'a> Logprobs<'a> {
    /// States each token and this number of alternatives, the token itself being the first.
    pub(super) fn of(tokens: impl Iterator<Item = &'a str>, alternatives: usize) -> Self {
        let content = tokens.map(|token| TokenLogprob::of(token, alternatives)).collect();
        Self { content, refusal: None }
    }
}

impl<'a> TokenLogprob<'a> {
    fn of(token: &'a str, alternatives: usize) -> Self {
        let mut hasher = DefaultHasher::new();
        token.hash(&mut hasher);
        // The token has a probability between 0.6 and 0.95, and each alternative half of what is left.
        let probability = 0.6 + (hasher.finish() % 1_000) as f64 / 1_000.0 * 0.35;
        let first = Likelihood::of(token, probability);
        let others = ALTERNATIVES.iter().filter(|other| **other != token);
        let others = others
            .enumerate()
            .map(|(rank, other)| Likelihood::of(other, (1.0 - probability) * 0.5_f64.powi(rank as i32 + 1)));
        Self { token: first, top_logprobs: std::iter::once(first).chain(others).take(alternatives).collect() }
    }
}

impl<'a> Likelihood<'a> {
    fn of(token: &'a str, probability: f64) -> Self {
        Self { token, logprob: probability.ln(), bytes: token.as_bytes() }
    }
}
