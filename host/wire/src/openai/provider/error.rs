//! Errors that providers report.

mod classify;

pub use self::classify::{classify_error, refuses_stream_usage};
