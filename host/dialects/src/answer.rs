//! Answers of providers, read and forwarded in the client's protocol.

use bytes::Bytes;
use pointsman_domain::serving_error::ServingError;
use pointsman_domain::usage::Usage;
use pointsman_wire::openai::client::ErrorBody;
use pointsman_wire::openai::pass_through::{StreamRelay, with_usage};
use pointsman_wire::openai::provider as openai;

pub use pointsman_wire::answer::{
    AnswerCount, BrokenStream, InvalidAnswer, ReportedError, StreamState, TaskOutput,
};

use crate::protocol::Protocol;

/// Format in which a provider answers a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerFormat {
    provider: Protocol,
}

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
}

/// Relays a streamed answer to the client, and reads usage, content and completeness as it passes.
#[derive(Debug)]
pub struct AnswerRelay(StreamRelay);

impl AnswerFormat {
    pub(crate) const fn new(provider: Protocol) -> Self {
        Self { provider }
    }

    /// Returns the relay for a stream that has not begun.
    pub fn relay(self, options: RelayOptions) -> AnswerRelay {
        let RelayOptions { hide_usage, answers, other_usage } = options;
        AnswerRelay(StreamRelay::new(hide_usage, answers).with_other_usage(other_usage))
    }

    /// Parses a whole answer for its token counts.
    ///
    /// # Errors
    /// Fails if it is not an answer of the protocol, or reports an error.
    pub fn read_count(self, answer: &[u8]) -> Result<AnswerCount, InvalidAnswer> {
        match self.provider {
            Protocol::ChatCompletions => openai::read_chat_count(answer),
            Protocol::Embeddings | Protocol::Transcriptions => Ok(self.read_output(answer)?.count),
        }
    }

    /// Parses a whole answer as the output of a task.
    ///
    /// # Errors
    /// Fails if it is not an answer of the protocol, or reports an error.
    pub fn read_output(self, answer: &[u8]) -> Result<TaskOutput, InvalidAnswer> {
        match self.provider {
            Protocol::ChatCompletions => openai::read_chat_output(answer),
            Protocol::Transcriptions => openai::read_transcription_output(answer),
            Protocol::Embeddings => openai::read_embedding_output(answer),
        }
    }

    /// Returns the answer with another usage: the total of all calls that it took.
    pub fn with_usage(self, answer: Bytes, usage: Usage) -> Bytes {
        match self.provider {
            Protocol::ChatCompletions => with_usage(answer, usage),
            Protocol::Embeddings | Protocol::Transcriptions => answer,
        }
    }
}

impl AnswerRelay {
    /// Processes the next chunk, which may be cut anywhere, and appends the bytes to be sent.
    pub fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) {
        self.0.push(chunk, out);
    }

    /// Ends the stream, and returns whether it is complete.
    ///
    /// # Errors
    /// Fails if the answer is not complete, or the backend reported an error in it.
    pub fn finish(&mut self, out: &mut Vec<Bytes>) -> Result<(), BrokenStream> {
        self.0.finish(out)
    }

    /// Returns whether a stream that ends here is complete.
    ///
    /// # Errors
    /// Fails as [`finish`](Self::finish) does.
    pub fn check(&self) -> Result<(), BrokenStream> {
        self.0.check()
    }

    /// Returns the state of the answer.
    pub fn state(&self) -> StreamState {
        self.0.state()
    }

    /// Returns whether content has arrived, so that no other attempt can take over.
    pub fn has_content(&self) -> bool {
        self.0.has_content()
    }

    /// Returns the bytes of an incomplete event that are held until its end arrives.
    pub fn held_bytes(&self) -> usize {
        self.0.held_bytes()
    }

    /// Returns the error that the backend reported, if any.
    pub fn error(&self) -> Option<ReportedError> {
        self.0.error()
    }

    /// Returns the usage of this call: the backend's count where it can be true, else an estimate
    /// from the text so far for an input of about `input_tokens`.
    pub fn usage_or_estimate(&self, input_tokens: u32) -> Usage {
        self.0.usage_or_estimate(input_tokens)
    }

    /// Renders an error of the gateway that ends the stream.
    pub fn error_event(&mut self, error: &ServingError) -> Bytes {
        ErrorBody::from(error).to_event()
    }
}
