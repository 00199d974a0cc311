//! Content of messages.

use pointsman_domain::serving_error::ServingError;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::leave_out;
use crate::chat::annotations::Annotation;
use crate::form::{
    CacheHint, CacheLifetime, Document, DocumentContent, Losses, MediaSource, Part, PartContent, Reasoning,
};
use crate::json::{MemberPath, ObjectMembers};
use crate::media;

/// Removes and parses the content of a message: a text, or parts.
pub(super) fn parse(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<Vec<Part>, ServingError> {
    let Some(value) = members.take("content") else { return Ok(Vec::new()) };
    let path = path.member("content");
    if value.get().starts_with('"') {
        let text: String = path.parse(value, "a string")?;
        return Ok(vec![Part::text(text)]);
    }
    let values: Vec<&RawValue> = path.parse(value, "a string or an array of objects")?;
    let mut parts = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        parts.extend(part(value, &path.element(index), losses)?);
    }
    Ok(parts)
}

/// Parses a part; `None` if the common form has no such kind.
fn part(value: &RawValue, path: &MemberPath<'_>, losses: &mut Losses) -> Result<Option<Part>, ServingError> {
    if value.get().starts_with('"') {
        return Ok(Some(Part::text(path.parse::<String>(value, "a string")?)));
    }
    let mut members = ObjectMembers::parse(value, path)?;
    let kind: String = members.require("type", path, "a string")?;
    let cache = cache_hint(&mut members, path)?;
    let content = match kind.as_str() {
        "text" | "input_text" | "output_text" => {
            let text = members.require("text", path, "a string")?;
            PartContent::Text { text, citations: Vec::new() }
        }
        "refusal" => PartContent::Refusal(members.require("refusal", path, "a string")?),
        "image_url" | "input_image" => image(&mut members, path, losses)?,
        "input_audio" => audio(&mut members, path, losses)?,
        "audio_url" => PartContent::Audio(located(&mut members, &kind, "audio/wav", path, losses)?),
        "video_url" | "input_video" => {
            PartContent::Video(located(&mut members, &kind, "video/mp4", path, losses)?)
        }
        "file" | "input_file" => file(&mut members, path, losses)?,
        "document_url" | "file_url" => document(&mut members, &kind, path, losses)?,
        "thinking" | "reasoning" => thinking(&mut members, &kind, path)?,
        _ => {
            losses.binding(path.to_string());
            return Ok(None);
        }
    };
    leave_out(members, path, losses);
    Ok(Some(Part { cache, ..Part::new(content) }))
}

/// Removes and parses a request to cache the conversation up to here: the one of OpenRouter, which
/// is Anthropic's, or OpenAI's.
pub(super) fn cache_hint(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
) -> Result<Option<CacheHint>, ServingError> {
    let breakpoint = members.take("prompt_cache_breakpoint").map(|_| CacheHint::default());
    let Some(value) = members.take("cache_control") else { return Ok(breakpoint) };
    let path = path.member("cache_control");
    let lifetime: Option<String> = ObjectMembers::parse(value, &path)?.take_as("ttl", &path, "a string")?;
    let lifetime = match lifetime.as_deref() {
        Some("5m") => Some(CacheLifetime::FiveMinutes),
        Some("1h") => Some(CacheLifetime::OneHour),
        _ => None,
    };
    Ok(Some(CacheHint { lifetime }))
}

/// Adds the sources that a text cites, which are beside it.
pub(super) fn add_annotations(members: &mut ObjectMembers<'_>, parts: &mut [Part]) {
    let Some(value) = members.get("annotations") else { return };
    let annotations = Annotation::parse_all(value);
    let texts = parts.iter_mut().rev().filter_map(|part| match &mut part.content {
        PartContent::Text { citations, .. } => Some(citations),
        _ => None,
    });
    if annotations.is_empty() {
        members.take("annotations");
    } else if let Some(citations) = texts.last() {
        citations.extend(annotations);
        members.take("annotations");
    }
}

/// Address in a member of its own: a string, or an object with `url`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Address {
    Plain(String),
    Object { url: String },
}

impl Address {
    fn into_url(self) -> String {
        match self {
            Self::Plain(url) | Self::Object { url } => url,
        }
    }
}

/// Parses media at an address. `media_type` is that of content without one.
fn located(
    members: &mut ObjectMembers<'_>,
    member: &str,
    media_type: &str,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<MediaSource, ServingError> {
    let value = members.take(member).ok_or_else(|| path.member(member).missing())?;
    let path = path.member(member);
    if let Ok(mut object) = serde_json::from_str::<ObjectMembers<'_>>(value.get()) {
        object.take("url");
        leave_out(object, &path, losses);
    }
    let address: Address = path.parse(value, "a URL or an object with one")?;
    Ok(media::source(address.into_url(), Some(media_type)))
}

