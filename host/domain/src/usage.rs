//! Counts of tokens.

use std::ops::Add;

/// Tokens of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the input, including those read from and written to the provider's cache.
    pub input_tokens: u64,
    /// Input tokens that the provider read from its cache.
    pub cached_input_tokens: u64,
    /// Input tokens that the provider wrote to its cache.
    pub cache_write_tokens: u64,
    /// Tokens of the answer, reasoning included.
    pub output_tokens: u64,
    /// Tokens of the answer that are reasoning.
    pub reasoning_tokens: u64,
    /// True if the gateway estimated some of them, because the backend reported none or none that
    /// can be true.
    pub estimated: bool,
}

impl Usage {
    /// Returns the usage of a call whose tokens were counted, none of them cached or for
    /// reasoning.
    pub const fn counted(input_tokens: u64, output_tokens: u64) -> Self {
        Self {
            input_tokens,
            output_tokens,
            cached_input_tokens: 0,
            cache_write_tokens: 0,
            reasoning_tokens: 0,
            estimated: false,
        }
    }

    /// Returns the same with a mark that tokens were estimated.
    #[must_use]
    pub const fn estimated(self) -> Self {
        Self { estimated: true, ..self }
    }
}

impl Add for Usage {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            cached_input_tokens: self.cached_input_tokens.saturating_add(other.cached_input_tokens),
            cache_write_tokens: self.cache_write_tokens.saturating_add(other.cache_write_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            reasoning_tokens: self.reasoning_tokens.saturating_add(other.reasoning_tokens),
            estimated: self.estimated || other.estimated,
        }
    }
}
