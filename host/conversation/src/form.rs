//! Common form of conversations, in no API's format.
//!
//! Requests are a [`ConversationRequest`]: messages of typed parts, tools, sampling, output format,
//! reasoning and cache hints. Answers are a [`ConversationAnswer`], or a sequence of
//! [`AnswerEvent`]s. A client dialect parses into it and renders from it, and so does a provider
//! dialect in the other direction.

mod answer;
mod losses;
mod raw_json;
mod reasoning;
mod request;
mod single_call;
mod stream;
mod text_tool;

pub use self::answer::{
    AnswerIdentity, ConversationAnswer, InvalidAnswer, ProviderError, ProviderErrorKind, StopReason,
};
pub use self::losses::{Loss, LossWeight, Losses};
pub use self::raw_json::RawJson;
pub use self::reasoning::{ReasoningEffort, ReasoningRequest};
pub use self::request::{
    CacheHint, CacheLifetime, Citation, ConversationRequest, Document, DocumentContent, ExtraMember,
    MediaSource, Message, MessageRole, OutputFormat, Part, PartContent, ProviderPart, ProviderTool,
    Reasoning, Sampling, Signature, SignatureOrigin, ToolCall, ToolChoice, ToolDefinition, ToolGrammar,
    ToolInput, ToolResult,
};
pub use self::single_call::SingleCallReader;
pub use self::stream::{AnswerEvent, AnswerStart, PartDelta, PartStart, StreamReader, StreamWriter};
