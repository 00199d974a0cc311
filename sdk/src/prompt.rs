//! Capability: the content of the request. Calling any of these makes the
//! component import `prompt`, which the configuration then has to grant.
//! The gateway caps the bytes that one decision may read.

use crate::imports::prompt as gateway;

/// Messages in the conversation, system messages included.
pub fn message_count() -> usize {
    gateway::message_count() as usize
}

/// The role of a message (`system`, `user` …), the oldest being 0; `None` past the end.
pub fn role(message: usize) -> Option<String> {
    gateway::role(u32::try_from(message).ok()?)
}

/// The text of a message, cut to `max_bytes` at a character; `None` past the end.
pub fn text(message: usize, max_bytes: usize) -> Option<String> {
    gateway::text(u32::try_from(message).ok()?, u32::try_from(max_bytes).unwrap_or(u32::MAX))
}

/// The text of the newest user message, cut to `max_bytes` at a character; empty
/// when there is none.
pub fn last_user_text(max_bytes: usize) -> String {
    gateway::last_user_text(u32::try_from(max_bytes).unwrap_or(u32::MAX))
}

/// The names of the tools that the request offers.
pub fn tool_names() -> Vec<String> {
    gateway::tool_names()
}
