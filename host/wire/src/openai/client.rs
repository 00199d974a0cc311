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

pub use self::answer::{AnswerHead, DONE_EVENT, FinishReason};
pub use self::bad_request::BadRequest;
pub use self::error::{ErrorBody, error_status};
pub use self::models::{ModelEntry, render_model, render_model_list};
pub use self::prompt::ChatPrompt;
pub use self::recording::InvalidRecording;
pub use self::request::ChatRequest;
pub use self::scan::{RequestScan, ScanLimits};

pub(in crate::openai) use self::prompt::{MessageSpans, PartSpans};
pub(in crate::openai) use self::recording::Recording;
pub(in crate::openai) use self::request::StreamOptions;
