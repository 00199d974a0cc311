//! Members of an answer that are parsed, and the classes of all others.

use crate::json::{JsonText, keys};
use crate::usage_count::UsageMember;

#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Place {
    #[default]
    Root,
    Choices,
    Choice,
    /// A choice's `message` or `delta`.
    Message,
    /// Array in a message's `content`.
    Parts,
    Part,
    ToolCalls,
    ToolCall,
    /// Function of a tool call.
    Function,
    Audio,
    Usage,
    /// Tokens of the input by kind, below a usage.
    InputDetails,
    /// Tokens of the answer by kind, below a usage.
    OutputDetails,
    /// Tokens that are written to the cache, by the time that they are kept.
    CacheCreation,
    /// Member of Groq that holds a usage.
    XGroq,
    Error,
}

keys! {
    Choices = "choices",
    Usage = "usage",
    Error = "error",
    Index = "index",
    Message = "message",
    Delta = "delta",
    FinishReason = "finish_reason",
    Content = "content",
    ReasoningContent = "reasoning_content",
    Reasoning = "reasoning",
    Refusal = "refusal",
    Type = "type",
    Text = "text",
    ToolCalls = "tool_calls",
    FunctionCall = "function_call",
    Function = "function",
    Custom = "custom",
    Name = "name",
    Arguments = "arguments",
    Input = "input",
    Audio = "audio",
    Transcript = "transcript",
    PromptTokens = "prompt_tokens",
    CompletionTokens = "completion_tokens",
    InputTokens = "input_tokens",
    OutputTokens = "output_tokens",
    TotalTokens = "total_tokens",
    PromptTokensDetails = "prompt_tokens_details",
    CompletionTokensDetails = "completion_tokens_details",
    InputTokensDetails = "input_tokens_details",
    OutputTokensDetails = "output_tokens_details",
    CachedTokens = "cached_tokens",
    NumCachedTokens = "num_cached_tokens",
    PromptCacheHitTokens = "prompt_cache_hit_tokens",
    CacheReadInputTokens = "cache_read_input_tokens",
    CacheWriteTokens = "cache_write_tokens",
    CacheCreationInputTokens = "cache_creation_input_tokens",
    CacheCreation = "cache_creation",
    Ephemeral1hInputTokens = "ephemeral_1h_input_tokens",
    ReasoningTokens = "reasoning_tokens",
    AudioTokens = "audio_tokens",
    ImageTokens = "image_tokens",
    XGroq = "x_groq",
    Code = "code",
    Status = "status",
}

impl Key {
    /// Returns the count that a member of a usage, or of its details, states.
    pub(super) const fn usage_member(self, place: Place) -> Option<UsageMember> {
        Some(match self {
            Self::AudioTokens | Self::ImageTokens => return self.media_member(place),
            Self::PromptTokens | Self::InputTokens => UsageMember::Input,
            Self::CompletionTokens | Self::OutputTokens => UsageMember::Output,
            Self::TotalTokens => UsageMember::Total,
            Self::CachedTokens
            | Self::NumCachedTokens
            | Self::PromptCacheHitTokens
            | Self::CacheReadInputTokens => UsageMember::Cached,
            Self::CacheWriteTokens | Self::CacheCreationInputTokens => UsageMember::CacheWrite,
            Self::Ephemeral1hInputTokens => UsageMember::CacheWrite1h,
            Self::ReasoningTokens => UsageMember::Reasoning,
            _ => return None,
        })
    }

    /// Returns the count of tokens of a medium, whose members have the same name in the details of
    /// the input and of the answer.
    const fn media_member(self, place: Place) -> Option<UsageMember> {
        Some(match (place, self) {
            (Place::InputDetails, Self::AudioTokens) => UsageMember::AudioInput,
            (Place::InputDetails, Self::ImageTokens) => UsageMember::ImageInput,
            (Place::OutputDetails, Self::AudioTokens) => UsageMember::AudioOutput,
            (Place::OutputDetails, Self::ImageTokens) => UsageMember::ImageOutput,
            _ => return None,
        })
    }
}

/// Kinds of members below a message or a delta, by their keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum MemberKind {
    /// Written by the model, unless it is empty.
    #[default]
    Content,
    /// Produced by the model, but no text: data, a signature, an address.
    Opaque,
    /// Describes other members, and is present before the model has written anything.
    Label,
}

impl MemberKind {
    pub fn of(key: &JsonText<'_>) -> Self {
        match key.raw {
            Some(b"role" | b"type" | b"index" | b"object") => Self::Label,
            Some(
                b"id" | b"data" | b"url" | b"b64_json" | b"signature" | b"encrypted_content" | b"format",
            ) => Self::Opaque,
            _ => Self::Content,
        }
    }
}
