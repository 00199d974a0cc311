//! OpenAI's Responses API.
//!
//! A conversation is a list of items: messages, calls of tools, their outputs, reasoning. The
//! provider may keep state between requests, which a translation cannot: requests that need such
//! state are recorded as losses.

mod annotation;
mod answer;
mod echoed;
mod error;
mod event;
mod item;
mod offered_tools;
mod output;
pub mod pass_through;
pub mod provider;
mod request;
mod response;
mod signed_content;
mod stream_writer;

pub use self::answer::render_answer;
pub use self::echoed::EchoedMembers;
pub use self::error::{parse_error, render_provider_error};
pub use self::provider::{ResponsesStreamReader, parse_answer};
pub use self::request::parse_request;
pub use self::stream_writer::ResponsesStreamWriter;
pub use crate::chat::render_error;
