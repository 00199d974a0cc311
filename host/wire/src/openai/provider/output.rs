//! Outputs of tasks: the whole answers of all operations, as text.

use super::answer;
use super::{embedding, transcription};
use crate::answer::{AnswerCount, InvalidAnswer, TaskOutput};

/// Parses a whole chat completion: the content of its first choice, without reasoning.
pub fn read_chat_output(answer: &[u8]) -> Result<TaskOutput, InvalidAnswer> {
    let (text, finish_reason, count) = answer::read_first_choice(answer)?;
    Ok(TaskOutput { text, finish_reason, count })
}

/// Parses a transcription in JSON format.
pub fn read_transcription_output(answer: &[u8]) -> Result<TaskOutput, InvalidAnswer> {
    let (text, count) = transcription::parse_transcription(answer)?;
    let output_bytes = text.len() as u64;
    Ok(TaskOutput { text, finish_reason: None, count: AnswerCount { count, output_bytes } })
}

/// Parses the first vector of an embedding.
pub fn read_embedding_output(answer: &[u8]) -> Result<TaskOutput, InvalidAnswer> {
    let (text, count) = embedding::parse_embedding(answer)?;
    Ok(TaskOutput { text, finish_reason: None, count: AnswerCount { count, output_bytes: 0 } })
}

#[cfg(test)]
mod tests;
