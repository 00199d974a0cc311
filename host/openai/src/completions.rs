//! OpenAI's legacy completions. Providers without this API get a conversation of one message.

mod answer;
mod pass_through;
mod request;
mod stream_writer;

pub use self::answer::render_answer;
pub use self::pass_through::CompletionsBody;
pub use self::request::parse_request;
pub use self::stream_writer::CompletionStreamWriter;
pub use crate::chat::{render_error, render_provider_error};
