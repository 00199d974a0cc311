//! Bytes to domain and back, for each provider protocol.
//!
//! Nothing here opens a socket, waits or looks at a clock: chunks go in, facts
//! and chunks come out. What the gateway need not change, it passes on as it
//! came: a request's body and a stream's events are never parsed into a tree
//! and written again.
//!
//! Each protocol has a module of its own; `json` and `sse` know none of them.

mod body;
pub mod byte_order_mark;
pub mod content_coding;
mod json;
pub mod openai;
pub mod sse;
pub mod tokens;
pub mod trace_context;
