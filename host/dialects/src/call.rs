//! Calls of models: the content, which is the same for each model that is tried, rendered for the
//! dialect of one.

use std::borrow::Cow;

use bytes::Bytes;
use pointsman_domain::model::Operation;
use pointsman_wire::openai::pass_through::{CallMembers, TaskBody};
use pointsman_wire::openai::provider::{EmbeddingBody, TranscriptionBody};
use pointsman_wire::provider::ProviderDialect;

pub use pointsman_wire::TaskOutputs;

use crate::answer::AnswerFormat;
use crate::protocol::Protocol;
use crate::request::ClientRequest;

/// Content of a call, without the members that each call sets.
#[derive(Debug)]
pub enum CallContent<'a> {
    /// The client's request as it arrived.
    Request(&'a ClientRequest),
    /// Chat that a policy composed.
    Chat(TaskBody),
    /// Recording.
    Transcription(TranscriptionBody),
    /// Text to embed.
    Embedding(EmbeddingBody),
}

/// Model of a provider, as a call addresses it.
#[derive(Clone, Copy, Debug)]
pub struct CallTarget<'a> {
    /// Dialect that the provider speaks.
    pub dialect: ProviderDialect,
    /// Name by which the provider knows the model.
    pub upstream_name: &'a str,
    /// Limit of output tokens for each answer. A lower limit of the client takes precedence.
    pub max_output_tokens: Option<u32>,
    /// True to request usage at the end of a stream where the client did not.
    pub stream_usage: bool,
}

/// Call that is ready to be sent, and the format of its answer.
#[derive(Debug)]
pub struct RenderedCall<'a> {
    /// Path below the base URL of the provider.
    pub path: Cow<'static, str>,
    /// Media type of the body; `None` for JSON.
    pub content_type: Option<&'a str>,
    /// Body in pieces.
    pub body: Vec<Bytes>,
    /// Format of the answer.
    pub format: AnswerFormat,
}

impl CallContent<'_> {
    /// Renders the call of a model.
    pub fn render(&self, target: &CallTarget<'_>) -> RenderedCall<'_> {
        let members = CallMembers {
            upstream_name: target.upstream_name,
            max_output_tokens: target.max_output_tokens,
            stream_usage: target.stream_usage,
        };
        let (protocol, body) = match self {
            Self::Request(request) => (Protocol::ChatCompletions, request.as_chat().body_for(&members)),
            Self::Chat(body) => (Protocol::ChatCompletions, body.body_for(&members)),
            Self::Transcription(body) => (Protocol::Transcriptions, body.body_for(target.upstream_name)),
            Self::Embedding(body) => (Protocol::Embeddings, body.body_for(target.upstream_name)),
        };
        RenderedCall {
            path: Cow::Borrowed(target.dialect.operation_path(self.operation())),
            content_type: self.content_type(),
            body,
            format: AnswerFormat::new(protocol),
        }
    }

    /// Returns whether a call would request the usage of a stream where the client did not.
    pub fn adds_stream_usage(&self) -> bool {
        match self {
            Self::Request(request) => request.as_chat().adds_stream_usage(),
            Self::Chat(body) => body.adds_stream_usage(),
            Self::Transcription(_) | Self::Embedding(_) => false,
        }
    }

    /// Returns the operation of the call.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Request(_) | Self::Chat(_) => Operation::Chat,
            Self::Transcription(_) => Operation::Transcription,
            Self::Embedding(_) => Operation::Embedding,
        }
    }

    /// Returns the estimated tokens of the input.
    pub fn input_tokens(&self) -> u32 {
        match self {
            Self::Request(request) => request.input_tokens(),
            Self::Chat(body) => body.input_tokens,
            Self::Transcription(body) => body.input_tokens,
            Self::Embedding(body) => body.input_tokens,
        }
    }

    /// Returns whether the content is the client's own. Content that a policy composed is not the
    /// client's fault.
    pub fn is_of_client(&self) -> bool {
        matches!(self, Self::Request(_))
    }

    fn content_type(&self) -> Option<&str> {
        match self {
            Self::Transcription(body) => Some(&body.content_type),
            Self::Request(_) | Self::Chat(_) | Self::Embedding(_) => None,
        }
    }
}
