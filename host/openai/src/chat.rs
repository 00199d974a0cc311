//! OpenAI's chat completions: the API of most clients, and the dialect of most providers.

mod annotations;
mod answer;
mod call;
mod completion;
mod error;
mod finish_reason;
mod provider_error;
mod quirks;
mod reasoning_details;
mod request;
mod stream_reader;
mod stream_writer;
mod tool_calls;
mod usage;

pub use self::answer::parse_answer;
pub use self::call::{render_request, render_request_for};
pub use self::completion::render_answer;
pub use self::error::{render_error, render_provider_error};
pub use self::provider_error::parse_error;
pub use self::quirks::{ChatQuirks, ReasoningReplay};
pub use self::request::parse_request;
pub use self::stream_reader::ChatStreamReader;
pub use self::stream_writer::ChatStreamWriter;

pub(crate) use self::finish_reason::finish_reason;
pub(crate) use self::request::{SharedMembers, extra};
pub(crate) use self::usage::UsageBody;
