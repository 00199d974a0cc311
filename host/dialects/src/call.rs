//! Calls of models: the content, which is the same for each model that is tried, rendered for the
//! dialect of one.

mod path;
mod task;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use pointsman_domain::model::{NativeApis, Operation};
use pointsman_domain::serving_error::ServingError;
use pointsman_wire::openai::pass_through::{CallMembers, TaskBody};
use pointsman_wire::openai::provider::{EmbeddingBody, TranscriptionBody};
use pointsman_wire::provider::ProviderDialect;

pub use pointsman_wire::TaskOutputs;

pub use self::task::InvalidTaskInput;

use crate::answer::{AnswerFormat, AnswerTranslation};
use crate::anthropic::pass_through::has_foreign_reasoning;
use crate::form::{AnswerIdentity, ConversationRequest, Losses};
use crate::protocol::Protocol;
use crate::request::{ClientRequest, OriginalBody};
use crate::translation::{self, ClientSide};

/// Content of a call, without the members that each call sets.
#[derive(Debug)]
pub enum CallContent<'a> {
    /// The client's request as it arrived.
    Request(&'a ClientRequest),
    /// Chat that a policy composed.
    Chat(ChatTask),
    /// Recording.
    Transcription(TranscriptionBody),
    /// Text to embed.
    Embedding(EmbeddingBody),
}

/// Chat that a policy composed, for the client or for its plan.
#[derive(Debug)]
pub struct ChatTask {
    pub(crate) body: TaskBody,
    pub(crate) client: ClientSide,
}

/// Model of a provider, as a call addresses it.
#[derive(Clone, Copy, Debug)]
pub struct CallTarget<'a> {
    /// Dialect that the provider speaks.
    pub dialect: ProviderDialect,
    /// Host name of the provider, from which its peculiarities follow.
    pub host: &'a str,
    /// APIs that it offers beside chat completions.
    pub native_apis: NativeApis,
    /// Name by which the provider knows the model.
    pub upstream_name: &'a str,
    /// Limit of output tokens for each answer. A lower limit of the client takes precedence.
    pub max_output_tokens: Option<u32>,
    /// True to request usage at the end of a stream where the client did not.
    pub stream_usage: bool,
    /// True to leave out members without which the answer is of another kind.
    pub drop_untranslatable: bool,
    /// Id of the decision, from which ids of translated answers are made.
    pub decision_id: &'a str,
    /// Time of the call in seconds since 1970.
    pub created: u64,
}

/// Call that is ready to be sent, and the format of its answer.
#[derive(Debug)]
pub struct RenderedCall<'a> {
    /// Path below the base URL of the provider.
    pub path: Cow<'a, str>,
    /// Media type of the body; `None` for JSON.
    pub content_type: Option<&'a str>,
    /// Body in pieces.
    pub body: Vec<Bytes>,
    /// Format of the answer.
    pub format: AnswerFormat,
    /// Members of the client's request that were left out.
    pub dropped: Vec<String>,
}

/// Reason why a request cannot be translated for a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untranslatable {
    /// The provider's API has no counterpart of a member.
    #[error("the model's API cannot express `{0}`")]
    Member(String),
    /// A member that only a translation reads is not valid.
    #[error("{0}")]
    Invalid(ServingError),
}

/// Body of a call.
struct CallBody {
    protocol: Protocol,
    streaming: bool,
    body: Vec<Bytes>,
    dropped: Vec<String>,
    translation: Option<Arc<AnswerTranslation>>,
}

