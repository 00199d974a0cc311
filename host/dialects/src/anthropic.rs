//! Anthropic's Messages API.
//!
//! The client side parses requests and renders answers, streams and errors; the provider side
//! renders calls and parses answers, streams and errors. [`pass_through`] joins them where both
//! ends speak this protocol.
//!
//! This is version `2023-06-01` of the API. Requests of version `2026-10-21` are a part of it:
//! that version removes parameters of sampling, and otherwise forbids combinations.

mod answer;
mod blocks;
mod cache;
mod citations;
mod error;
mod models;
pub mod pass_through;
mod request;
mod signatures;
mod stop;
mod stream;
mod usage;

pub use self::answer::{parse_answer, parse_token_count, render_answer, render_count_tokens};
pub use self::error::{parse_error, render_error, render_provider_error};
pub use self::models::{ModelEntry, render_model, render_model_list};
pub use self::request::{
    DEFAULT_MAX_TOKENS, parse_count_tokens, parse_request, render_count_tokens_request, render_request,
};
pub use self::stream::{MessagesStreamReader, MessagesStreamWriter};

use bytes::Bytes;
use serde::Serialize;

use crate::form::Losses;
use crate::json::{MemberPath, ObjectMembers};

/// Records the members that are left of an object as losses without which the request means the
/// same.
fn record_rest(members: ObjectMembers<'_>, path: &MemberPath<'_>, losses: &mut Losses) {
    for (name, _) in members.rest() {
        losses.advisory(path.member(&name).to_string());
    }
}

/// Serializes a body.
fn serialize(value: &impl Serialize) -> Bytes {
    // Strings, numbers and JSON into a vector: this cannot fail.
    serde_json::to_vec(value).unwrap_or_default().into()
}
