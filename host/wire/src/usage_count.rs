//! Token counts as backends state them, and the usage that follows from them.
//!
//! Providers agree on `prompt_tokens` and `completion_tokens` and little else: some state zeros
//! until the end of a stream or always, some leave reasoning out of the completion but not out of
//! the total, some write counts as floats, and each has its own member for cached tokens.

use pointsman_domain::usage::Usage;

use crate::json::whole_number;
use crate::tokens;

/// Highest count of tokens that is accepted for one call: ten times the largest context window on
/// offer. A larger count is a mistake or a lie, and would spoil sums that nothing can correct
/// later.
const MAX_TOKENS: u64 = 100_000_000;

/// Token counts of one answer, as far as its backend stated them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageCount {
    input: Option<u64>,
    output: Option<u64>,
    total: Option<u64>,
    cached: Option<u64>,
    cache_write: Option<u64>,
    cache_write_1h: Option<u64>,
    reasoning: Option<u64>,
    audio_input: Option<u64>,
    audio_output: Option<u64>,
    image_input: Option<u64>,
    image_output: Option<u64>,
}

/// Members of a `usage` that are parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageMember {
    /// Tokens of the input, those of the cache included.
    Input,
    /// Tokens of the answer.
    Output,
    /// Tokens of input and answer.
    Total,
    /// Input tokens that were read from the provider's cache.
    Cached,
    /// Input tokens that were written to the provider's cache.
    CacheWrite,
    /// Those of `CacheWrite` that the provider keeps for an hour.
    CacheWrite1h,
    /// Tokens of the answer that are reasoning.
    Reasoning,
    /// Input tokens of audio.
    AudioInput,
    /// Tokens of the answer that are audio.
    AudioOutput,
    /// Input tokens of images.
    ImageInput,
    /// Tokens of the answer that are images.
    ImageOutput,
}

impl UsageCount {
    /// No counts.
    pub const NONE: Self = Self {
        input: None,
        output: None,
        total: None,
        cached: None,
        cache_write: None,
        cache_write_1h: None,
        reasoning: None,
        audio_input: None,
        audio_output: None,
        image_input: None,
        image_output: None,
    };

    /// Returns the counts of an answer whose backend stated its input and output.
    pub const fn stated(input: u64, output: u64) -> Self {
        Self { input: Some(input), output: Some(output), ..Self::NONE }
    }

    /// Records a count as it is written in JSON. A value that is no credible count is ignored.
    pub fn record(&mut self, member: UsageMember, raw: &[u8]) {
        if let Some(count) = whole_number(raw) {
            self.set(member, count);
        }
    }

    /// Sets a count. One that is not credible is ignored.
    pub fn set(&mut self, member: UsageMember, count: u64) {
        if count <= MAX_TOKENS {
            *self.member(member) = Some(count);
        }
    }

    /// Replaces counts by later ones of the same answer. A later zero is a placeholder, and
    /// replaces nothing.
    pub fn update(&mut self, later: Self) {
        let update = |own: &mut Option<u64>, later: Option<u64>| match later {
            Some(0) => *own = own.or(later),
            Some(_) => *own = later,
            None => {}
        };
        update(&mut self.input, later.input);
        update(&mut self.output, later.output);
        update(&mut self.total, later.total);
        update(&mut self.cached, later.cached);
        update(&mut self.cache_write, later.cache_write);
        update(&mut self.cache_write_1h, later.cache_write_1h);
        update(&mut self.reasoning, later.reasoning);
        update(&mut self.audio_input, later.audio_input);
        update(&mut self.audio_output, later.audio_output);
        update(&mut self.image_input, later.image_input);
        update(&mut self.image_output, later.image_output);
    }

    /// Returns whether the backend stated the tokens of both input and output.
    pub const fn is_complete(&self) -> bool {
        self.input.is_some() && (self.output.is_some() || self.total.is_some())
    }

    /// Returns the usage of a call with about `input_estimate` input tokens, whose answer has
    /// `output_bytes` of text. Missing counts, and zeros that cannot be true, are estimated from
    /// these.
    pub fn usage(&self, input_estimate: u32, output_bytes: u64) -> Usage {
        let (cached, cache_write) = (self.cached.unwrap_or(0), self.cache_write.unwrap_or(0));
        let stated_input = self.input.filter(|input| *input > 0).map(|input| self.with_cached_beside(input));
        let input = stated_input.unwrap_or(input_estimate.into());
        let stated_output = self.stated_output(stated_input);
        let is_credible = |output: &u64| *output > 0 || output_bytes == 0;
        let counted_output = stated_output.filter(is_credible);
        let output = counted_output.unwrap_or_else(|| tokens::of_text(output_bytes));
        let cache_write = cache_write.min(input - cached.min(input));
        let part = |count: Option<u64>, of: u64| count.unwrap_or(0).min(of);
        Usage {
            input_tokens: input,
            cached_input_tokens: cached.min(input),
            cache_write_tokens: cache_write,
            cache_write_1h_tokens: part(self.cache_write_1h, cache_write),
            audio_input_tokens: part(self.audio_input, input),
            image_input_tokens: part(self.image_input, input),
            output_tokens: output,
            reasoning_tokens: part(self.reasoning, output),
            audio_output_tokens: part(self.audio_output, output),
            image_output_tokens: part(self.image_output, output),
            estimated: stated_input.is_none() || counted_output.is_none(),
        }
    }

    /// Adds cached tokens to the input for backends that count them beside it; their total, if
    /// they state one, has room for both. Other backends state more cached tokens than the input
    /// has.
    fn with_cached_beside(&self, input: u64) -> u64 {
        let beside = self.cached.unwrap_or(0) + self.cache_write.unwrap_or(0);
        let sum = input + beside;
        let has_room = self.total.is_none_or(|total| total >= sum + self.output.unwrap_or(0));
        if beside > input && has_room { sum } else { input }
    }

    /// Returns the output including reasoning, which some backends leave out of the completion
    /// but not out of the total.
    fn stated_output(&self, input: Option<u64>) -> Option<u64> {
        let rest = self.total.zip(input).and_then(|(total, input)| total.checked_sub(input));
        self.output.max(rest)
    }

    fn member(&mut self, member: UsageMember) -> &mut Option<u64> {
        match member {
            UsageMember::Input => &mut self.input,
            UsageMember::Output => &mut self.output,
            UsageMember::Total => &mut self.total,
            UsageMember::Cached => &mut self.cached,
            UsageMember::CacheWrite => &mut self.cache_write,
            UsageMember::CacheWrite1h => &mut self.cache_write_1h,
            UsageMember::Reasoning => &mut self.reasoning,
            UsageMember::AudioInput => &mut self.audio_input,
            UsageMember::AudioOutput => &mut self.audio_output,
            UsageMember::ImageInput => &mut self.image_input,
            UsageMember::ImageOutput => &mut self.image_output,
        }
    }
}

#[cfg(test)]
mod tests;
