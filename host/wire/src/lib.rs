//! Dialects of model APIs: bytes to domain types and back.
//!
//! Nothing here opens a socket, waits, or reads a clock: chunks go in, facts and chunks come out.
//! Bytes that the gateway need not change are forwarded as they arrived: neither the body of a
//! request nor the events of a stream are parsed into a tree and serialized again.
//!
//! Each protocol has a module of its own; `json` and `sse` know none of them.

pub mod answer;
mod body;
pub mod byte_order_mark;
mod call_body;
pub mod content_coding;
pub mod form;
mod json;
pub mod openai;
pub mod provider;
pub mod sse;
mod task_outputs;
pub mod tokens;

pub mod trace_context;
pub mod usage_count;

pub use self::body::{Edit, edited};
pub use self::call_body::{BodyPiece, CallBody, StoredContent};
pub use self::json::whole_number;
pub use self::task_outputs::TaskOutputs;
