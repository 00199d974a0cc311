//! The provider dialect: renders calls, and parses answers, stream events, errors and usage.

mod answer;
mod choices;
mod completeness;
mod embedding;
mod error;
mod output;
mod transcription;

pub use self::answer::ChatAnswer;
pub use self::completeness::{BrokenStream, StreamState};
pub use self::embedding::EmbeddingBody;
pub use self::error::{ReportedError, classify_error, refuses_stream_usage};
pub use self::output::{InvalidAnswer, TaskOutput};
pub use self::transcription::{InvalidForm, MultipartForm, TranscriptionBody};

pub(in crate::openai) use self::answer::AnswerVisitor;
pub(in crate::openai) use self::completeness::Completeness;
