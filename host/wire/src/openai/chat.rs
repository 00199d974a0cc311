//! Chat completions: requests, whole answers and streams.

mod answer;
mod members;
mod prompt;
mod refusals;
mod relay;
mod request;
mod scan;

pub use answer::{Answer, AnswerScan, NotAnAnswer, answer_usage};
pub use prompt::ChatPrompt;
pub use relay::{BrokenStream, StreamRelay};
pub use request::{BadRequest, ChatRequest};
pub use scan::{RequestScan, ScanLimits};