impl CallContent<'_> {
    /// Renders the call of a model.
    ///
    /// # Errors
    /// Fails if the provider's dialect cannot express the content.
    pub fn render<'s>(&'s self, target: &CallTarget<'s>) -> Result<RenderedCall<'s>, Untranslatable> {
        let CallBody { protocol, streaming, body, dropped, translation } = self.body(target)?;
        Ok(RenderedCall {
            path: path::of_call(target, protocol, streaming),
            content_type: self.content_type(),
            body,
            format: AnswerFormat::new(protocol, translation),
            dropped,
        })
    }

    fn body(&self, target: &CallTarget<'_>) -> Result<CallBody, Untranslatable> {
        let plain = |protocol, body| CallBody::unchanged(protocol, false, body);
        match self {
            Self::Request(request) => target.request_body(request),
            Self::Chat(task) => target.task_body(task),
            Self::Transcription(body) => {
                Ok(plain(Protocol::Transcriptions, body.body_for(target.upstream_name)))
            }
            Self::Embedding(body) => Ok(plain(Protocol::Embeddings, body.body_for(target.upstream_name))),
        }
    }

    /// Returns whether a call would request the usage of a stream where the client did not.
    pub fn adds_stream_usage(&self) -> bool {
        match self {
            Self::Request(request) => request.as_chat().adds_stream_usage(),
            Self::Chat(task) => task.body.adds_stream_usage(),
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
            Self::Chat(task) => task.body.input_tokens,
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

impl CallBody {
    fn unchanged(protocol: Protocol, streaming: bool, body: Vec<Bytes>) -> Self {
        Self { protocol, streaming, body, dropped: Vec::new(), translation: None }
    }
}

impl CallTarget<'_> {
    fn members(&self) -> CallMembers<'_> {
        CallMembers {
            upstream_name: self.upstream_name,
            max_output_tokens: self.max_output_tokens,
            stream_usage: self.stream_usage,
        }
    }

    /// Returns the body of a client's request: as it arrived where the provider has the same
    /// protocol, else translated.
    fn request_body(&self, request: &ClientRequest) -> Result<CallBody, Untranslatable> {
        let provider = Protocol::of_conversations(self.dialect);
        let streaming = request.is_streaming();
        match request.original() {
            None if provider == Protocol::ChatCompletions => {
                let body = request.as_chat().body_for(&self.members());
                return Ok(CallBody::unchanged(provider, streaming, body));
            }
            Some(OriginalBody::Messages(original)) if provider == Protocol::Messages => {
                let parsed = request.parsed().map_err(Untranslatable::Invalid)?;
                if !has_foreign_reasoning(&parsed.request) {
                    let body = original.body_for(self.upstream_name, self.max_output_tokens);
                    return Ok(CallBody::unchanged(provider, streaming, body));
                }
            }
            Some(OriginalBody::Responses(original)) if self.has_responses() => {
                let body = original.body_for(self.upstream_name, self.max_output_tokens);
                return Ok(CallBody::unchanged(Protocol::Responses, streaming, body));
            }
            _ => {}
        }
        let parsed = request.parsed().map_err(Untranslatable::Invalid)?;
        self.translated(provider, parsed.request.clone(), parsed.losses.clone(), request.client_side())
    }

    /// Returns the body of a task, which is composed as chat completions.
    fn task_body(&self, task: &ChatTask) -> Result<CallBody, Untranslatable> {
        let provider = Protocol::of_conversations(self.dialect);
        let streaming = task.body.is_streaming();
        let body = task.body.body_for(&self.members());
        if provider == Protocol::ChatCompletions && task.client.protocol == Protocol::ChatCompletions {
            return Ok(CallBody::unchanged(provider, streaming, body));
        }
        let body = body.concat();
        let parsed =
            translation::parse_request(Protocol::ChatCompletions, &body).map_err(Untranslatable::Invalid)?;
        self.translated(provider, parsed.request, parsed.losses, task.client.clone())
    }

    fn translated(
        &self,
        provider: Protocol,
        mut request: ConversationRequest,
        mut losses: Losses,
        client: ClientSide,
    ) -> Result<CallBody, Untranslatable> {
        self.upstream_name.clone_into(&mut request.model);
        request.wants_stream_usage |= self.stream_usage;
        request.max_output_tokens = match (request.max_output_tokens, self.max_output_tokens) {
            (Some(own), Some(limit)) => Some(own.min(limit)),
            (own, limit) => own.or(limit),
        };
        let streaming = request.streaming;
        let body = translation::render_request(provider, &request, self.host, &mut losses);
        if let Some(member) = losses.first_binding().filter(|_| !self.drop_untranslatable) {
            return Err(Untranslatable::Member(member.to_owned()));
        }
        let identity = AnswerIdentity {
            id: self.decision_id.to_owned(),
            created: self.created,
            model: self.upstream_name.to_owned(),
        };
        Ok(CallBody {
            protocol: provider,
            streaming,
            body: vec![body],
            dropped: losses.iter().map(|loss| loss.member.clone()).collect(),
            translation: Some(Arc::new(AnswerTranslation { client, identity })),
        })
    }

    fn has_responses(&self) -> bool {
        matches!(self.dialect, ProviderDialect::OpenAi | ProviderDialect::Azure)
            && self.native_apis.contains(NativeApis::RESPONSES)
    }
}
