//! Answers of providers, read and rendered in the client's protocol.

mod media_type;
mod output;
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
use crate::forwarded::{ForwardedApi, read_answer, read_answer_text};
use crate::gemini;
use crate::gemini::embedding::{EmbeddingAnswer, EmbeddingCall};
use crate::protocol::Protocol;
use crate::responses;
use crate::translation::{self, ClientSide};

pub use self::media_type::{Delivery, stream_media_type};
pub use self::relay::{AnswerRelay, RelayOptions};
pub use crate::forwarded::RelayFraming;

/// Format in which a provider answers a call, and the translation for the client, if its protocol
/// is another one.
#[derive(Clone, Debug)]
pub struct AnswerFormat {
    provider: Protocol,
    translation: Option<Arc<AnswerTranslation>>,
    /// Translation of vectors, which have no conversation.
    vectors: Option<Arc<VectorTranslation>>,
}

/// Translation of Gemini's vectors into OpenAI's.
#[derive(Debug)]
pub(crate) struct VectorTranslation {
    pub call: EmbeddingCall,
    /// Name of the model that the answer states.
    pub model: String,
    /// Estimate of the input tokens, in place of a count.
    pub input_tokens: u32,
}

/// Translation of an answer for a client.
#[derive(Debug)]
pub(crate) struct AnswerTranslation {
    pub client: ClientSide,
    pub identity: AnswerIdentity,
    /// True if the client forbids parallel calls of tools.
    pub is_single_call: bool,
}

/// Parsed whole answer.
#[derive(Clone, Debug)]
pub struct WholeAnswer {
    /// Token counts.
    pub count: AnswerCount,
    /// Id of a response that its provider keeps.
    pub response_id: Option<String>,
    /// Ids of the items of such a response.
    pub item_ids: Vec<String>,
    content: AnswerContent,
}

impl WholeAnswer {
    /// Returns an answer that its provider does not keep.
    const fn new(count: AnswerCount, content: AnswerContent) -> Self {
        Self { count, response_id: None, item_ids: Vec::new(), content }
    }
}

/// Content of a whole answer for the client.
#[derive(Clone, Debug)]
enum AnswerContent {
    /// As it arrived.
    Unchanged,
    /// To be rendered from the common form.
    Conversation(Box<ConversationAnswer>),
    /// Rendered already.
    Rendered(Bytes),
}

impl AnswerFormat {
    pub(crate) const fn new(provider: Protocol, translation: Option<Arc<AnswerTranslation>>) -> Self {
        Self { provider, translation, vectors: None }
    }

    pub(crate) const fn of_vectors(translation: Arc<VectorTranslation>) -> Self {
        let provider = Protocol::Forwarded(ForwardedApi::Embeddings);
        Self { provider, translation: None, vectors: Some(translation) }
    }

    /// Returns how an answer with a media type is delivered to the client.
    pub fn delivery(&self, media_type: Option<&str>, streaming: bool) -> Delivery {
        self.provider.delivery(media_type, streaming)
    }

    /// Parses a whole answer for the client.
    ///
    /// # Errors
    /// Fails if it is not an answer of the protocol, or reports an error.
    pub fn read(&self, answer: &[u8]) -> Result<WholeAnswer, InvalidAnswer> {
        if let Some(vectors) = &self.vectors {
            let EmbeddingAnswer { body, count } = vectors.render(answer)?;
            let count = AnswerCount { count, output_bytes: 0 };
            return Ok(WholeAnswer::new(count, AnswerContent::Rendered(body)));
        }
        let unchanged = |count| WholeAnswer::new(count, AnswerContent::Unchanged);
        match self.provider {
            Protocol::ChatCompletions | Protocol::Completions if self.translation.is_none() => {
                return Ok(unchanged(openai::read_chat_count(answer)?));
            }
            Protocol::Forwarded(api) => return Ok(unchanged(read_answer(api, answer)?)),
            Protocol::Responses if self.translation.is_none() => {
                let facts = responses::pass_through::read_answer(answer)?;
                let response_id = Some(facts.id).filter(|id| !id.is_empty());
                let item_ids = facts.item_ids;
                return Ok(WholeAnswer { response_id, item_ids, ..unchanged(facts.output.count) });
            }
            _ => {}
        }
        let mut parsed = translation::parse_answer(self.provider, answer)?;
        let count = AnswerCount { count: parsed.count, output_bytes: parsed.output_bytes() };
        if self.translation.as_ref().is_some_and(|translation| translation.is_single_call) {
            parsed.keep_first_call();
        }
        let content = match self.translation {
            Some(_) => AnswerContent::Conversation(Box::new(parsed)),
            None => AnswerContent::Unchanged,
        };
        Ok(WholeAnswer::new(count, content))
    }

    /// Renders a whole answer for the client. Its usage is the `total` of all calls that it took, if
    /// there were others.
    pub fn render(&self, body: Bytes, answer: &WholeAnswer, usage: Usage, total: Option<Usage>) -> Bytes {
        match (&self.translation, &answer.content) {
            (_, AnswerContent::Rendered(body)) => body.clone(),
            (Some(translation), AnswerContent::Conversation(parsed)) => {
                let usage = total.unwrap_or(usage);
                translation.client.render_answer(parsed, &translation.identity, usage)
            }
            _ => match (self.provider, total) {
                (Protocol::ChatCompletions | Protocol::Completions, Some(total)) => with_usage(body, total),
                _ => body,
            },
        }
    }

    /// Parses a whole answer as the output of a task.
    ///
    /// # Errors
    /// Fails if it is not an answer of the protocol, or reports an error.
    pub fn read_output(&self, answer: &[u8]) -> Result<TaskOutput, InvalidAnswer> {
        match self.provider {
            Protocol::ChatCompletions | Protocol::Completions => openai::read_chat_output(answer),
            Protocol::Forwarded(api) => match &self.vectors {
                Some(vectors) => output::read(api, &vectors.render(answer)?.body),
                None => output::read(api, answer),
            },
            Protocol::Responses | Protocol::Messages | Protocol::GenerateContent => {
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
        match client {
            Protocol::Forwarded(api) => {
                let no_text = || InvalidAnswer::WrongShape("it has no text".to_owned());
                read_answer_text(api, answer).ok_or_else(no_text)
            }
            client => Self::new(client, None).read_output(answer),
        }
    }
}

impl VectorTranslation {
    fn render(&self, answer: &[u8]) -> Result<EmbeddingAnswer, InvalidAnswer> {
        Ok(gemini::embedding::parse_answer(answer, &self.call, &self.model, self.input_tokens)?)
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
