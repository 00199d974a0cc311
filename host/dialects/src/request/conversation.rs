//! Requests for an answer to a conversation.

use std::sync::{Arc, OnceLock};

use pointsman_domain::model::{Abilities, Operation};
use pointsman_domain::plan::ComposedPart;
use pointsman_domain::prompt::{ContentSize, Prompt};
use pointsman_domain::request::RequestFacts;
use pointsman_domain::serving_error::ServingError;
use pointsman_wire::TaskOutputs;
use pointsman_wire::openai::client::ChatRequest;

use crate::anthropic::pass_through::MessagesBody;
use crate::completions::CompletionsBody;
use crate::protocol::Protocol;
use crate::responses::pass_through::ResponsesBody;
use crate::translation::{self, ClientSide, ParsedConversation};

/// Request for an answer to a conversation: facts for routing, and the bytes to forward.
///
/// A request in another protocol than OpenAI's chat completions is also held in that form, in which
/// policies see it and plans compose their tasks.
#[derive(Clone, Debug)]
pub struct ClientConversation {
    pub(super) protocol: Protocol,
    pub(super) chat: ChatRequest,
    /// Request as it arrived, if that is not `chat`.
    pub(super) original: Option<OriginalBody>,
    /// Request in the common form, once it is needed.
    pub(super) parsed: Arc<OnceLock<Result<Arc<ParsedConversation>, ServingError>>>,
}

/// Body of a request as it arrived, with the positions of what a call changes.
#[derive(Clone, Debug)]
pub(crate) enum OriginalBody {
    Completions(CompletionsBody),
    Messages(MessagesBody),
    Responses(ResponsesBody),
}

/// State that a provider keeps between requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderState<'a> {
    /// Response that the request continues.
    Response(&'a str),
    /// Conversation that the request continues.
    Conversation(&'a str),
    /// The response itself, which is computed after the answer.
    Background,
}

impl ProviderState<'_> {
    /// Returns the member of the request that needs it.
    pub const fn member(&self) -> &'static str {
        match self {
            Self::Response(_) => "previous_response_id",
            Self::Conversation(_) => "conversation",
            Self::Background => "background",
        }
    }
}

impl ClientConversation {
    /// Returns the protocol of the request.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Returns the requested model: the name of a route, or `backend/model`.
    pub fn model(&self) -> &str {
        &self.chat.model
    }

    /// Returns whether the client requested a stream.
    pub fn is_streaming(&self) -> bool {
        self.chat.streaming
    }

    /// Returns whether the client requested the usage of a stream. Backends are requested to report
    /// it in any case.
    pub fn wants_stream_usage(&self) -> bool {
        self.chat.wants_usage
    }

    /// Returns the client's limit of tokens of one answer.
    pub fn max_output_tokens(&self) -> Option<u32> {
        self.chat.max_output_tokens
    }

    /// Returns the number of requested answers, at least 1.
    pub fn answers(&self) -> u32 {
        self.chat.answers
    }

    /// Returns the estimated tokens of the whole input.
    pub fn input_tokens(&self) -> u32 {
        self.chat.input_tokens
    }

    /// Sets the facts that follow from the body.
    pub fn describe(&self, facts: &mut RequestFacts) {
        let ChatRequest { model, streaming, max_output_tokens, inputs, needs, .. } = &self.chat;
        facts.operation = Operation::Chat;
        facts.model.clone_from(model);
        facts.input_tokens = self.chat.input_tokens;
        facts.least_input_tokens = self.chat.least_input_tokens;
        facts.max_output_tokens = *max_output_tokens;
        facts.inputs = *inputs;
        facts.needs = *needs;
        facts.negotiable_needs = self.chat.negotiable_needs;
        facts.turns = self.chat.turns;
        facts.streaming = *streaming;
        if self.leaves_reasoning_to_the_model() {
            facts.negotiable_needs |= *needs & Abilities::REASONING;
        }
        if self.protocol != Protocol::ChatCompletions {
            facts.attributes.insert("api".to_owned(), self.protocol.name().to_owned());
        }
    }

    /// Returns the content for a policy with that grant. Texts are decoded on first use.
    pub fn prompt(&self) -> Arc<dyn Prompt> {
        Arc::new(self.chat.prompt())
    }

    /// Returns the bytes that the request and its prompt hold.
    pub fn held_bytes(&self) -> usize {
        self.chat.body_len() + self.translated_bytes()
    }

    /// Returns the bytes that the request holds besides the body that arrived.
    pub fn translated_bytes(&self) -> usize {
        match self.original {
            Some(_) => 2 * self.chat.body_len(),
            None => 0,
        }
    }

    /// Returns the size of the parts of the request that the task that answers sends besides its
    /// messages, such as tools.
    pub fn size_beside_messages(&self) -> ContentSize {
        self.chat.size_beside_messages()
    }

    /// Composes a text from parts of the request and outputs of tasks.
    pub fn compose_text(&self, parts: &[ComposedPart], outputs: &TaskOutputs) -> String {
        self.chat.compose_text(parts, outputs)
    }

    /// Returns whether the model decides how much it reasons, so that one that cannot reason will do.
    fn leaves_reasoning_to_the_model(&self) -> bool {
        let parsed = self.parsed.get().and_then(|parsed| parsed.as_ref().ok());
        let reasoning = parsed.and_then(|parsed| parsed.request.reasoning.as_ref());
        reasoning.is_some_and(|reasoning| reasoning.is_adaptive)
    }

    /// Returns the state of a provider that the request needs, if it needs any.
    pub fn provider_state(&self) -> Option<ProviderState<'_>> {
        let Some(OriginalBody::Responses(body)) = &self.original else { return None };
        let response = body.previous_response_id.as_deref().map(ProviderState::Response);
        let conversation = || body.conversation.as_deref().map(ProviderState::Conversation);
        let background = || body.is_background.then_some(ProviderState::Background);
        response.or_else(conversation).or_else(background)
    }

    /// Returns the ids of items of earlier responses to which the request refers.
    pub fn referenced_items(&self) -> &[String] {
        match &self.original {
            Some(OriginalBody::Responses(body)) => &body.referenced_items,
            _ => &[],
        }
    }

    pub(crate) fn as_chat(&self) -> &ChatRequest {
        &self.chat
    }

    pub(crate) fn original(&self) -> Option<&OriginalBody> {
        self.original.as_ref()
    }

    /// Returns the request in the common form.
    ///
    /// # Errors
    /// Fails if a member that only a translation reads is not valid.
    pub(crate) fn parsed(&self) -> Result<Arc<ParsedConversation>, ServingError> {
        let parse = || {
            let body = self.chat.body_bytes();
            translation::parse_request(Protocol::ChatCompletions, &body).map(Arc::new)
        };
        self.parsed.get_or_init(parse).clone()
    }

    pub(crate) fn client_side(&self) -> ClientSide {
        let parsed = self.parsed.get().and_then(|parsed| parsed.as_ref().ok());
        let echoed = parsed.and_then(|parsed| parsed.echoed.clone());
        ClientSide {
            protocol: self.protocol,
            wants_stream_usage: self.wants_stream_usage(),
            input_tokens: self.input_tokens(),
            echoed,
        }
    }
}
