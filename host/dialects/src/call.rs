//! Calls of models: the content, which is the same for each model that is tried, rendered for the
//! dialect of one.

mod forwarded;
mod path;
mod task;
mod token_count;

use std::borrow::Cow;
use std::sync::Arc;

use pointsman_domain::model::{NativeApis, Operation};
use pointsman_domain::serving_error::ServingError;
use pointsman_wire::CallBody;
use pointsman_wire::openai::pass_through::{CallMembers, TaskBody};
use pointsman_wire::openai::provider::{TextCallBody, TranscriptionBody};
use pointsman_wire::provider::ProviderDialect;

pub use pointsman_wire::TaskOutputs;

pub use self::path::stored_response_path;
pub use self::task::InvalidTaskInput;
pub use self::token_count::{TOKEN_COUNT_PATH, counts_tokens, read_token_count, token_count_body};

use crate::answer::{AnswerFormat, AnswerTranslation};
use crate::anthropic::pass_through::has_foreign_reasoning;
use crate::form::{AnswerIdentity, ConversationRequest, Losses};
use crate::forwarded::ForwardedApi;
use crate::protocol::Protocol;
use crate::request::{ClientConversation, ClientRequest, OriginalBody};
use crate::translation::{self, ClientSide};

/// Content of a call, without the members that each call sets.
#[derive(Debug)]
pub enum CallContent<'a> {
    /// The client's request as it arrived.
    Request(&'a ClientRequest),
    /// Chat that a policy composed.
    Chat(ChatTask),
    /// Recording of a task.
    Recording(ForwardedApi, TranscriptionBody),
    /// Text of a task of another operation than chat.
    Text(ForwardedApi, TextCallBody),
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
    /// Body.
    pub body: CallBody,
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
    /// The provider's API has no counterpart of an operation.
    #[error("the model's API has no requests for {0}")]
    Operation(&'static str),
    /// A member that only a translation reads is not valid.
    #[error("{0}")]
    Invalid(ServingError),
}

/// Body of a call.
struct TargetBody {
    protocol: Protocol,
    streaming: bool,
    body: CallBody,
    dropped: Vec<String>,
    format: AnswerFormat,
}

impl CallContent<'_> {
    /// Renders the call of a model.
    ///
    /// # Errors
    /// Fails if the provider's dialect cannot express the content.
    pub fn render<'s>(&'s self, target: &CallTarget<'s>) -> Result<RenderedCall<'s>, Untranslatable> {
        let TargetBody { protocol, streaming, body, dropped, format } = self.body(target)?;
        Ok(RenderedCall {
            path: path::of_call(target, protocol, streaming),
            content_type: self.content_type(),
            body,
            format,
            dropped,
        })
    }

    fn body(&self, target: &CallTarget<'_>) -> Result<TargetBody, Untranslatable> {
        match self {
            Self::Request(ClientRequest::Conversation(request)) => target.request_body(request),
            Self::Request(ClientRequest::Forwarded(request)) => target.forwarded_body(request),
            Self::Chat(task) => target.task_body(task),
            Self::Recording(api, body) => {
                target.forwarded_task_body(*api, body.body_for(target.upstream_name), body.input_tokens)
            }
            Self::Text(api, body) => {
                target.forwarded_task_body(*api, body.body_for(target.upstream_name), body.input_tokens)
            }
        }
    }

    /// Returns whether a call would request the usage of a stream where the client did not.
    pub fn adds_stream_usage(&self) -> bool {
        match self {
            Self::Request(ClientRequest::Conversation(request)) => request.as_chat().adds_stream_usage(),
            Self::Chat(task) => task.body.adds_stream_usage(),
            Self::Request(ClientRequest::Forwarded(_)) | Self::Recording(..) | Self::Text(..) => false,
        }
    }

    /// Returns the operation of the call.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Request(ClientRequest::Conversation(_)) | Self::Chat(_) => Operation::Chat,
            Self::Request(ClientRequest::Forwarded(request)) => request.api.operation(),
            Self::Recording(api, _) | Self::Text(api, _) => api.operation(),
        }
    }

    /// Returns the estimated tokens of the input.
    pub fn input_tokens(&self) -> u32 {
        match self {
            Self::Request(request) => request.input_tokens(),
            Self::Chat(task) => task.body.input_tokens,
            Self::Recording(_, body) => body.input_tokens,
            Self::Text(_, body) => body.input_tokens,
        }
    }

    /// Returns whether the content is the client's own. Content that a policy composed is not the
    /// client's fault.
    pub fn is_of_client(&self) -> bool {
        matches!(self, Self::Request(_))
    }

    fn content_type(&self) -> Option<&str> {
        match self {
            Self::Recording(_, body) => Some(&body.content_type),
            Self::Request(ClientRequest::Forwarded(request)) => request.content_type(),
            Self::Request(ClientRequest::Conversation(_)) | Self::Chat(_) | Self::Text(..) => None,
        }
    }
}

