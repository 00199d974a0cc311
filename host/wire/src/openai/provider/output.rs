//! Outputs of tasks: the whole answers of all operations, as text.

use pointsman_domain::usage::Usage;

use super::answer::{self, ChatAnswer};
use super::error::ReportedError;
use super::{embedding, transcription};
use crate::usage_count::UsageCount;

/// Output of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskOutput {
    /// The content of a chat answer, the text of a transcription, or the vector of an embedding
    /// as a JSON array.
    pub text: String,
    /// Finish reason, if the model stated one: `stop`, `length` …
    pub finish_reason: Option<String>,
    /// Tokens as the backend counted them.
    pub count: UsageCount,
    /// Bytes of text that the model wrote; basis of an estimate where the backend states no
    /// count.
    output_bytes: u64,
}

/// Reason why a response with a good status is not an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAnswer {
    /// Invalid or incomplete JSON.
    #[error("not valid JSON: {0}")]
    NotJson(String),
    /// No chat completion.
    #[error("not a JSON object with an array of choices, or the array is empty")]
    NoChoices,
    /// Neither content nor a finish reason.
    #[error("no choice has content or a finish_reason")]
    Empty,
    /// An error that is reported in spite of the status.
    #[error("it reports an error")]
    Reported(ReportedError),
    /// No transcription.
    #[error("not a JSON object with a text")]
    NoText,
    /// No embedding.
    #[error("not a JSON object with a vector in data[0].embedding")]
    NoVector,
}

impl TaskOutput {
    /// Parses a whole chat completion: the content of its first choice, without reasoning.
    pub fn of_chat(answer: &[u8]) -> Result<Self, InvalidAnswer> {
        let (text, finish_reason, ChatAnswer { count, output_bytes }) = answer::read_first_choice(answer)?;
        Ok(Self { text, finish_reason, count, output_bytes })
    }

    /// Parses a transcription in JSON format.
    pub fn of_transcription(answer: &[u8]) -> Result<Self, InvalidAnswer> {
        let (text, count) = transcription::parse_transcription(answer)?;
        let output_bytes = text.len() as u64;
        Ok(Self { text, finish_reason: None, count, output_bytes })
    }

    /// Parses the first vector of an embedding.
    pub fn of_embedding(answer: &[u8]) -> Result<Self, InvalidAnswer> {
        let (text, count) = embedding::parse_embedding(answer)?;
        Ok(Self { text, finish_reason: None, count, output_bytes: 0 })
    }

    /// Returns the usage of the call: the backend's count where it can be true, else an estimate
    /// for an input of about `input_tokens`.
    pub fn usage_or_estimate(&self, input_tokens: u32) -> Usage {
        self.count.usage(input_tokens, self.output_bytes)
    }
}

#[cfg(test)]
mod tests;
