//! Requests: `POST /v1/messages` and `POST /v1/messages/count_tokens`.

mod messages;
mod model;
mod options;
mod parse;
mod part;
mod render;
mod schema;
mod tool_ids;
mod tools;

pub use self::options::DEFAULT_MAX_TOKENS;
pub use self::parse::{parse_count_tokens, parse_request};
pub use self::render::{render_count_tokens_request, render_request};

#[cfg(test)]
mod tests;
