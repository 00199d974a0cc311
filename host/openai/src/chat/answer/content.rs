//! Content of an answer or of a delta.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::message::string;
use crate::chat::request::ThinkingText;
use crate::form::{MediaSource, PartContent};
use crate::json::ObjectMembers;
use crate::media;

/// Piece of content: of an array, or the only one.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::chat) enum AnswerChunk {
    Text(String),
    /// Mistral's reasoning.
    Reasoning(String),
    Refusal(String),
    /// Image.
    Media(PartContent),
}

/// Returns the pieces of a `content`: a text, or an array. Unknown pieces are left out.
pub(in crate::chat) fn content_chunks(value: &RawValue) -> Vec<AnswerChunk> {
    if let Ok(text) = serde_json::from_str::<String>(value.get()) {
        return vec![AnswerChunk::Text(text)];
    }
    let values: Vec<&RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
    values.into_iter().filter_map(chunk).collect()
}

fn chunk(value: &RawValue) -> Option<AnswerChunk> {
    if let Ok(text) = serde_json::from_str::<String>(value.get()) {
        return Some(AnswerChunk::Text(text));
    }
    let mut members: ObjectMembers<'_> = serde_json::from_str(value.get()).ok()?;
    match &*string(&mut members, "type")? {
        "text" | "output_text" => string(&mut members, "text").map(AnswerChunk::Text),
        "refusal" => string(&mut members, "refusal").map(AnswerChunk::Refusal),
        "thinking" => {
            let text: ThinkingText = serde_json::from_str(members.take("thinking")?.get()).ok()?;
            Some(AnswerChunk::Reasoning(text.joined()))
        }
        "image_url" => image(value).map(AnswerChunk::Media),
        _ => None,
    }
}

/// Returns the images of a message or a delta, in the member that OpenRouter has added.
pub(in crate::chat) fn images(members: &mut ObjectMembers<'_>) -> Vec<PartContent> {
    let values = members.take("images").and_then(|value| serde_json::from_str(value.get()).ok());
    let values: Vec<&RawValue> = values.unwrap_or_default();
    values.into_iter().filter_map(image).collect()
}

fn image(value: &RawValue) -> Option<PartContent> {
    #[derive(Deserialize)]
    struct Image {
        image_url: Address,
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Address {
        Plain(String),
        Object { url: String },
    }

    let Image { image_url: Address::Plain(url) | Address::Object { url } } =
        serde_json::from_str(value.get()).ok()?;
    let source: MediaSource = media::source(url, None);
    Some(PartContent::Image { source, detail: None })
}
