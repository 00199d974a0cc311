//! OpenAI's protocol, which most model servers speak.
//!
//! [`client`] is the side that faces the gateway's clients: it parses requests and renders
//! answers and errors. [`provider`] is the side that faces model servers: it renders calls and
//! parses answers, events and errors. Neither knows the other. [`pass_through`] joins them where
//! both ends speak this protocol: bytes are forwarded with small edits, so members that the
//! gateway does not know survive.

pub mod client;
pub mod pass_through;
pub mod provider;

#[cfg(test)]
mod sample_task;
