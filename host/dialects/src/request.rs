//! Requests of clients, whichever protocol they use.

mod composed;
mod conversation;
mod scan;

use std::sync::Arc;

use bytes::Bytes;
use pointsman_domain::model::{Abilities, Operation};
use pointsman_domain::prompt::Prompt;
use pointsman_domain::request::RequestFacts;
use pointsman_domain::serving_error::ServingError;
use pointsman_wire::form::UploadedForm;

use crate::anthropic;
use crate::forwarded::{ForwardedApi, ForwardedRequest};
use crate::protocol::Protocol;

pub use self::composed::ComposedAnswer;
pub use self::conversation::{ClientConversation, ProviderState};
pub use self::scan::ClientRequestScan;

pub(crate) use self::conversation::OriginalBody;

/// Parsed request of a client: facts for routing, and the bytes to forward.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "most requests are conversations")]
pub enum ClientRequest {
    /// Request for an answer to a conversation, which a plan may split into tasks.
    Conversation(ClientConversation),
    /// Request of another operation, which one model answers as it is.
    Forwarded(ForwardedRequest),
}

impl ClientRequest {
    /// Returns the request of a form that has arrived.
    ///
    /// # Errors
    /// Fails if a required field is missing.
    pub fn of_form(api: ForwardedApi, form: UploadedForm) -> Result<Self, ServingError> {
        Ok(Self::Forwarded(ForwardedRequest::parse_form(api, form)?))
    }

    /// Returns the error of a request whose body has another media type than its API takes.
    pub fn wrong_media_type(api: ForwardedApi, stated: Option<&str>) -> ServingError {
        ForwardedRequest::wrong_media_type(api, stated)
    }

    /// Returns the conversation to which the request is for an answer, if it is for one.
    pub fn as_conversation(&self) -> Option<&ClientConversation> {
        match self {
            Self::Conversation(request) => Some(request),
            Self::Forwarded(_) => None,
        }
    }

    /// Returns the protocol of the request.
    pub fn protocol(&self) -> Protocol {
        match self {
            Self::Conversation(request) => request.protocol(),
            Self::Forwarded(request) => Protocol::Forwarded(request.api),
        }
    }

    /// Returns the operation of the request.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Conversation(_) => Operation::Chat,
            Self::Forwarded(request) => request.api.operation(),
        }
    }

    /// Returns the requested model: the name of a route, or `backend/model`.
    pub fn model(&self) -> &str {
        match self {
            Self::Conversation(request) => request.model(),
            Self::Forwarded(request) => &request.model,
        }
    }

    /// Returns whether the client requested a stream.
    pub fn is_streaming(&self) -> bool {
        match self {
            Self::Conversation(request) => request.is_streaming(),
            Self::Forwarded(request) => request.streaming,
        }
    }

    /// Returns the estimated tokens of the whole input.
    pub fn input_tokens(&self) -> u32 {
        match self {
            Self::Conversation(request) => request.input_tokens(),
            Self::Forwarded(request) => request.input_tokens,
        }
    }

    /// Sets the facts that follow from the body.
    pub fn describe(&self, facts: &mut RequestFacts) {
        match self {
            Self::Conversation(request) => request.describe(facts),
            Self::Forwarded(request) => {
                facts.operation = request.api.operation();
                facts.model.clone_from(&request.model);
                facts.input_tokens = request.input_tokens;
                facts.least_input_tokens = request.least_input_tokens;
                facts.inputs = request.inputs;
                facts.needs = Abilities::empty();
                facts.streaming = request.streaming;
                facts.attributes.insert("api".to_owned(), request.api.name().to_owned());
            }
        }
    }

    /// Returns the content for a policy with that grant. Texts are decoded on first use.
    pub fn prompt(&self) -> Arc<dyn Prompt> {
        match self {
            Self::Conversation(request) => request.prompt(),
            Self::Forwarded(request) => Arc::new(request.prompt()),
        }
    }

    /// Returns the bytes of memory that the request and its prompt hold.
    pub fn held_bytes(&self) -> usize {
        match self {
            Self::Conversation(request) => request.held_bytes(),
            Self::Forwarded(request) => request.held_bytes(),
        }
    }
}

/// Renders the tokens of an input as the response to a request for their number.
pub fn render_token_count(input_tokens: u64) -> Bytes {
    anthropic::render_count_tokens(input_tokens)
}
