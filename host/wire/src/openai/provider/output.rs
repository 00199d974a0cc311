//! What tasks give: whole answers of all operations, read as text.

use pointsman_domain::usage::Usage;

use super::answer::{self, ChatAnswer};
use super::error::ReportedError;
use super::usage_count::UsageCount;
use super::{embedding, transcription};

/// What a model gave for a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskOutput {
    /// What the model said or heard; of an embedding the vector as a JSON array.
    pub text: String,
    /// Why the model stopped, if it said so: `stop`, `length` …
    pub finish_reason: Option<String>,
    /// Tokens as the backend counted them.
    pub count: UsageCount,
    /// Bytes of text that the model wrote, to estimate from.
    output_bytes: u64,
}

/// What came is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAnswer {
    /// It is not JSON at all, or not complete.
    #[error("not valid JSON: {0}")]
    NotJson(String),
    /// It is no chat completion.
    #[error("not a JSON object with an array of choices, or the array is empty")]
    NoChoices,
    /// It has neither content nor a reason why there is none.
    #[error("no choice has content or a finish_reason")]
    Empty,
    /// It reports an error in spite of its status.
    #[error("it reports an error")]
    Reported(ReportedError),
    /// It is no transcription.
    #[error("not a JSON object with a text")]
    NoText,
    /// It is no embedding.
    #[error("not a JSON object with a vector in data[0].embedding")]
    NoVector,
}

impl TaskOutput {
    /// Reads a whole chat completion: what its first choice says. What the model
    /// only thought is left out.
    pub fn of_chat(answer: &[u8]) -> Result<Self, InvalidAnswer> {
        let (text, finish_reason, ChatAnswer { count, output_bytes }) = answer::read_first_choice(answer)?;
        Ok(Self { text, finish_reason, count, output_bytes })
    }

    /// Reads a transcription that was asked for as JSON.
    pub fn of_transcription(answer: &[u8]) -> Result<Self, InvalidAnswer> {
        let (text, count) = transcription::heard(answer)?;
        let output_bytes = text.len() as u64;
        Ok(Self { text, finish_reason: None, count, output_bytes })
    }

    /// Reads the first vector of an embedding.
    pub fn of_embedding(answer: &[u8]) -> Result<Self, InvalidAnswer> {
        let (text, count) = embedding::vector(answer)?;
        Ok(Self { text, finish_reason: None, count, output_bytes: 0 })
    }

    /// The backend's count, or an estimate for an input of so many tokens.
    pub fn usage_or_estimate(&self, input_tokens: u32) -> Usage {
        self.count.usage(input_tokens, self.output_bytes)
    }
}

#[cfg(test)]
mod tests;
