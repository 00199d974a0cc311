//! Rendering of whole answers.

use bytes::Bytes;
use pointsman_domain::usage::Usage;
use serde::Serialize;

use super::annotations::Annotation;
use super::finish_reason::finish_reason;
use super::reasoning_details::{ExtraContent, ReasoningDetail, details_of};
use super::tool_calls::ToolCallBody;
use super::usage::UsageBody;
use crate::form::{AnswerIdentity, ConversationAnswer, MediaSource, PartContent, RawJson};
use crate::media;

#[derive(Serialize)]
struct Completion<'a> {
    id: String,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [Choice<'a>; 1],
    usage: UsageBody,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: MessageBody<'a>,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Default, Serialize)]
struct MessageBody<'a> {
    role: &'static str,
    content: Option<String>,
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasoning_details: Vec<ReasoningDetail>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCallBody<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<RawJson>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<ImageBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_content: Option<ExtraContent>,
}

/// Element of `images`.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "image_url")]
pub(super) struct ImageBody {
    image_url: ImageAddress,
}

#[derive(Debug, Serialize)]
struct ImageAddress {
    url: String,
}

impl ImageBody {
    /// Returns the image; `None` for media that are none.
    pub fn of(content: &PartContent) -> Option<Self> {
        let url = match content {
            PartContent::Image { source: MediaSource::Base64 { media_type, data }, .. } => {
                media::data_url(media_type, data)
            }
            PartContent::Image { source: MediaSource::Url { url, .. }, .. } => url.clone(),
            _ => return None,
        };
        Some(Self { image_url: ImageAddress { url } })
    }
}

/// Renders a whole answer.
pub fn render_answer(answer: &ConversationAnswer, identity: &AnswerIdentity, usage: Usage) -> Bytes {
    let message = message(answer);
    let choice = Choice {
        index: 0,
        finish_reason: finish_reason(&answer.stop, message.refusal.is_some()),
        message,
        logprobs: None,
    };
    let completion = Completion {
        id: completion_id(identity),
        object: "chat.completion",
        created: answer.created.unwrap_or(identity.created),
        model: if answer.model.is_empty() { &identity.model } else { &answer.model },
        choices: [choice],
        usage: usage.into(),
    };
    // Strings, numbers and raw JSON into a vector: this cannot fail.
    serde_json::to_vec(&completion).unwrap_or_default().into()
}

/// Returns the id of an answer in this API.
pub(super) fn completion_id(identity: &AnswerIdentity) -> String {
    format!("chatcmpl-{}", identity.id)
}

fn message(answer: &ConversationAnswer) -> MessageBody<'_> {
    let mut body = MessageBody { role: "assistant", ..MessageBody::default() };
    let mut characters = 0;
    let mut reasoning_count = 0;
    for part in &answer.parts {
        let signature = part.signature.as_ref();
        let extra_content = signature.and_then(ExtraContent::of);
        match &part.content {
            PartContent::Text { text, citations } => {
                let start = characters;
                characters = character_end(start, text);
                body.content.get_or_insert_default().push_str(text);
                let annotations = citations.iter();
                body.annotations
                    .extend(annotations.filter_map(|citation| Annotation::of(citation, (start, characters))));
                body.extra_content = body.extra_content.take().or(extra_content);
            }
            PartContent::Refusal(refusal) => body.refusal.get_or_insert_default().push_str(refusal),
            PartContent::Reasoning(reasoning) => {
                append_paragraph(&mut body.reasoning_content, &reasoning.text);
                if signature.is_some() || reasoning.encrypted.is_some() {
                    body.reasoning_details.extend(details_of(reasoning, signature, reasoning_count));
                }
                reasoning_count += 1;
            }
            PartContent::ToolCall(call) => {
                body.tool_calls.push(ToolCallBody::of(call, true, extra_content));
            }
            content => body.images.extend(ImageBody::of(content)),
        }
    }
    body
}

/// Returns the number of characters up to the end of a text.
pub(super) fn character_end(start: u32, text: &str) -> u32 {
    start.saturating_add(u32::try_from(text.chars().count()).unwrap_or(u32::MAX))
}

fn append_paragraph(text: &mut Option<String>, next: &str) {
    if next.is_empty() {
        return;
    }
    let text = text.get_or_insert_default();
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(next);
}

#[cfg(test)]
mod tests;
