//! Reading of a request while it arrives.

use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_wire::openai::client::{ChatRequest, RequestScan, ScanLimits};

use super::ClientRequest;
use super::conversation::{ClientConversation, OriginalBody};
use crate::anthropic::pass_through::MessagesBody;
use crate::chat;
use crate::completions::CompletionsBody;
use crate::form::Losses;
use crate::forwarded::ForwardedRequest;
use crate::protocol::Protocol;
use crate::responses::pass_through::ResponsesBody;
use crate::translation::{self, ParsedConversation};

/// Reads a request while it arrives.
#[derive(Debug)]
pub struct ClientRequestScan(ScanState);

#[derive(Debug)]
enum ScanState {
    /// Chat completions, parsed as they arrive, so that an invalid request is rejected before its
    /// end.
    Chat(Box<RequestScan>),
    /// Body of another protocol, parsed at its end.
    Whole { protocol: Protocol, body: BytesMut, limit: usize, only_counts: bool },
}

impl ClientRequestScan {
    /// Returns a scan of a request of at most `limit` bytes that has seen none.
    pub fn new(protocol: Protocol, limit: usize) -> Self {
        Self(match protocol {
            Protocol::ChatCompletions => {
                ScanState::Chat(Box::new(RequestScan::new(ScanLimits { body_bytes: limit })))
            }
            protocol => ScanState::Whole { protocol, body: BytesMut::new(), limit, only_counts: false },
        })
    }

    /// Returns a scan of a request for the number of tokens of a message, which needs no limit of
    /// output tokens.
    pub fn count_tokens(limit: usize) -> Self {
        let (protocol, body) = (Protocol::Messages, BytesMut::new());
        Self(ScanState::Whole { protocol, body, limit, only_counts: true })
    }

    /// Reads the next chunk of the body, which may be cut anywhere. The scan must not be used after
    /// an error.
    ///
    /// # Errors
    /// Fails if the body is too large, or not a request of the protocol.
    pub fn push(&mut self, chunk: Bytes) -> Result<(), ServingError> {
        match &mut self.0 {
            ScanState::Chat(scan) => Ok(scan.push(chunk)?),
            ScanState::Whole { body, limit, .. } if body.len() + chunk.len() > *limit => {
                let message = format!("The request body is larger than {limit} bytes.");
                Err(ServingError::new(ErrorKind::RequestTooLarge, message))
            }
            ScanState::Whole { body, .. } => {
                body.extend_from_slice(&chunk);
                Ok(())
            }
        }
    }

    /// Returns the bytes that are left to parse at the end.
    pub fn unparsed_bytes(&self) -> usize {
        match &self.0 {
            ScanState::Chat(_) => 0,
            ScanState::Whole { body, .. } => body.len(),
        }
    }

    /// Ends the body, and returns the request.
    ///
    /// # Errors
    /// Fails if the body is not a request of the protocol.
    pub fn finish(self) -> Result<ClientRequest, ServingError> {
        match self.0 {
            ScanState::Chat(scan) => Ok(ClientRequest::Conversation(ClientConversation {
                protocol: Protocol::ChatCompletions,
                chat: scan.finish()?,
                original: None,
                parsed: Arc::default(),
            })),
            ScanState::Whole { protocol: Protocol::Forwarded(api), body, .. } => {
                Ok(ClientRequest::Forwarded(ForwardedRequest::parse_json(api, body.freeze())?))
            }
            ScanState::Whole { protocol, body, only_counts, .. } => {
                translated(protocol, body.freeze(), only_counts)
            }
        }
    }
}

/// Reads a request that policies and plans see as chat completions.
fn translated(protocol: Protocol, body: Bytes, only_counts: bool) -> Result<ClientRequest, ServingError> {
    let original = match protocol {
        Protocol::Messages => OriginalBody::Messages(MessagesBody::parse(&body)?),
        Protocol::Responses => OriginalBody::Responses(ResponsesBody::parse(&body)?),
        _ => OriginalBody::Completions(CompletionsBody::parse(&body)?),
    };
    let parsed = match only_counts {
        true => translation::parse_count_tokens(&body)?,
        false => translation::parse_request(protocol, &body)?,
    };
    let mut chat = as_chat(&parsed)?;
    if let OriginalBody::Completions(body) = &original {
        // Some prompts are no text of a message.
        chat.answers = body.answers;
        chat.input_tokens = body.input_tokens;
        chat.least_input_tokens = body.least_input_tokens;
    }
    let parsed = OnceLock::from(Ok(Arc::new(parsed)));
    let parsed = Arc::new(parsed);
    Ok(ClientRequest::Conversation(ClientConversation { protocol, chat, original: Some(original), parsed }))
}

/// Returns the request as chat completions. Members that these cannot express stay in the original.
fn as_chat(parsed: &ParsedConversation) -> Result<ChatRequest, ServingError> {
    let body = chat::render_request(&parsed.request, &mut Losses::default());
    let mut scan = RequestScan::new(ScanLimits { body_bytes: usize::MAX });
    scan.push(body)?;
    Ok(scan.finish()?)
}
