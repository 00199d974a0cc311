//! The content of the request. Calling any of these functions makes the component import
//! `prompt`, which the configuration has to grant. The gateway limits the bytes that one
//! decision may read.

use crate::imports::prompt as gateway;

/// Returns the number of messages in the conversation, including system messages.
pub fn message_count() -> usize {
    gateway::message_count() as usize
}

/// Returns the role of a message (`system`, `user` …), counted from the oldest; `None` past the
/// end.
pub fn role(message: usize) -> Option<String> {
    gateway::role(u32::try_from(message).ok()?)
}

/// Returns the text of a message, cut to `max_bytes` at a character boundary; `None` past the
/// end.
pub fn text(message: usize, max_bytes: usize) -> Option<String> {
    gateway::text(u32::try_from(message).ok()?, u32::try_from(max_bytes).unwrap_or(u32::MAX))
}

/// Returns the text of the newest user message, cut to `max_bytes` at a character boundary;
/// empty if there is none.
pub fn last_user_text(max_bytes: usize) -> String {
    gateway::last_user_text(u32::try_from(max_bytes).unwrap_or(u32::MAX))
}

/// Returns the names of the tools in the request.
pub fn tool_names() -> Vec<String> {
    gateway::tool_names()
}
