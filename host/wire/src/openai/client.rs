//! The client dialect: parses requests, and renders answers, stream events, errors and lists of
//! models.

mod answer;
mod bad_request;
mod error;
mod members;
mod models;
mod prompt;
mod recording;
mod request;
mod scan;

pub use self::answer::{DONE, FinishReason, Head};
pub use self::bad_request::BadRequest;
pub use self::error::ErrorBody;
pub use self::models::{Entry, list, one};
pub use self::prompt::ChatPrompt;
pub use self::recording::BadRecording;
pub use self::request::ChatRequest;
pub use self::scan::{RequestScan, ScanLimits};

pub(in crate::openai) use self::prompt::{MessageSpans, PartSpans};
pub(in crate::openai) use self::recording::Recording;
pub(in crate::openai) use self::request::StreamOptions;
