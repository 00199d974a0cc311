//! What is sent to a model, whichever of several it is, and what is wanted back.

use http::HeaderMap;
use pointsman_domain::model::Operation;
use pointsman_domain::outcome::Usage;
use pointsman_wire::openai::chat::{ChatRequest, TaskBody};
use pointsman_wire::openai::embedding::EmbeddingBody;
use pointsman_wire::openai::transcription::TranscriptionBody;

use bytes::Bytes;

/// What every attempt of a request, or of a task of a plan, sends.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    /// The content.
    pub(crate) payload: Payload<'a>,
    /// What is wanted back.
    pub(crate) wanted: Wanted,
    /// The task of a plan that it is for, by number.
    pub(crate) task: Option<usize>,
    /// The client's headers that go along.
    pub(crate) headers: HeaderMap,
}

/// The content of a call, all but the model's name.
#[derive(Debug)]
pub(crate) enum Payload<'a> {
    /// The client's request as it came.
    Request(&'a ChatRequest),
    /// A chat that a policy put together.
    Chat(TaskBody),
    /// A recording.
    Transcription(TranscriptionBody),
    /// A text to embed.
    Embedding(EmbeddingBody),
}

/// What becomes of what a model gives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    /// The client gets it.
    Answer {
        /// In pieces.
        streaming: bool,
        /// Whether the client did not ask for usage at the end of a stream.
        hide_usage: bool,
        /// What other tasks of the request have used.
        others: Usage,
    },
    /// The plan goes on with it.
    Output,
}

impl<'a> Outgoing<'a> {
    /// The request as it came, for the client's answer. A plan before it may have
    /// used something.
    pub(crate) fn whole(request: &'a ChatRequest, headers: HeaderMap, others: Usage) -> Self {
        let wanted = Wanted::answer_to(request, others);
        Self { payload: Payload::Request(request), wanted, task: None, headers }
    }
}

impl Wanted {
    /// The client's answer, in the form that it asked for.
    pub(crate) fn answer_to(request: &ChatRequest, others: Usage) -> Self {
        Self::Answer { streaming: request.streaming, hide_usage: !request.wants_usage, others }
    }
}

impl Payload<'_> {
    /// The body for a model by the name that its backend knows.
    pub(crate) fn body_for(&self, upstream_name: &str) -> Vec<Bytes> {
        match self {
            Self::Request(request) => request.body_for(upstream_name),
            Self::Chat(body) => body.body_for(upstream_name),
            Self::Transcription(body) => body.body_for(upstream_name),
            Self::Embedding(body) => body.body_for(upstream_name),
        }
    }

    /// What the model is called for.
    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Request(_) | Self::Chat(_) => Operation::Chat,
            Self::Transcription(_) => Operation::Transcription,
            Self::Embedding(_) => Operation::Embedding,
        }
    }

    /// The type of the body, if it is not JSON.
    pub(crate) fn content_type(&self) -> Option<&str> {
        match self {
            Self::Transcription(body) => Some(&body.content_type),
            Self::Request(_) | Self::Chat(_) | Self::Embedding(_) => None,
        }
    }

    /// About how many tokens it has.
    pub(crate) fn input_tokens(&self) -> u32 {
        match self {
            Self::Request(request) => request.input_tokens,
            Self::Chat(body) => body.input_tokens,
            Self::Transcription(body) => body.input_tokens,
            Self::Embedding(body) => body.input_tokens,
        }
    }

    /// Whether a backend that refuses it speaks to the client: what a policy put
    /// together is not the client's fault.
    pub(crate) fn is_the_clients(&self) -> bool {
        matches!(self, Self::Request(_))
    }
}