fn image(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<PartContent, ServingError> {
    let mut detail: Option<String> = members.take_as("detail", path, "a string")?;
    let value = members.take("image_url").ok_or_else(|| path.member("image_url").missing())?;
    let path = path.member("image_url");
    let url = if value.get().starts_with('"') {
        path.parse(value, "a string")?
    } else {
        let mut own = ObjectMembers::parse(value, &path)?;
        let url = own.require("url", &path, "a string")?;
        detail = own.take_as("detail", &path, "a string")?.or(detail);
        leave_out(own, &path, losses);
        url
    };
    Ok(PartContent::Image { source: media::source(url, None), detail })
}

fn audio(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<PartContent, ServingError> {
    let path = path.member("input_audio");
    let value = members.take("input_audio").ok_or_else(|| path.missing())?;
    if value.get().starts_with('"') {
        let data: String = path.parse(value, "a string")?;
        return Ok(PartContent::Audio(media::source(data, Some("audio/wav"))));
    }
    let mut own = ObjectMembers::parse(value, &path)?;
    let data: String = own.require("data", &path, "a string")?;
    let format: Option<String> = own.take_as("format", &path, "a string")?;
    leave_out(own, &path, losses);
    let media_type = media::audio_type(format.as_deref().unwrap_or("wav"));
    Ok(PartContent::Audio(media::source_or_base64(data, &media_type)))
}

fn file(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<PartContent, ServingError> {
    let path = path.member("file");
    let value = members.take("file").ok_or_else(|| path.missing())?;
    let mut own = ObjectMembers::parse(value, &path)?;
    let title: Option<String> = own.take_as("filename", &path, "a string")?;
    let data: Option<String> = own.take_as("file_data", &path, "a string")?;
    let id: Option<String> = own.take_as("file_id", &path, "a string")?;
    let url: Option<String> = own.take_as("file_url", &path, "a string")?;
    let declared: Option<String> = own.take_as("format", &path, "a string")?;
    leave_out(own, &path, losses);
    let media_type = declared.or_else(|| title.as_deref().and_then(media::type_of_name).map(str::to_owned));
    let source = match (data.or(url), id) {
        (Some(data), _) => media::source_or_base64(data, media_type.as_deref().unwrap_or("application/pdf")),
        (None, Some(id)) => MediaSource::File { id, media_type },
        (None, None) => return Err(path.member("file_data").missing()),
    };
    Ok(document_of(source, title))
}

fn document(
    members: &mut ObjectMembers<'_>,
    member: &str,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<PartContent, ServingError> {
    let title = match members.take_as("document_name", path, "a string")? {
        Some(title) => Some(title),
        None => members.take_as("file_name", path, "a string")?,
    };
    let media_type = title.as_deref().and_then(media::type_of_name).unwrap_or("application/pdf");
    let source = match located(members, member, media_type, path, losses)? {
        // Perplexity takes base64 in place of the URL.
        MediaSource::Url { url, .. } => media::source_or_base64(url, media_type),
        source => source,
    };
    Ok(document_of(source, title))
}

fn document_of(source: MediaSource, title: Option<String>) -> PartContent {
    let content = DocumentContent::Media(source);
    PartContent::Document(Document {
        content,
        title,
        context: None,
        with_citations: false,
        search_source: None,
    })
}

/// Parses Mistral's chunk of reasoning, whose text is in chunks of its own.
fn thinking(
    members: &mut ObjectMembers<'_>,
    member: &str,
    path: &MemberPath<'_>,
) -> Result<PartContent, ServingError> {
    let path = path.member(member);
    let value = members.take(member).ok_or_else(|| path.missing())?;
    members.take("closed");
    let text: ThinkingText = path.parse(value, "a string or an array of texts")?;
    Ok(PartContent::Reasoning(Reasoning { text: text.joined(), ..Reasoning::default() }))
}

/// Text of Mistral's chunk of reasoning.
#[derive(Deserialize)]
#[serde(untagged)]
pub(in crate::chat) enum ThinkingText {
    Whole(String),
    Chunks(Vec<ThinkingChunk>),
}

/// Chunk of a [`ThinkingText`]. One without a text refers to something else.
#[derive(Deserialize)]
pub(in crate::chat) struct ThinkingChunk {
    #[serde(default)]
    text: Option<String>,
}

impl ThinkingText {
    /// Returns the whole text.
    pub fn joined(self) -> String {
        match self {
            Self::Whole(text) => text,
            Self::Chunks(chunks) => chunks.into_iter().filter_map(|chunk| chunk.text).collect(),
        }
    }
}
