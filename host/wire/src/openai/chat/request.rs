use std::sync::Arc;

use bytes::Bytes;
use pointsman_domain::model::{Abilities, Modalities};

use super::members::Replaceable;
use super::prompt::{ChatPrompt, Texts};
use crate::body::{Body, Edit};
use crate::json::{Span, quote};
use crate::openai::error::ErrorBody;

const WITH_USAGE: &[u8] = br#"{"include_usage":true}"#;

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
    pub needs: Abilities,
    /// Estimated tokens of the whole input; the module `tokens` has the rules.
    pub input_tokens: u32,
    /// Messages that are neither `system` nor `developer`.
    pub turns: u32,
    pub(super) body: Arc<Body>,
    pub(super) texts: Arc<Texts>,
    /// Where the model's name is, quotes included.
    pub(super) model_span: Span,
    pub(super) stream_options: StreamOptions,
    pub(super) replaceable: Replaceable,
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

    /// The body for a backend that knows the model by this name. A stream asks
    /// for usage. All else is as the client wrote it, and not copied if it is large.
    pub fn body_for(&self, upstream_name: &str) -> Vec<Bytes> {
        let mut name = quote(upstream_name);
        let mut usage = self.streaming.then(|| self.usage_edit(&mut name)).flatten();
        let model = (self.model_span.clone(), name.into());
        match usage.take() {
            None => self.body.edited(&[model]),
            Some(usage) if usage.0.start < self.model_span.start => self.body.edited(&[usage, model]),
            Some(usage) => self.body.edited(&[model, usage]),
        }
    }

    /// The body with at most this many output tokens for each answer. A lower limit
    /// of the client's own stays.
    pub fn limited_body_for(&self, upstream_name: &str, max_output_tokens: u32) -> Vec<Bytes> {
        if self.max_output_tokens.is_some_and(|own| own <= max_output_tokens) {
            return self.body_for(upstream_name);
        }
        let limit = Bytes::from(max_output_tokens.to_string());
        let mut name = quote(upstream_name);
        let mut edits: Vec<Edit> = self.limit_spans().map(|(_, span)| (span, limit.clone())).collect();
        if edits.is_empty() {
            name.push_str(&format!(",{}:{max_output_tokens}", quote(MAX_TOKENS)));
        }
        edits.extend(self.streaming.then(|| self.usage_edit(&mut name)).flatten());
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

    /// The edit that asks for usage; a new member is written after the model's name.
    pub(super) fn usage_edit(&self, name: &mut String) -> Option<Edit> {
        match &self.stream_options {
            StreamOptions::UsageOn => None,
            StreamOptions::Absent => {
                name.push_str(r#","stream_options":{"include_usage":true}"#);
                None
            }
            StreamOptions::Null(span) => Some((span.clone(), Bytes::from_static(WITH_USAGE))),
            StreamOptions::UsageOff(span) => Some((span.clone(), Bytes::from_static(b"true"))),
            StreamOptions::WithoutUsage { members, is_empty } => {
                let member: &[u8] =
                    if *is_empty { br#""include_usage":true"# } else { br#""include_usage":true,"# };
                Some((*members..*members, Bytes::from_static(member)))
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
