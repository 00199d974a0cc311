//! Requests of clients, whichever protocol they use.

use std::sync::Arc;

use bytes::Bytes;
use pointsman_domain::model::Operation;
use pointsman_domain::plan::{ComposedPart, Task};
use pointsman_domain::prompt::{ContentSize, Prompt};
use pointsman_domain::request::RequestFacts;
use pointsman_domain::serving_error::ServingError;
use pointsman_domain::usage::Usage;
use pointsman_wire::TaskOutputs;
use pointsman_wire::openai::client::{AnswerHead, ChatRequest, FinishReason, RequestScan, ScanLimits};

use crate::call::CallContent;
use crate::form::AnswerIdentity;
use crate::protocol::Protocol;

/// Composed text up to this size that is rendered as one piece, in bytes.
const AT_ONCE: usize = 64 << 10;

/// Parsed request of a client: facts for routing, and the bytes to forward.
#[derive(Clone, Debug)]
pub struct ClientRequest {
    protocol: Protocol,
    chat: ChatRequest,
}

/// Parses a request while it arrives, so that an invalid one is rejected before its end.
#[derive(Debug)]
pub struct ClientRequestScan {
    protocol: Protocol,
    chat: RequestScan,
}

/// Reason why the content of a task cannot be sent to a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTaskInput(String);

/// Answer with a text that a plan composed, in the client's protocol.
pub enum ComposedAnswer {
    /// Whole answer.
    Whole(Bytes),
    /// Whole answer in pieces, which are made one by one.
    Pieces(Box<dyn Iterator<Item = Bytes> + Send>),
    /// Events of a stream, which are made one by one.
    Events(Box<dyn Iterator<Item = Bytes> + Send>),
}

impl ClientRequestScan {
    /// Returns a scan of a request of at most `body_bytes` bytes that has seen none.
    pub fn new(protocol: Protocol, body_bytes: usize) -> Self {
        Self { protocol, chat: RequestScan::new(ScanLimits { body_bytes }) }
    }

    /// Parses the next chunk of the body, which may be cut anywhere. The scan must not be used
    /// after an error.
    ///
    /// # Errors
    /// Fails if the body is too large, or not a request of the protocol.
    pub fn push(&mut self, chunk: Bytes) -> Result<(), ServingError> {
        Ok(self.chat.push(chunk)?)
    }

    /// Ends the body, and returns the request.
    ///
    /// # Errors
    /// Fails if the body is not a request of the protocol.
    pub fn finish(self) -> Result<ClientRequest, ServingError> {
        Ok(ClientRequest { protocol: self.protocol, chat: self.chat.finish()? })
    }
}

impl ClientRequest {
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
    }

    /// Returns the content for a policy with that grant. Texts are decoded on first use.
    pub fn prompt(&self) -> Arc<dyn Prompt> {
        Arc::new(self.chat.prompt())
    }

    /// Returns the bytes that the request and its prompt hold.
    pub fn held_bytes(&self) -> usize {
        self.chat.body_len()
    }

    /// Returns the size of the parts of the request that the task that answers sends besides its
    /// messages, such as tools.
    pub fn size_beside_messages(&self) -> ContentSize {
        self.chat.size_beside_messages()
    }

    /// Assembles the content of a task's call. The task that answers sends the request with other
    /// messages; any other task sends a new request for a whole answer.
    ///
    /// # Errors
    /// Fails if the task refers to content that cannot be sent to its operation.
    pub fn task_content(
        &self,
        task: &Task,
        outputs: &TaskOutputs,
        answers: bool,
    ) -> Result<CallContent<'static>, InvalidTaskInput> {
        Ok(match task.operation {
            Operation::Chat => CallContent::Chat(self.chat.render_chat_task(task, outputs, answers)),
            Operation::Embedding => CallContent::Embedding(self.chat.render_embedding_task(task, outputs)),
            Operation::Transcription => {
                let body = self.chat.render_transcription_task(task);
                CallContent::Transcription(body.map_err(|invalid| InvalidTaskInput(invalid.to_string()))?)
            }
        })
    }

    /// Composes a text from parts of the request and outputs of tasks.
    pub fn compose_text(&self, parts: &[ComposedPart], outputs: &TaskOutputs) -> String {
        self.chat.compose_text(parts, outputs)
    }

    /// Renders an answer with a composed text.
    pub fn composed_answer(&self, identity: &AnswerIdentity, text: String, usage: Usage) -> ComposedAnswer {
        let AnswerIdentity { id, created, model } = identity;
        let id = format!("chatcmpl-{id}");
        let head = AnswerHead { id: &id, created: *created, model };
        match text.len() {
            _ if self.is_streaming() => ComposedAnswer::Events(Box::new(
                head.stream_events(text, self.wants_stream_usage().then_some(usage)),
            )),
            ..=AT_ONCE => ComposedAnswer::Whole(head.completion(&text, FinishReason::Stop, usage)),
            _ => ComposedAnswer::Pieces(Box::new(head.completion_chunks(text, usage))),
        }
    }

    pub(crate) fn as_chat(&self) -> &ChatRequest {
        &self.chat
    }
}

impl InvalidTaskInput {
    /// Returns the error of a task that the plan does not have.
    pub fn no_such_task() -> Self {
        Self("the plan has no such task".to_owned())
    }
}
