//! OpenAI's APIs, translated from and to the common form of conversations.
//!
//! Chat completions are spoken by clients and by most providers, responses and completions by clients
//! and some providers. Where both ends speak chat completions, nothing is
//! translated: `pointsman_wire::openai` forwards their bytes.

pub(crate) use pointsman_conversation::{form, json};

pub mod chat;
pub mod completions;
pub mod forwarded;
mod input;
mod media;
pub mod responses;
