//! Token counts of answers, for which each of these APIs has members of its own.

use pointsman_wire::usage_count::{UsageCount, UsageMember};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Counts of an answer or of the last event of a stream. Some servers count seconds, which are not
/// tokens.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UsageMembers<'a> {
    #[serde(borrow, alias = "input_tokens")]
    prompt_tokens: Option<&'a RawValue>,
    #[serde(borrow, alias = "output_tokens")]
    completion_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    total_tokens: Option<&'a RawValue>,
    #[serde(borrow, alias = "input_token_details")]
    input_tokens_details: Option<Details<'a>>,
    #[serde(borrow, alias = "output_token_details")]
    output_tokens_details: Option<Details<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details<'a> {
    #[serde(borrow)]
    audio_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    image_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    cached_tokens: Option<&'a RawValue>,
}

impl UsageMembers<'_> {
    /// Returns the counts. An answer of vectors or judgements has no output, which its server need
    /// not state.
    pub fn count(&self, has_output: bool) -> UsageCount {
        let mut count = UsageCount::NONE;
        let (input, output) = (&self.input_tokens_details, &self.output_tokens_details);
        let members = [
            (UsageMember::Input, self.prompt_tokens),
            (UsageMember::Output, self.completion_tokens),
            (UsageMember::Total, self.total_tokens),
            (UsageMember::AudioInput, input.as_ref().and_then(|details| details.audio_tokens)),
            (UsageMember::ImageInput, input.as_ref().and_then(|details| details.image_tokens)),
            (UsageMember::Cached, input.as_ref().and_then(|details| details.cached_tokens)),
            (UsageMember::AudioOutput, output.as_ref().and_then(|details| details.audio_tokens)),
            (UsageMember::ImageOutput, output.as_ref().and_then(|details| details.image_tokens)),
        ];
        for (member, value) in members {
            if let Some(value) = value {
                count.record(member, value.get().as_bytes());
            }
        }
        if !has_output && self.prompt_tokens.is_some() {
            count.set(UsageMember::Output, 0);
        }
        count
    }
}
