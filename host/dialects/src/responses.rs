//! OpenAI's Responses API.
//!
//! A conversation is a list of items: messages, calls of tools, their outputs, reasoning. The
//! provider may keep state between requests, which a translation cannot: requests that need such
//! state are recorded as losses.

#![allow(dead_code, reason = "rendering of answers follows")]

mod annotation;
mod echoed;
mod offered_tools;
mod request;
mod signed_content;

pub use self::echoed::EchoedMembers;
pub use self::request::parse_request;
