//! OpenAI's protocol, which most model servers speak.

pub mod answer;
pub mod chat;
pub mod embedding;
pub mod error;
pub mod models;
pub mod output;
pub mod transcription;
pub mod usage_count;

#[cfg(test)]
mod one_task;
