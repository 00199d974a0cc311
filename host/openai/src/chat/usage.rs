//! Token counts as they are written.

use pointsman_domain::usage::Usage;
use pointsman_wire::usage_count::{UsageCount, UsageMember};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::json::ObjectMembers;

/// Returns the count that a member of a usage, or of its details, states.
fn usage_member(name: &str) -> Option<UsageMember> {
    Some(match name {
        "prompt_tokens" | "input_tokens" => UsageMember::Input,
        "completion_tokens" | "output_tokens" => UsageMember::Output,
        "total_tokens" => UsageMember::Total,
        "cached_tokens" | "num_cached_tokens" | "prompt_cache_hit_tokens" | "cache_read_input_tokens" => {
            UsageMember::Cached
        }
        "cache_write_tokens" | "cache_creation_input_tokens" => UsageMember::CacheWrite,
        "reasoning_tokens" => UsageMember::Reasoning,
        _ => return None,
    })
}

const DETAILS: [&str; 4] =
    ["prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "output_tokens_details"];

/// Parses a usage. Members that are no credible counts are ignored.
pub(super) fn parse_usage(value: &RawValue) -> UsageCount {
    let mut count = UsageCount::default();
    record(value, &mut count, true);
    count
}

fn record(value: &RawValue, count: &mut UsageCount, has_details: bool) {
    let Ok(members) = serde_json::from_str::<ObjectMembers<'_>>(value.get()) else { return };
    for (name, value) in members.rest() {
        if has_details && DETAILS.contains(&&*name) {
            record(value, count, false);
        } else if let Some(member) = usage_member(&name) {
            count.record(member, value.get().as_bytes());
        }
    }
}

/// Member `usage` of an answer.
#[derive(Debug, Serialize)]
pub(crate) struct UsageBody {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Debug, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cache_write_tokens: u64,
}

#[derive(Debug, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl From<Usage> for UsageBody {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.input_tokens,
            completion_tokens: usage.output_tokens,
            total_tokens: usage.input_tokens.saturating_add(usage.output_tokens),
            prompt_tokens_details: PromptDetails {
                cached_tokens: usage.cached_input_tokens,
                cache_write_tokens: usage.cache_write_tokens,
            },
            completion_tokens_details: CompletionDetails { reasoning_tokens: usage.reasoning_tokens },
        }
    }
}
