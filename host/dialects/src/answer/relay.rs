//! Forwarding of streamed answers.

use bytes::Bytes;
use pointsman_domain::serving_error::ServingError;
use pointsman_domain::usage::Usage;
use pointsman_wire::openai::client::ErrorBody;
use pointsman_wire::openai::pass_through::StreamRelay;

use super::translating_relay::TranslatingRelay;
use super::{AnswerFormat, BrokenStream, ReportedError, StreamState};
use crate::anthropic::MessagesStreamWriter;
use crate::anthropic::pass_through::MessagesRelay;
use crate::form::{AnswerIdentity, SingleCallReader, StreamWriter};
use crate::forwarded::{ForwardedRelay, RelayFraming};
use crate::protocol::Protocol;
use crate::responses::pass_through::ResponsesRelay;
use crate::responses::{EchoedMembers, ResponsesStreamWriter};
use crate::translation;

/// Treatment of a streamed answer.
#[derive(Clone, Copy, Debug)]
pub struct RelayOptions {
    /// True if the client did not request the usage of the stream.
    pub hide_usage: bool,
    /// Number of answers that the client requested.
    pub answers: u32,
    /// Usage of further calls for the same answer, which is added to the usage that the client
    /// sees.
    pub other_usage: Usage,
    /// Estimate of the input tokens, for a provider that does not count them.
    pub input_tokens: u32,
    /// Division of the answer into parts.
    pub framing: RelayFraming,
}

/// Relays a streamed answer to the client, and reads usage, content and completeness as it passes.
#[derive(Debug)]
pub struct AnswerRelay(RelayKind);

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "most streams are of the largest kind")]
enum RelayKind {
    Chat(StreamRelay),
    Messages(Box<MessagesRelay>),
    Responses(Box<ResponsesRelay>),
    Translating(Box<TranslatingRelay>),
    Forwarded(Box<ForwardedRelay>),
}

/// Calls a method of the relay, whichever kind it is.
macro_rules! each_kind {
    ($self:expr, $relay:ident => $call:expr) => {
        match $self {
            RelayKind::Chat($relay) => $call,
            RelayKind::Messages($relay) => $call,
            RelayKind::Responses($relay) => $call,
            RelayKind::Translating($relay) => $call,
            RelayKind::Forwarded($relay) => $call,
        }
    };
}

impl AnswerFormat {
    /// Returns the relay for a stream that has not begun.
    pub fn relay(&self, options: RelayOptions) -> AnswerRelay {
        let RelayOptions { hide_usage, answers, other_usage, input_tokens, framing } = options;
        AnswerRelay(match (&self.translation, self.provider) {
            (Some(translation), provider) => {
                let mut reader = translation::stream_reader(provider);
                if translation.is_single_call {
                    reader = Box::new(SingleCallReader::new(reader));
                }
                let writer = translation.client.stream_writer(translation.identity.clone());
                RelayKind::Translating(Box::new(TranslatingRelay::new(
                    reader,
                    writer,
                    other_usage,
                    input_tokens,
                )))
            }
            (None, Protocol::Messages) => RelayKind::Messages(Box::default()),
            (None, Protocol::Responses) => RelayKind::Responses(Box::default()),
            (None, Protocol::Forwarded(api)) => {
                RelayKind::Forwarded(Box::new(ForwardedRelay::new(api, framing)))
            }
            (None, _) => RelayKind::Chat(StreamRelay::new(hide_usage, answers).with_other_usage(other_usage)),
        })
    }
}

impl AnswerRelay {
    /// Processes the next chunk, which may be cut anywhere, and appends the bytes to be sent.
    pub fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) {
        each_kind!(&mut self.0, relay => relay.push(chunk, out));
    }

    /// Ends the stream, and returns whether it is complete.
    ///
    /// # Errors
    /// Fails if the answer is not complete, or the backend reported an error in it.
    pub fn finish(&mut self, out: &mut Vec<Bytes>) -> Result<(), BrokenStream> {
        each_kind!(&mut self.0, relay => relay.finish(out))
    }

    /// Returns whether a stream that ends here is complete.
    ///
    /// # Errors
    /// Fails as [`finish`](Self::finish) does.
    pub fn check(&self) -> Result<(), BrokenStream> {
        each_kind!(&self.0, relay => relay.check())
    }

    /// Returns the state of the answer.
    pub fn state(&self) -> StreamState {
        each_kind!(&self.0, relay => relay.state())
    }

    /// Returns whether content has arrived, so that no other attempt can take over.
    pub fn has_content(&self) -> bool {
        each_kind!(&self.0, relay => relay.has_content())
    }

    /// Returns the bytes of an incomplete event that are held until its end arrives.
    pub fn held_bytes(&self) -> usize {
        each_kind!(&self.0, relay => relay.held_bytes())
    }

    /// Returns the error that the backend reported, if any.
    pub fn error(&self) -> Option<ReportedError> {
        each_kind!(&self.0, relay => relay.error())
    }

    /// Returns the usage of this call: the backend's count where it can be true, else an estimate
    /// from the text so far for an input of about `input_tokens`.
    pub fn usage_or_estimate(&self, input_tokens: u32) -> Usage {
        each_kind!(&self.0, relay => relay.usage_or_estimate(input_tokens))
    }

    /// Renders an error of the gateway that ends the stream; `None` where the answer has no place for
    /// one, so that only the end of the connection shows it.
    pub fn error_event(&mut self, error: &ServingError) -> Option<Bytes> {
        let mut event = Vec::new();
        match &mut self.0 {
            RelayKind::Forwarded(relay) if relay.framing() == RelayFraming::Bytes => return None,
            RelayKind::Chat(_) | RelayKind::Forwarded(_) => return Some(ErrorBody::from(error).to_event()),
            RelayKind::Messages(_) => MessagesStreamWriter::new(unknown(), 0).error(error, &mut event),
            RelayKind::Responses(_) => {
                ResponsesStreamWriter::new(unknown(), EchoedMembers::default()).error(error, &mut event);
            }
            RelayKind::Translating(relay) => relay.write_error(error, &mut event),
        }
        Some(event.into())
    }

    /// Returns the id of a response that its provider keeps, once it is known.
    pub fn response_id(&self) -> Option<&str> {
        match &self.0 {
            RelayKind::Responses(relay) => relay.response_id(),
            _ => None,
        }
    }

    /// Returns the ids of the items of such a response once it is complete, and forgets them.
    pub fn take_item_ids(&mut self) -> Vec<String> {
        match &mut self.0 {
            RelayKind::Responses(relay) => relay.take_item_ids(),
            _ => Vec::new(),
        }
    }

    /// Returns the division of the answer into parts.
    pub fn framing(&self) -> RelayFraming {
        match &self.0 {
            RelayKind::Forwarded(relay) => relay.framing(),
            _ => RelayFraming::Events,
        }
    }
}

/// Identity of an answer whose head the client has from the provider.
fn unknown() -> AnswerIdentity {
    AnswerIdentity { id: String::new(), created: 0, model: String::new() }
}
