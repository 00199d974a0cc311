//! Members of the request that the response repeats.

use super::offered_tools::OfferedTools;
use crate::form::RawJson;
use crate::json::ObjectMembers;

/// Members of a request that its response repeats, and the kinds of its tools, on which the items
/// of the response depend.
#[derive(Clone, Debug, Default)]
pub struct EchoedMembers {
    pub(super) instructions: Option<RawJson>,
    pub(super) max_output_tokens: Option<RawJson>,
    pub(super) max_tool_calls: Option<RawJson>,
    pub(super) metadata: Option<RawJson>,
    pub(super) parallel_tool_calls: Option<RawJson>,
    pub(super) prompt_cache_key: Option<RawJson>,
    pub(super) prompt_cache_retention: Option<RawJson>,
    pub(super) reasoning: Option<RawJson>,
    pub(super) safety_identifier: Option<RawJson>,
    pub(super) temperature: Option<RawJson>,
    pub(super) text_format: Option<RawJson>,
    pub(super) verbosity: Option<RawJson>,
    pub(super) tool_choice: Option<RawJson>,
    pub(super) tools: Option<RawJson>,
    pub(super) top_p: Option<RawJson>,
    pub(super) truncation: Option<RawJson>,
    pub(super) user: Option<RawJson>,
    /// True if the client requested summaries of the reasoning.
    pub(super) wants_summary: bool,
    pub(super) offered: OfferedTools,
}

impl EchoedMembers {
    /// Returns the members that are repeated as they are. The parser sets the others.
    pub(super) fn of(request: &ObjectMembers<'_>) -> Self {
        let member = |name| request.get(name).map(RawJson::from);
        Self {
            instructions: member("instructions"),
            max_output_tokens: member("max_output_tokens"),
            max_tool_calls: member("max_tool_calls"),
            metadata: member("metadata"),
            parallel_tool_calls: member("parallel_tool_calls"),
            prompt_cache_key: member("prompt_cache_key"),
            prompt_cache_retention: member("prompt_cache_retention"),
            reasoning: member("reasoning"),
            safety_identifier: member("safety_identifier"),
            temperature: member("temperature"),
            tool_choice: member("tool_choice"),
            tools: member("tools"),
            top_p: member("top_p"),
            truncation: member("truncation"),
            user: member("user"),
            ..Self::default()
        }
    }
}
