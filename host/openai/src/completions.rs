//! OpenAI's legacy completions, for clients alone: providers get a conversation of one message.

mod answer;
mod output;
mod request;
mod stream_writer;

pub use self::answer::render_answer;
pub use self::output::read_output;
pub use self::request::parse_request;
pub use self::stream_writer::CompletionStreamWriter;
pub use crate::chat::{render_error, render_provider_error};
