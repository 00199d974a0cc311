//! OpenAI's chat completions: the API of most clients, and the dialect of most providers.

mod annotations;
mod call;
mod quirks;
mod reasoning_details;
mod request;
mod tool_calls;

pub use self::call::{render_request, render_request_for};
pub use self::quirks::{ChatQuirks, ReasoningReplay};
pub use self::request::parse_request;
