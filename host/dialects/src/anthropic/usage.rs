//! Usage, whose `input_tokens` are counted without those read from and written to the cache.

use pointsman_domain::usage::Usage;
use pointsman_wire::usage_count::{UsageCount, UsageMember};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::json::ObjectMembers;

/// Token counts as they are stated here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StatedUsage {
    input: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    output: Option<u64>,
    thinking: Option<u64>,
}

impl StatedUsage {
    /// Parses a `usage`; counts that are none are left out.
    pub fn parse(value: &RawValue) -> Self {
        let Some(mut members) = ObjectMembers::parse_answer(value.get().as_bytes()) else {
            return Self::default();
        };
        let details = members.take("output_tokens_details");
        let details = details.and_then(|details| ObjectMembers::parse_answer(details.get().as_bytes()));
        let count = |value: Option<&RawValue>| whole_number(value?);
        Self {
            input: count(members.take("input_tokens")),
            cache_read: count(members.take("cache_read_input_tokens")),
            cache_write: count(members.take("cache_creation_input_tokens")),
            output: count(members.take("output_tokens")),
            thinking: count(details.and_then(|mut details| details.take("thinking_tokens"))),
        }
    }

    /// Replaces counts by later ones of the same answer. A zero replaces nothing: servers state it
    /// before they know better.
    pub fn update(&mut self, later: Self) {
        let update = |own: &mut Option<u64>, later: Option<u64>| {
            *own = later.filter(|count| *count > 0 || own.is_none()).or(*own);
        };
        update(&mut self.input, later.input);
        update(&mut self.cache_read, later.cache_read);
        update(&mut self.cache_write, later.cache_write);
        update(&mut self.output, later.output);
        update(&mut self.thinking, later.thinking);
    }

    /// Returns the counts with an input that includes the tokens of the cache.
    pub fn count(&self) -> UsageCount {
        let mut count = UsageCount::NONE;
        let cached = self.cache_read.unwrap_or(0).saturating_add(self.cache_write.unwrap_or(0));
        let input = self.input.map(|input| input.saturating_add(cached));
        let members = [
            (UsageMember::Input, input),
            (UsageMember::Cached, self.cache_read),
            (UsageMember::CacheWrite, self.cache_write),
            (UsageMember::Output, self.output),
            (UsageMember::Reasoning, self.thinking),
        ];
        for (member, stated) in members {
            if let Some(stated) = stated {
                count.set(member, stated);
            }
        }
        count
    }
}

fn whole_number(value: &RawValue) -> Option<u64> {
    let text = value.get();
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        // Some servers write counts as floats. The cast saturates.
        (number >= 0.0 && number.fract() == 0.0).then_some(number as u64)
    })
}

/// `usage` of an answer.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct UsageBody {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct OutputDetails {
    thinking_tokens: u64,
}

impl From<Usage> for UsageBody {
    fn from(usage: Usage) -> Self {
        let cached = usage.cached_input_tokens.saturating_add(usage.cache_write_tokens);
        let thinking = Some(usage.reasoning_tokens).filter(|tokens| *tokens > 0);
        Self {
            input_tokens: usage.input_tokens.saturating_sub(cached),
            cache_creation_input_tokens: usage.cache_write_tokens,
            cache_read_input_tokens: usage.cached_input_tokens,
            output_tokens: usage.output_tokens,
            output_tokens_details: thinking.map(|thinking_tokens| OutputDetails { thinking_tokens }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::RawJson;

    fn stated(json: &str) -> StatedUsage {
        StatedUsage::parse(&RawJson::parse(json).expect("JSON").parse_as::<Box<RawValue>>().expect("JSON"))
    }

    #[test]
    fn the_input_includes_the_tokens_of_the_cache() {
        let usage = stated(
            r#"{"input_tokens":10,"cache_read_input_tokens":100,"cache_creation_input_tokens":5,
                "output_tokens":7.0,"output_tokens_details":{"thinking_tokens":3}}"#,
        );
        let usage = usage.count().usage(0, 0);
        assert_eq!((usage.input_tokens, usage.cached_input_tokens, usage.cache_write_tokens), (115, 100, 5));
        assert_eq!((usage.output_tokens, usage.reasoning_tokens, usage.estimated), (7, 3, false));
        let rendered = serde_json::to_string(&UsageBody::from(usage)).expect("JSON");
        assert_eq!(
            rendered,
            r#"{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":100,"output_tokens":7,"output_tokens_details":{"thinking_tokens":3}}"#
        );
    }

    #[test]
    fn a_later_count_replaces_an_earlier_one_unless_it_is_zero() {
        let mut usage = stated(r#"{"input_tokens":34824,"output_tokens":0}"#);
        usage.update(stated(
            r#"{"input_tokens":3883,"cache_read_input_tokens":30464,"output_tokens":49,
                "cache_creation_input_tokens":0}"#,
        ));
        usage.update(stated(r#"{"input_tokens":0,"output_tokens":null}"#));
        let usage = usage.count().usage(0, 0);
        assert_eq!((usage.input_tokens, usage.cached_input_tokens, usage.output_tokens), (34347, 30464, 49));
    }
}
