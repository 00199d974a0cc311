//! Anthropic's Messages API over the recorded calls.

mod answers;
mod pairs;
mod requests;
mod streams;
