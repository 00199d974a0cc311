//! Parsed requests: facts for routing, and positions of the members that a call may set.

use std::sync::Arc;

use bytes::Bytes;
use pointsman_domain::model::{Abilities, Modalities};

use super::members::ReplaceableMembers;
use super::prompt::{ChatPrompt, ContentIndex};
use crate::body::Body;
use crate::json::Span;

/// Parsed chat request: facts for routing, and the bytes to forward.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// Requested model: the name of a route, or `backend/model`.
    pub model: String,
    /// True if the client requested a stream.
    pub streaming: bool,
    /// True if the client requested usage at the end of the stream. Backends are requested to
    /// report it in any case.
    pub wants_usage: bool,
    /// Limit of tokens of one answer: `max_completion_tokens`, else `max_tokens`. A negative
    /// limit means none, as in llama.cpp.
    pub max_output_tokens: Option<u32>,
    /// Number of requested answers: `n`, at least 1.
    pub answers: u32,
    /// Kinds of content in the messages.
    pub inputs: Modalities,
    /// Abilities that a model must have: `STREAMING` for `stream`, `TOOLS` for offered tools,
    /// `STRUCTURED_OUTPUT` for a `json_schema`, `LOG_PROBABILITIES` for `logprobs`, and
    /// `REASONING` for a `reasoning_effort` other than `none` and `minimal`, which request so
    /// little that a model without it will do. `TOOLS` is also set if messages call tools or hold
    /// their results.
    pub needs: Abilities,
    /// Subset of `needs` that follows from earlier turns only: a model may cope without.
    pub negotiable_needs: Abilities,
    /// Estimated tokens of the whole input; the module `tokens` has the rules.
    pub input_tokens: u32,
    /// Lower bound on the tokens of the whole input.
    pub least_input_tokens: u32,
    /// Number of messages that are neither `system` nor `developer`.
    pub turns: u32,
    pub(in crate::openai) body: Arc<Body>,
    pub(in crate::openai) index: Arc<ContentIndex>,
    /// Span of the model's name, quotes included.
    pub(in crate::openai) model_span: Span,
    pub(in crate::openai) stream_options: StreamOptions,
    pub(in crate::openai) replaceable: ReplaceableMembers,
}

/// Value of `stream_options` in the client's request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::openai) enum StreamOptions {
    #[default]
    Absent,
    /// `null`, at this span.
    Null(Span),
    /// Object without `include_usage`.
    WithoutUsage {
        /// Offset of its first member.
        members: usize,
        /// True if it has no members.
        is_empty: bool,
    },
    /// `include_usage` is `false` or `null`, at this span.
    UsageOff(Span),
    UsageOn,
}

impl ChatRequest {
    /// Returns the bytes of the body as it arrived.
    pub fn body_len(&self) -> usize {
        self.body.len()
    }

    /// Returns the bytes of the body in one piece.
    pub fn body_bytes(&self) -> Bytes {
        self.body.bytes(0..self.body.len())
    }

    /// Returns the content for a policy with that grant. Texts are decoded on first use.
    pub fn prompt(&self) -> ChatPrompt {
        ChatPrompt::new(Arc::clone(&self.body), Arc::clone(&self.index))
    }
}
