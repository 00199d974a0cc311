//! Answers of providers, read and rendered in the client's protocol.

mod relay;
mod translating_relay;

use std::sync::Arc;

use bytes::Bytes;
use pointsman_domain::usage::Usage;
use pointsman_wire::openai::pass_through::with_usage;
use pointsman_wire::openai::provider as openai;

pub use pointsman_wire::answer::{
    AnswerCount, BrokenStream, InvalidAnswer, ReportedError, StreamState, TaskOutput,
};

use crate::form::{AnswerIdentity, ConversationAnswer, StopReason};
use crate::protocol::Protocol;
use crate::translation::{self, ClientSide};

pub use self::relay::{AnswerRelay, RelayOptions};

/// Format in which a provider answers a call, and the translation for the client, if its protocol
/// is another one.
#[derive(Clone, Debug)]
pub struct AnswerFormat {
    provider: Protocol,
    translation: Option<Arc<AnswerTranslation>>,
}

/// Translation of an answer for a client.
#[derive(Debug)]
pub(crate) struct AnswerTranslation {
    pub client: ClientSide,
    pub identity: AnswerIdentity,
}

/// Parsed whole answer.
#[derive(Clone, Debug)]
pub struct WholeAnswer {
    /// Token counts.
    pub count: AnswerCount,
    /// Answer in the common form, if it is translated.
    parsed: Option<Box<ConversationAnswer>>,
}

impl AnswerFormat {
    pub(crate) const fn new(provider: Protocol, translation: Option<Arc<AnswerTranslation>>) -> Self {
        Self { provider, translation }
    }

    /// Parses a whole answer for the client.
    ///
    /// # Errors
    /// Fails if it is not an answer of the protocol, or reports an error.
    pub fn read(&self, answer: &[u8]) -> Result<WholeAnswer, InvalidAnswer> {
        if self.translation.is_none() && self.provider == Protocol::ChatCompletions {
            return Ok(WholeAnswer { count: openai::read_chat_count(answer)?, parsed: None });
        }
        if self.translation.is_none() && !self.is_conversation() {
            return Ok(WholeAnswer { count: self.read_output(answer)?.count, parsed: None });
        }
        let parsed = translation::parse_answer(self.provider, answer)?;
        let count = AnswerCount { count: parsed.count, output_bytes: parsed.output_bytes() };
        let parsed = self.translation.is_some().then(|| Box::new(parsed));
        Ok(WholeAnswer { count, parsed })
    }

    /// Renders a whole answer for the client. Its usage is the `total` of all calls that it took, if
    /// there were others.
    pub fn render(&self, body: Bytes, answer: &WholeAnswer, usage: Usage, total: Option<Usage>) -> Bytes {
        match (&self.translation, &answer.parsed) {
            (Some(translation), Some(parsed)) => {
                let usage = total.unwrap_or(usage);
                translation.client.render_answer(parsed, &translation.identity, usage)
            }
            _ if self.provider == Protocol::ChatCompletions => match total {
                Some(total) => with_usage(body, total),
                None => body,
            },
            _ => body,
        }
    }

    /// Parses a whole answer as the output of a task.
    ///
    /// # Errors
    /// Fails if it is not an answer of the protocol, or reports an error.
    pub fn read_output(&self, answer: &[u8]) -> Result<TaskOutput, InvalidAnswer> {
        match self.provider {
            Protocol::ChatCompletions => openai::read_chat_output(answer),
            Protocol::Transcriptions => openai::read_transcription_output(answer),
            Protocol::Embeddings => openai::read_embedding_output(answer),
            Protocol::Completions | Protocol::Responses | Protocol::Messages | Protocol::GenerateContent => {
                let parsed = translation::parse_answer(self.provider, answer)?;
                Ok(TaskOutput {
                    text: parsed.text(),
                    finish_reason: Some(finish_reason(&parsed.stop).to_owned()),
                    count: AnswerCount { count: parsed.count, output_bytes: parsed.output_bytes() },
                })
            }
        }
    }

    /// Parses the answer that a client got, as the output of a task.
    ///
    /// # Errors
    /// Fails if it is not an answer of the client's protocol.
    pub fn read_client_answer(&self, answer: &[u8]) -> Result<TaskOutput, InvalidAnswer> {
        let client = self.translation.as_ref().map_or(self.provider, |to| to.client.protocol);
        Self::new(client, None).read_output(answer)
    }

    const fn is_conversation(&self) -> bool {
        !matches!(self.provider, Protocol::Embeddings | Protocol::Transcriptions)
    }
}

/// Returns the reason why an answer ended, as OpenAI's chat API calls it.
fn finish_reason(stop: &StopReason) -> &str {
    match stop {
        StopReason::Complete | StopReason::StopSequence(_) | StopReason::Pause => "stop",
        StopReason::MaxTokens | StopReason::ContextWindow => "length",
        StopReason::ToolCalls => "tool_calls",
        StopReason::ContentFilter | StopReason::Refusal => "content_filter",
        StopReason::Other(reason) => reason,
    }
}
