//! OpenAI's protocol, which most model servers speak.

pub mod answer;
pub mod chat;
pub mod error;
pub mod models;
