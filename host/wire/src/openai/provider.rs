//! The provider dialect: renders calls, and parses answers, stream events, errors and usage.

mod answer;
mod choices;
mod completeness;
mod embedding;
mod error;
mod output;
mod text_call;
mod transcription;

pub use self::answer::read_chat_count;
pub use self::error::{classify_error, exceeds_context, refuses_stream_usage};
pub use self::output::{read_chat_output, read_embedding_output, read_transcription_output};
pub use self::text_call::TextCallBody;
pub use self::transcription::{InvalidForm, MultipartForm, TranscriptionBody};
pub use crate::answer::{BrokenStream, InvalidAnswer, ReportedError, StreamState};

pub(in crate::openai) use self::answer::AnswerVisitor;
pub(in crate::openai) use self::completeness::Completeness;
