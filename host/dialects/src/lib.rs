//! Client APIs and provider dialects, and the translation between them.
//!
//! A *client dialect* parses the requests of one API and renders its answers, stream events and
//! errors. A *provider dialect* renders calls and parses answers, stream events and errors. Where
//! both ends speak the same protocol, bytes are forwarded with small edits, so members that the
//! gateway does not know survive (`pointsman_wire` has that path for OpenAI chat). Between different
//! protocols everything goes through one [common form](form).
//!
//! A translation loses nothing silently: what the target cannot express is recorded in
//! [`form::Losses`].
//!
//! Nothing here opens a socket, waits, or reads a clock.

pub use pointsman_conversation::{form, json};
pub use pointsman_openai::{chat, completions, forwarded, responses};

pub mod answer;
pub mod anthropic;
pub mod call;
mod client_error;
pub mod gemini;
mod path_segment;
pub mod protocol;
pub mod provider;
pub mod request;
mod translation;
mod unservable;