impl TargetBody {
    fn unchanged(protocol: Protocol, streaming: bool, body: impl Into<CallBody>) -> Self {
        let format = AnswerFormat::new(protocol, None);
        Self { protocol, streaming, body: body.into(), dropped: Vec::new(), format }
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
    fn request_body(&self, request: &ClientConversation) -> Result<TargetBody, Untranslatable> {
        let provider = Protocol::of_conversations(self.dialect);
        let streaming = request.is_streaming();
        match request.original() {
            None if provider == Protocol::ChatCompletions => {
                let body = request.as_chat().body_for(&self.members());
                return Ok(TargetBody::unchanged(provider, streaming, body));
            }
            Some(OriginalBody::Messages(original)) if provider == Protocol::Messages => {
                let parsed = request.parsed().map_err(Untranslatable::Invalid)?;
                if !has_foreign_reasoning(&parsed.request) {
                    let body = original.body_for(self.upstream_name, self.max_output_tokens);
                    return Ok(TargetBody::unchanged(provider, streaming, body));
                }
            }
            Some(OriginalBody::Completions(original)) if self.has(NativeApis::COMPLETIONS) => {
                let body = original.body_for(self.upstream_name, self.max_output_tokens, self.stream_usage);
                return Ok(TargetBody::unchanged(Protocol::Completions, streaming, body));
            }
            Some(OriginalBody::Responses(original)) if self.has(NativeApis::RESPONSES) => {
                let body = original.body_for(self.upstream_name, self.max_output_tokens);
                return Ok(TargetBody::unchanged(Protocol::Responses, streaming, body));
            }
            _ => {}
        }
        let parsed = request.parsed().map_err(Untranslatable::Invalid)?;
        self.translated(provider, parsed.request.clone(), parsed.losses.clone(), request.client_side())
    }

    /// Returns the body of a task, which is composed as chat completions.
    fn task_body(&self, task: &ChatTask) -> Result<TargetBody, Untranslatable> {
        let provider = Protocol::of_conversations(self.dialect);
        let streaming = task.body.is_streaming();
        let body = task.body.body_for(&self.members());
        if provider == Protocol::ChatCompletions && task.client.protocol == Protocol::ChatCompletions {
            return Ok(TargetBody::unchanged(provider, streaming, body));
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
    ) -> Result<TargetBody, Untranslatable> {
        self.upstream_name.clone_into(&mut request.model);
        request.wants_stream_usage |= self.stream_usage;
        request.max_output_tokens = match (request.max_output_tokens, self.max_output_tokens) {
            (Some(own), Some(limit)) => Some(own.min(limit)),
            (own, limit) => own.or(limit),
        };
        let streaming = request.streaming;
        let is_single_call = request.parallel_tool_calls == Some(false);
        let body = translation::render_request(provider, &request, self.host, &mut losses);
        if let Some(member) = losses.first_binding().filter(|_| !self.drop_untranslatable) {
            return Err(Untranslatable::Member(member.to_owned()));
        }
        let identity = AnswerIdentity {
            id: self.decision_id.to_owned(),
            created: self.created,
            model: self.upstream_name.to_owned(),
        };
        Ok(TargetBody {
            protocol: provider,
            streaming,
            body: body.into(),
            dropped: losses.iter().map(|loss| loss.member.clone()).collect(),
            format: AnswerFormat::new(
                provider,
                Some(Arc::new(AnswerTranslation { client, identity, is_single_call })),
            ),
        })
    }

    /// Returns whether the provider has an API of OpenAI's beside chat completions.
    fn has(&self, api: NativeApis) -> bool {
        matches!(self.dialect, ProviderDialect::OpenAi | ProviderDialect::Azure)
            && self.native_apis.contains(api)
    }
}
