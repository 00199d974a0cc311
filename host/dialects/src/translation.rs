//! Dispatch of translations by protocol.

use std::sync::Arc;

use bytes::Bytes;
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_domain::usage::Usage;

use crate::form::{
    AnswerIdentity, ConversationAnswer, ConversationRequest, InvalidAnswer, Losses, ProviderError,
    StreamReader, StreamWriter,
};
use crate::protocol::Protocol;
use crate::responses::EchoedMembers;
use crate::{anthropic, chat, completions, gemini, responses};

/// Request for an answer to a conversation, in the common form.
#[derive(Clone, Debug)]
pub(crate) struct ParsedConversation {
    pub request: ConversationRequest,
    /// Members that the common form cannot hold.
    pub losses: Losses,
    /// Members that the answer repeats.
    pub echoed: Option<Arc<EchoedMembers>>,
}

/// Client's side of a translated answer.
#[derive(Clone, Debug)]
pub(crate) struct ClientSide {
    pub protocol: Protocol,
    pub wants_stream_usage: bool,
    /// Estimate of the input tokens, which some protocols state before the answer.
    pub input_tokens: u32,
    pub echoed: Option<Arc<EchoedMembers>>,
}

/// Parses a request of a client.
pub(crate) fn parse_request(protocol: Protocol, body: &[u8]) -> Result<ParsedConversation, ServingError> {
    let plain = |(request, losses)| ParsedConversation { request, losses, echoed: None };
    match protocol {
        Protocol::ChatCompletions => chat::parse_request(body).map(plain),
        Protocol::Completions => completions::parse_request(body).map(plain),
        Protocol::Messages => anthropic::parse_request(body).map(plain),
        Protocol::Responses => {
            let (request, echoed, losses) = responses::parse_request(body)?;
            Ok(ParsedConversation { request, losses, echoed: Some(Arc::new(echoed)) })
        }
        Protocol::GenerateContent | Protocol::Forwarded(_) => Err(no_conversation()),
    }
}

/// Parses a request for the number of tokens of a message.
pub(crate) fn parse_count_tokens(body: &[u8]) -> Result<ParsedConversation, ServingError> {
    let (request, losses) = anthropic::parse_count_tokens(body)?;
    Ok(ParsedConversation { request, losses, echoed: None })
}

/// Renders the call of a provider whose API has a host name.
pub(crate) fn render_request(
    protocol: Protocol,
    request: &ConversationRequest,
    host: &str,
    losses: &mut Losses,
) -> Bytes {
    match protocol {
        Protocol::Messages => anthropic::render_request(request, losses),
        Protocol::GenerateContent => gemini::render_request(request, losses),
        // Providers are called with no other protocol for a request that is translated.
        Protocol::ChatCompletions | Protocol::Completions | Protocol::Responses | Protocol::Forwarded(_) => {
            chat::render_request_for(request, &chat::ChatQuirks::of_host(host), losses)
        }
    }
}

/// Parses a whole answer of a provider.
pub(crate) fn parse_answer(protocol: Protocol, answer: &[u8]) -> Result<ConversationAnswer, InvalidAnswer> {
    match protocol {
        Protocol::Messages => anthropic::parse_answer(answer),
        Protocol::GenerateContent => gemini::parse_answer(answer),
        Protocol::Responses => responses::parse_answer(answer),
        Protocol::ChatCompletions | Protocol::Completions | Protocol::Forwarded(_) => {
            chat::parse_answer(answer)
        }
    }
}

/// Returns a reader of a provider's stream.
pub(crate) fn stream_reader(protocol: Protocol) -> Box<dyn StreamReader> {
    match protocol {
        Protocol::Messages => Box::new(anthropic::MessagesStreamReader::new()),
        Protocol::GenerateContent => Box::new(gemini::GeminiStreamReader::new()),
        Protocol::Responses => Box::new(responses::ResponsesStreamReader::default()),
        Protocol::ChatCompletions | Protocol::Completions | Protocol::Forwarded(_) => {
            Box::new(chat::ChatStreamReader::default())
        }
    }
}

/// Parses an error of a provider.
pub(crate) fn parse_error(protocol: Protocol, status: u16, body: &[u8]) -> ProviderError {
    match protocol {
        Protocol::Messages => anthropic::parse_error(status, body),
        Protocol::GenerateContent => gemini::parse_error(status, body),
        Protocol::Responses => responses::parse_error(status, body),
        Protocol::ChatCompletions | Protocol::Completions | Protocol::Forwarded(_) => {
            chat::parse_error(status, body)
        }
    }
}

impl ClientSide {
    /// Renders a whole answer.
    pub fn render_answer(
        &self,
        answer: &ConversationAnswer,
        identity: &AnswerIdentity,
        usage: Usage,
    ) -> Bytes {
        match self.protocol {
            Protocol::Completions => completions::render_answer(answer, identity, usage),
            Protocol::Messages => anthropic::render_answer(answer, identity, usage),
            Protocol::Responses => responses::render_answer(answer, identity, &self.echoed_members(), usage),
            Protocol::ChatCompletions | Protocol::GenerateContent | Protocol::Forwarded(_) => {
                chat::render_answer(answer, identity, usage)
            }
        }
    }

    /// Returns a writer of a streamed answer.
    pub fn stream_writer(&self, identity: AnswerIdentity) -> Box<dyn StreamWriter> {
        match self.protocol {
            Protocol::Completions => {
                Box::new(completions::CompletionStreamWriter::new(identity, self.wants_stream_usage))
            }
            Protocol::Messages => Box::new(anthropic::MessagesStreamWriter::new(identity, self.input_tokens)),
            Protocol::Responses => {
                let echoed = EchoedMembers::clone(&self.echoed_members());
                Box::new(responses::ResponsesStreamWriter::new(identity, echoed))
            }
            Protocol::ChatCompletions | Protocol::GenerateContent | Protocol::Forwarded(_) => {
                Box::new(chat::ChatStreamWriter::new(identity, self.wants_stream_usage))
            }
        }
    }

    fn echoed_members(&self) -> Arc<EchoedMembers> {
        self.echoed.clone().unwrap_or_default()
    }
}

fn no_conversation() -> ServingError {
    ServingError::new(ErrorKind::UnsupportedRequest, "this operation has no conversation")
}
