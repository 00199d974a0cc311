//! Provider side of the API: whole and streamed answers in the common form.

mod answer;
mod item;
mod stream_reader;

pub use self::answer::parse_answer;
pub use self::stream_reader::ResponsesStreamReader;

pub(super) use self::answer::{ResponseBody, content};
