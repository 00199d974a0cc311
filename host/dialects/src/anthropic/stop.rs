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

/// Content of an answer that determines why it ended, where its provider states nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum DecisiveContent {
    /// Nothing of the kind.
    #[default]
    None,
    /// Refusal: other APIs have no reason of its own for it.
    Refusal,
    /// Call of a tool: the answer is only complete for a client once the tool has run.
    ToolCall,
}

/// Returns the `stop_reason`.
pub(super) const fn name(stop: &StopReason, content: DecisiveContent) -> &'static str {
    match stop {
        StopReason::Complete | StopReason::Other(_) => match content {
            DecisiveContent::None => "end_turn",
            DecisiveContent::Refusal => "refusal",
            DecisiveContent::ToolCall => "tool_use",
        },
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
