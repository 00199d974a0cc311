//! Reasons why an answer ended, by their names.

use crate::form::StopReason;

/// Returns the reason with a name, OpenAI's or that of another provider; `None` for none.
pub(super) fn parse_finish_reason(name: &str) -> Option<StopReason> {
    Some(match name {
        "" => return None,
        "stop" | "end_turn" | "eos" | "eos_token" | "STOP" | "COMPLETE" => StopReason::Complete,
        "stop_sequence" => StopReason::StopSequence(None),
        "length" | "max_tokens" | "MAX_TOKENS" => StopReason::MaxTokens,
        "model_length" | "model_context_window_exceeded" => StopReason::ContextWindow,
        "tool_calls" | "tool_call" | "function_call" | "tool_use" => StopReason::ToolCalls,
        "content_filter" | "SAFETY" | "sensitive" => StopReason::ContentFilter,
        "refusal" => StopReason::Refusal,
        "pause_turn" => StopReason::Pause,
        other => StopReason::Other(other.to_owned()),
    })
}

/// Returns the reason of an answer with this content: providers write `stop` in all cases where the
/// model itself ended it.
pub(super) fn refine(stop: Option<StopReason>, has_calls: bool, has_refusal: bool) -> StopReason {
    match stop.unwrap_or_default() {
        StopReason::Complete if has_calls => StopReason::ToolCalls,
        StopReason::Complete if has_refusal => StopReason::Refusal,
        stop => stop,
    }
}

/// Returns OpenAI's name of a reason.
pub(crate) const fn finish_reason(stop: &StopReason, has_refusal: bool) -> &'static str {
    match stop {
        StopReason::MaxTokens | StopReason::ContextWindow => "length",
        StopReason::ToolCalls => "tool_calls",
        StopReason::ContentFilter => "content_filter",
        // A refusal without words is that of a filter.
        StopReason::Refusal if !has_refusal => "content_filter",
        StopReason::Complete
        | StopReason::StopSequence(_)
        | StopReason::Refusal
        | StopReason::Pause
        | StopReason::Other(_) => "stop",
    }
}
