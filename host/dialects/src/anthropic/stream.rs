//! Streamed answers.

mod reader;
mod writer;

pub use self::reader::MessagesStreamReader;
pub use self::writer::MessagesStreamWriter;
