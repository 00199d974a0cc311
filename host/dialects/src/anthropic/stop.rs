//! Reasons why an answer ended.

use crate::form::StopReason;

/// Returns the reason for a `stop_reason` and its `stop_sequence`.
pub(super) fn parse(reason: &str, sequence: Option<String>) -> StopReason {
    match reason {
        "end_turn" => StopReason::Complete,
        "max_tokens" => StopReason::MaxTokens,
        "stop_sequence" => StopReason::StopSequence(sequence),
        "tool_use" => StopReason::ToolCalls,
        "pause_turn" => StopReason::Pause,
        "refusal" => StopReason::Refusal,
        "model_context_window_exceeded" => StopReason::ContextWindow,
        other => StopReason::Other(other.to_owned()),
    }
}

/// Returns the `stop_reason`. An answer that calls a tool is only complete for a client once the
/// tool has run, whatever its provider states.
pub(super) const fn name(stop: &StopReason, has_tool_calls: bool) -> &'static str {
    match stop {
        StopReason::Complete | StopReason::Other(_) if has_tool_calls => "tool_use",
        StopReason::Complete | StopReason::Other(_) => "end_turn",
        StopReason::StopSequence(_) => "stop_sequence",
        StopReason::MaxTokens => "max_tokens",
        StopReason::ContextWindow => "model_context_window_exceeded",
        StopReason::ToolCalls => "tool_use",
        StopReason::ContentFilter | StopReason::Refusal => "refusal",
        StopReason::Pause => "pause_turn",
    }
}

/// Returns the `stop_sequence`.
pub(super) fn sequence(stop: &StopReason) -> Option<&str> {
    match stop {
        StopReason::StopSequence(sequence) => sequence.as_deref(),
        _ => None,
    }
}
