use std::sync::Arc;

use pointsman_domain::model::{Abilities, Modalities};

use super::members::ReplaceableMembers;
use super::prompt::{ChatPrompt, ContentIndex};
use crate::body::Body;
use crate::json::Span;

/// A request that was read as far as the gateway needs: facts for routing, and
/// the bytes to forward.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// The model that the client asked for: a route's name, or `backend/model`.
    pub model: String,
    /// Whether the answer is to come in pieces.
    pub streaming: bool,
    /// Whether the client asked for usage at the end of the stream. The backend
    /// is asked in any case.
    pub wants_usage: bool,
    /// The client's limit on the tokens of one answer: `max_completion_tokens`,
    /// else `max_tokens`. Negative means none, as llama.cpp has it.
    pub max_output_tokens: Option<u32>,
    /// How many answers are asked for: `n`, at least 1.
    pub answers: u32,
    /// Kinds of content in the messages.
    pub inputs: Modalities,
    /// What a model must be able to do: `STREAMING` for `stream`, `TOOLS` for
    /// tools that are offered, `STRUCTURED_OUTPUT` for a `json_schema`,
    /// `LOG_PROBABILITIES` for `logprobs`, and `REASONING` for a
    /// `reasoning_effort` other than `none` and `minimal`, which ask for so
    /// little that a model without it will do.
    /// `TOOLS` is also set where messages call tools or hold their results.
    pub needs: Abilities,
    /// The part of `needs` that follows from earlier turns only: a model may cope without.
    pub negotiable_needs: Abilities,
    /// Estimated tokens of the whole input; the module `tokens` has the rules.
    pub input_tokens: u32,
    /// Lower bound on the tokens of the whole input.
    pub least_input_tokens: u32,
    /// Messages that are neither `system` nor `developer`.
    pub turns: u32,
    pub(in crate::openai) body: Arc<Body>,
    pub(in crate::openai) index: Arc<ContentIndex>,
    /// Where the model's name is, quotes included.
    pub(in crate::openai) model_span: Span,
    pub(in crate::openai) stream_options: StreamOptions,
    pub(in crate::openai) replaceable: ReplaceableMembers,
}

/// What the client wrote for `stream_options`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::openai) enum StreamOptions {
    #[default]
    Absent,
    /// `null`, here.
    Null(Span),
    /// An object that does not mention usage.
    WithoutUsage {
        /// Where its members begin.
        members: usize,
        /// Whether it has none.
        is_empty: bool,
    },
    /// `include_usage` is `false` or `null`, here.
    UsageOff(Span),
    UsageOn,
}

impl ChatRequest {
    /// Bytes of the body as it came.
    pub fn body_len(&self) -> usize {
        self.body.len()
    }

    /// The messages, for a policy that was granted them. Decoded when asked for.
    pub fn prompt(&self) -> ChatPrompt {
        ChatPrompt::new(Arc::clone(&self.body), Arc::clone(&self.index))
    }
}
