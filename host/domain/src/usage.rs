//! Counts of tokens.

use std::ops::Add;

/// Tokens of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the input, including those read from and written to the provider's cache.
    pub input_tokens: u64,
    /// Input tokens that the provider read from its cache.
    pub cached_input_tokens: u64,
    /// Input tokens that the provider wrote to its cache, for whatever time.
    pub cache_write_tokens: u64,
    /// Those of `cache_write_tokens` that it keeps for an hour.
    pub cache_write_1h_tokens: u64,
    /// Input tokens of audio.
    pub audio_input_tokens: u64,
    /// Input tokens of images, where the provider counts them apart.
    pub image_input_tokens: u64,
    /// Tokens of the answer, reasoning included.
    pub output_tokens: u64,
    /// Tokens of the answer that are reasoning.
    pub reasoning_tokens: u64,
    /// Tokens of the answer that are audio.
    pub audio_output_tokens: u64,
    /// Tokens of the answer that are images, where the provider counts them apart.
    pub image_output_tokens: u64,
    /// True if the gateway estimated some of them, because the backend reported none or none that
    /// can be true.
    pub estimated: bool,
}

impl Usage {
    /// Returns the usage of a call whose tokens were counted, none of them of a special kind.
    pub const fn counted(input_tokens: u64, output_tokens: u64) -> Self {
        Self {
            input_tokens,
            output_tokens,
            cached_input_tokens: 0,
            cache_write_tokens: 0,
            cache_write_1h_tokens: 0,
            audio_input_tokens: 0,
            image_input_tokens: 0,
            reasoning_tokens: 0,
            audio_output_tokens: 0,
            image_output_tokens: 0,
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
        let sum = |of: fn(&Self) -> u64| of(&self).saturating_add(of(&other));
        Self {
            input_tokens: sum(|usage| usage.input_tokens),
            cached_input_tokens: sum(|usage| usage.cached_input_tokens),
            cache_write_tokens: sum(|usage| usage.cache_write_tokens),
            cache_write_1h_tokens: sum(|usage| usage.cache_write_1h_tokens),
            audio_input_tokens: sum(|usage| usage.audio_input_tokens),
            image_input_tokens: sum(|usage| usage.image_input_tokens),
            output_tokens: sum(|usage| usage.output_tokens),
            reasoning_tokens: sum(|usage| usage.reasoning_tokens),
            audio_output_tokens: sum(|usage| usage.audio_output_tokens),
            image_output_tokens: sum(|usage| usage.image_output_tokens),
            estimated: self.estimated || other.estimated,
        }
    }
}
