//! Protocols: the format of the requests and answers of one operation of an API.

use pointsman_wire::provider::ProviderDialect;

pub use crate::forwarded::ForwardedApi;

/// Format of the requests, answers, stream events and errors of one operation of an API. Clients
/// use one, and so does each call of a provider; where they are the same, bytes pass through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// OpenAI's chat completions.
    ChatCompletions,
    /// OpenAI's completions of a prompt, its first API.
    Completions,
    /// OpenAI's Responses API.
    Responses,
    /// Anthropic's Messages API.
    Messages,
    /// Google's Gemini API, which only providers speak.
    GenerateContent,
    /// An API of OpenAI whose requests are forwarded as they arrived.
    Forwarded(ForwardedApi),
}

impl Protocol {
    /// Returns the name of the protocol, which policies see as the attribute `api`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat-completions",
            Self::Completions => "completions",
            Self::Responses => "responses",
            Self::Messages => "messages",
            Self::GenerateContent => "generate-content",
            Self::Forwarded(api) => api.name(),
        }
    }

    /// Returns the protocol with which a provider answers conversations.
    pub const fn of_conversations(dialect: ProviderDialect) -> Self {
        match dialect {
            ProviderDialect::OpenAi | ProviderDialect::Azure => Self::ChatCompletions,
            ProviderDialect::Anthropic => Self::Messages,
            ProviderDialect::Gemini => Self::GenerateContent,
        }
    }
}
