use std::sync::Arc;

use bytes::Bytes;
use pointsman_domain::model::{Abilities, Modalities};

use super::members::Replaceable;
use super::prompt::{ChatPrompt, Texts};
use crate::body::{Body, Edit};
use crate::json::{Span, quote};
use crate::openai::error::ErrorBody;

const WITH_USAGE: &[u8] = br#"{"include_usage":true}"#;
const USAGE_MEMBER: &str = r#","stream_options":{"include_usage":true}"#;

/// The member for a limit of output tokens where the client used none: servers
/// that know the other know this one too.
pub(super) const MAX_TOKENS: &str = "max_tokens";
const MAX_COMPLETION_TOKENS: &str = "max_completion_tokens";

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
    pub(super) body: Arc<Body>,
    pub(super) texts: Arc<Texts>,
    /// Where the model's name is, quotes included.
    pub(super) model_span: Span,
    pub(super) stream_options: StreamOptions,
    pub(super) replaceable: Replaceable,
}

/// Members of a chat request that each call sets.
#[derive(Clone, Copy, Debug)]
pub struct CallMembers<'a> {
    /// The name by which the backend knows the model.
    pub upstream_name: &'a str,
    /// Limit of output tokens for each answer. A lower one of the client's own stays.
    pub max_output_tokens: Option<u32>,
    /// True to request usage at the end of a stream where the client did not.
    pub stream_usage: bool,
}

/// A change that makes a stream report usage.
#[derive(Debug)]
pub(super) enum UsageChange {
    /// A new member, to be written after another.
    Member(&'static str),
    /// Another value.
    Value(Edit),
}

/// What the client wrote for `stream_options`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum StreamOptions {
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

    /// Returns whether a call would request usage that the client did not request.
    pub fn adds_stream_usage(&self) -> bool {
        self.streaming && self.stream_options != StreamOptions::UsageOn
    }

    /// The body for a call. All that the call does not set is as the client wrote it, and not
    /// copied if it is large.
    pub fn body_for(&self, call: &CallMembers<'_>) -> Vec<Bytes> {
        let mut name = quote(call.upstream_name);
        let mut edits: Vec<Edit> = Vec::with_capacity(4);
        let is_lower = |limit: &u32| self.max_output_tokens.is_none_or(|own| own > *limit);
        if let Some(limit) = call.max_output_tokens.filter(is_lower) {
            let value = Bytes::from(limit.to_string());
            edits.extend(self.limit_spans().map(|(_, span)| (span, value.clone())));
            if edits.is_empty() {
                name.push_str(&format!(",{}:{limit}", quote(MAX_TOKENS)));
            }
        }
        match self.usage_change().filter(|_| call.stream_usage) {
            Some(UsageChange::Member(member)) => name.push_str(member),
            Some(UsageChange::Value(edit)) => edits.push(edit),
            None => {}
        }
        edits.push((self.model_span.clone(), name.into()));
        edits.sort_by_key(|(span, _)| span.start);
        self.body.edited(&edits)
    }

    /// The members that the client limits output tokens with, and where their
    /// values are. Where it used both, servers differ in which of them they read.
    pub(super) fn limit_spans(&self) -> impl Iterator<Item = (&'static str, Span)> {
        let span = |name| Some((name, self.replaceable.value(name)?));
        [MAX_COMPLETION_TOKENS, MAX_TOKENS].into_iter().filter_map(span)
    }

    /// The change that makes a stream report usage; `None` where it does so already.
    pub(super) fn usage_change(&self) -> Option<UsageChange> {
        let edit = |span: Span, new: &'static [u8]| UsageChange::Value((span, Bytes::from_static(new)));
        match &self.stream_options {
            _ if !self.streaming => None,
            StreamOptions::UsageOn => None,
            StreamOptions::Absent => Some(UsageChange::Member(USAGE_MEMBER)),
            StreamOptions::Null(span) => Some(edit(span.clone(), WITH_USAGE)),
            StreamOptions::UsageOff(span) => Some(edit(span.clone(), b"true")),
            StreamOptions::WithoutUsage { members, is_empty } => {
                let member: &[u8] =
                    if *is_empty { br#""include_usage":true"# } else { br#""include_usage":true,"# };
                Some(edit(*members..*members, member))
            }
        }
    }

    /// The messages, for a policy that was granted them. Decoded when asked for.
    pub fn prompt(&self) -> ChatPrompt {
        ChatPrompt::new(Arc::clone(&self.body), Arc::clone(&self.texts))
    }
}

/// A request that no backend would take, in OpenAI's terms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadRequest {
    /// 400, or 413 for a body that is too large.
    pub status: u16,
    /// What is wrong, for the client.
    pub message: String,
    /// Which member of the body, such as `messages[2].role`.
    pub param: Option<String>,
    /// What is wrong, for programs: `invalid_type`, `missing_required_parameter` …
    pub code: Option<&'static str>,
    /// Where in the body, in bytes from its start.
    pub offset: Option<usize>,
}

impl BadRequest {
    /// The answer for the client.
    pub fn body(&self) -> Bytes {
        ErrorBody {
            message: &self.message,
            kind: "invalid_request_error",
            param: self.param.as_deref(),
            code: self.code,
        }
        .to_bytes()
    }
}

#[cfg(test)]
mod tests;
