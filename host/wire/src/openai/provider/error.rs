//! Errors that providers report.

mod classify;

pub use self::classify::{classify_error, exceeds_context, refuses_stream_usage};
