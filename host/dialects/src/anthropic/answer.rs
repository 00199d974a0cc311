//! Whole answers.

mod part;

use bytes::Bytes;
use pointsman_domain::usage::Usage;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub(super) use self::part::detached_signature;
use self::part::render_parts;
use super::blocks::parse::{BlockPlace, parse_content};
use super::blocks::render::Block;
use super::error::parse_reported;
use super::stop::DecisiveContent;
use super::usage::{StatedUsage, UsageBody};
use super::{serialize, stop};
use crate::form::{AnswerIdentity, ConversationAnswer, InvalidAnswer, Losses, Part, PartContent, StopReason};
use crate::json::{MemberPath, ObjectMembers};

/// Answer as this API shows it; at the beginning of a stream, without content.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "message")]
pub(super) struct MessageBody<'a> {
    pub id: String,
    pub role: &'static str,
    pub model: &'a str,
    pub content: Vec<Block<'a>>,
    pub stop_reason: Option<&'static str>,
    pub stop_sequence: Option<&'a str>,
    pub usage: UsageBody,
}

/// Prefix of the ids of answers.
pub(super) const ID_PREFIX: &str = "msg_";

/// Renders an answer for a client.
pub fn render_answer(answer: &ConversationAnswer, identity: &AnswerIdentity, usage: Usage) -> Bytes {
    let has = |is_kind: fn(&PartContent) -> bool| answer.parts.iter().any(|part| is_kind(&part.content));
    let content = if has(|content| matches!(content, PartContent::ToolCall(_))) {
        DecisiveContent::ToolCall
    } else if has(|content| matches!(content, PartContent::Refusal(_))) {
        DecisiveContent::Refusal
    } else {
        DecisiveContent::None
    };
    serialize(&MessageBody {
        id: format!("{ID_PREFIX}{}", identity.id),
        role: "assistant",
        model: if answer.model.is_empty() { &identity.model } else { &answer.model },
        content: render_parts(&answer.parts),
        stop_reason: Some(stop::name(&answer.stop, content)),
        stop_sequence: stop::sequence(&answer.stop),
        usage: usage.into(),
    })
}

/// Response to `POST /v1/messages/count_tokens`.
#[derive(Serialize, Deserialize)]
struct CountBody {
    input_tokens: u64,
}

/// Renders the response to `POST /v1/messages/count_tokens`.
pub fn render_count_tokens(input_tokens: u64) -> Bytes {
    serialize(&CountBody { input_tokens })
}

/// Parses the response to `POST /v1/messages/count_tokens`, and returns the tokens of the input.
///
/// # Errors
/// Fails if it is no such response.
pub fn parse_token_count(body: &[u8]) -> Result<u64, InvalidAnswer> {
    match serde_json::from_slice::<CountBody>(body) {
        Ok(count) => Ok(count.input_tokens),
        Err(error) => {
            Err(parse_reported(None, body).map_or_else(|| invalid(&error), InvalidAnswer::Reported))
        }
    }
}

fn invalid(error: &serde_json::Error) -> InvalidAnswer {
    match error.classify() {
        serde_json::error::Category::Data => InvalidAnswer::WrongShape(error.to_string()),
        _ => InvalidAnswer::NotJson(error.to_string()),
    }
}

/// Parses the body of a response with a good status.
///
/// # Errors
/// Fails if it is no answer of this API.
pub fn parse_answer(body: &[u8]) -> Result<ConversationAnswer, InvalidAnswer> {
    let mut members: ObjectMembers<'_> = serde_json::from_slice(body).map_err(|error| invalid(&error))?;
    let text = |value: &RawValue| serde_json::from_str::<String>(value.get()).ok();
    if members.get("content").is_none()
        && let Some(error) = parse_reported(None, body)
    {
        return Err(InvalidAnswer::Reported(error));
    }
    let content = members.take("content");
    let reason = members.take("stop_reason").and_then(text);
    let sequence = members.take("stop_sequence").and_then(text);
    let Some(content) = content else {
        let message = "it has no member `content`".to_owned();
        return Err(if reason.is_some() { InvalidAnswer::WrongShape(message) } else { InvalidAnswer::Empty });
    };
    let path = MemberPath::Root.member("content");
    let mut parts = parse_content(content, &path, BlockPlace::Message, &mut Losses::default())
        .map_err(|error| InvalidAnswer::WrongShape(error.message))?;
    if parts.is_empty() && reason.is_none() {
        return Err(InvalidAnswer::Empty);
    }
    let stop = reason.map_or(StopReason::Complete, |reason| stop::parse(&reason, sequence));
    parts.extend(members.take("stop_details").and_then(refusal));
    let usage = members.take("usage").map(StatedUsage::parse).unwrap_or_default();
    Ok(ConversationAnswer {
        id: members.take("id").and_then(text).unwrap_or_default(),
        created: None,
        model: members.take("model").and_then(text).unwrap_or_default(),
        parts,
        stop,
        count: usage.count(),
    })
}

/// Returns the refusal that the details of a stop explain.
pub(super) fn refusal(details: &RawValue) -> Option<Part> {
    let mut details = ObjectMembers::parse_answer(details.get().as_bytes())?;
    let explanation: String = serde_json::from_str(details.take("explanation")?.get()).ok()?;
    Some(Part::new(PartContent::Refusal(explanation)))
}

#[cfg(test)]
mod tests;
