//! Content of messages of a call.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use super::ChatQuirks;
use crate::form::{
    CacheHint, CacheLifetime, Document, DocumentContent, Losses, MediaSource, Part, PartContent,
};
use crate::media;

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ContentBody<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<PartBody<'a>>),
}

#[derive(Serialize)]
pub(super) struct PartBody<'a> {
    #[serde(flatten)]
    kind: PartKind<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum PartKind<'a> {
    Text { text: Cow<'a, str> },
    ImageUrl { image_url: Address<'a> },
    InputAudio { input_audio: AudioData<'a> },
    AudioUrl { audio_url: Address<'a> },
    VideoUrl { video_url: Address<'a> },
    File { file: File<'a> },
}

#[derive(Serialize)]
struct Address<'a> {
    url: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

#[derive(Serialize)]
struct AudioData<'a> {
    data: &'a str,
    format: &'a str,
}

#[derive(Serialize)]
struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_data: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_id: Option<&'a str>,
}

/// Request to cache the conversation up to here.
#[derive(Clone, Copy, Serialize)]
pub(super) struct CacheControl {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

impl From<CacheHint> for CacheControl {
    fn from(hint: CacheHint) -> Self {
        let ttl = hint.lifetime.map(|lifetime| match lifetime {
            CacheLifetime::FiveMinutes => "5m",
            CacheLifetime::OneHour => "1h",
        });
        Self { kind: "ephemeral", ttl }
    }
}

impl<'a> From<PartKind<'a>> for PartBody<'a> {
    fn from(kind: PartKind<'a>) -> Self {
        Self { kind, cache_control: None }
    }
}

impl<'a> PartBody<'a> {
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        PartKind::Text { text: text.into() }.into()
    }

    const fn as_text(&self) -> Option<&Cow<'a, str>> {
        match &self.kind {
            PartKind::Text { text } => Some(text),
            _ => None,
        }
    }
}

impl<'a> ContentBody<'a> {
    /// Returns the content with these parts: a text if it is nothing else; `None` if it is empty.
    pub fn of(mut parts: Vec<PartBody<'a>>, quirks: &ChatQuirks) -> Option<Self> {
        let is_plain = parts.iter().all(|part| part.as_text().is_some() && part.cache_control.is_none());
        if !is_plain || parts.len() > 1 && quirks.text_parts {
            return Some(Self::Parts(parts));
        }
        if parts.len() > 1 {
            let texts: Vec<&str> =
                parts.iter().filter_map(|part| part.as_text().map(|text| &**text)).collect();
            return Some(Self::Text(texts.join("\n").into()));
        }
        match parts.pop()?.kind {
            PartKind::Text { text } => Some(Self::Text(text)),
            _ => None,
        }
    }
}

/// Collects the content of a message. Parts that have members of their own there are ignored.
pub(super) struct ContentWriter<'a> {
    quirks: &'a ChatQuirks,
    parts: Vec<PartBody<'a>>,
}

impl<'a> ContentWriter<'a> {
    pub const fn new(quirks: &'a ChatQuirks) -> Self {
        Self { quirks, parts: Vec::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub fn push(&mut self, part: PartBody<'a>) {
        self.parts.push(part);
    }

    pub fn into_parts(self) -> Vec<PartBody<'a>> {
        self.parts
    }

    pub fn into_body(self, quirks: &ChatQuirks) -> Option<ContentBody<'a>> {
        ContentBody::of(self.parts, quirks)
    }

    /// Removes the parts that are no texts.
    pub fn take_media(&mut self) -> Vec<PartBody<'a>> {
        let (texts, media) =
            std::mem::take(&mut self.parts).into_iter().partition(|part| part.as_text().is_some());
        self.parts = texts;
        media
    }

    /// Adds a part.
    pub fn part(&mut self, part: &'a Part, path: &str, losses: &mut Losses) {
        let before = self.parts.len();
        match &part.content {
            PartContent::Text { text, citations } => {
                if !citations.is_empty() {
                    losses.advisory(format!("{path}.citations"));
                }
                self.push(PartBody::text(&**text));
            }
            PartContent::Image { source, detail } => match address(source) {
                Some(url) => {
                    let image_url = Address { url, detail: detail.as_deref() };
                    self.push(PartKind::ImageUrl { image_url }.into());
                }
                None => losses.binding(path),
            },
            PartContent::Audio(MediaSource::Base64 { media_type, data }) => {
                let input_audio = AudioData { data, format: media::audio_format(media_type) };
                self.push(PartKind::InputAudio { input_audio }.into());
            }
            PartContent::Audio(source) => match address(source) {
                Some(url) => {
                    self.push(PartKind::AudioUrl { audio_url: Address { url, detail: None } }.into())
                }
                None => losses.binding(path),
            },
            PartContent::Video(source) => match address(source) {
                Some(url) => {
                    self.push(PartKind::VideoUrl { video_url: Address { url, detail: None } }.into())
                }
                None => losses.binding(path),
            },
            PartContent::Document(document) => self.document(document, path, losses),
            PartContent::Provider(provider) => return losses.record(path, provider.weight),
            PartContent::ToolCall(_)
            | PartContent::ToolResult(_)
            | PartContent::Reasoning(_)
            | PartContent::Refusal(_) => return,
        }
        let Some(hint) = part.cache else { return };
        let is_added = self.parts.len() > before;
        match self.parts.last_mut().filter(|_| self.quirks.cache_control && is_added) {
            Some(last) => last.cache_control = Some(hint.into()),
            _ => losses.advisory(format!("{path}.cache_control")),
        }
    }

    fn document(&mut self, document: &'a Document, path: &str, losses: &mut Losses) {
        if document.with_citations {
            losses.advisory(format!("{path}.citations"));
        }
        if document.search_source.is_some() {
            losses.advisory(format!("{path}.source"));
        }
        if let Some(context) = &document.context {
            self.push(PartBody::text(&**context));
        }
        match &document.content {
            DocumentContent::Text(text) => {
                self.title(document);
                self.push(PartBody::text(&**text));
            }
            DocumentContent::Parts(parts) => {
                self.title(document);
                for (at, part) in parts.iter().enumerate() {
                    // A document has no documents in turn.
                    match part.content {
                        PartContent::Document(_) => losses.binding(format!("{path}.content[{at}]")),
                        _ => self.part(part, &format!("{path}.content[{at}]"), losses),
                    }
                }
            }
            DocumentContent::Media(source) => self.file(source, document, path, losses),
        }
    }

    fn title(&mut self, document: &'a Document) {
        if let Some(title) = &document.title {
            self.push(PartBody::text(&**title));
        }
    }

    fn file(&mut self, source: &'a MediaSource, document: &'a Document, path: &str, losses: &mut Losses) {
        let filename = document.title.as_deref().map(Cow::Borrowed);
        match source {
            MediaSource::Base64 { media_type, data } => {
                if let Some(text) = plain_text(media_type, data) {
                    self.title(document);
                    return self.push(PartBody::text(text));
                }
                let filename = filename.or_else(|| Some(media::name_of_type(media_type).into()));
                let file_data = Some(media::data_url(media_type, data).into());
                self.push(PartKind::File { file: File { filename, file_data, file_id: None } }.into());
            }
            MediaSource::File { id, .. } => {
                let file = File { filename, file_data: None, file_id: Some(id) };
                self.push(PartKind::File { file }.into());
            }
            MediaSource::Url { url, .. } if self.quirks.document_urls => {
                let file_data = Some(url.into());
                self.push(PartKind::File { file: File { filename, file_data, file_id: None } }.into());
            }
            MediaSource::Url { .. } => losses.binding(path),
        }
    }
}

/// Returns the text of a document that is one: the API takes only other files.
fn plain_text(media_type: &str, data: &str) -> Option<String> {
    let is_text = media_type.starts_with("text/") || media_type == "application/json";
    let bytes = is_text.then(|| BASE64_STANDARD.decode(data).ok()).flatten()?;
    String::from_utf8(bytes).ok()
}

/// Returns the URL of media; `None` for a file in the store of another API.
fn address(source: &MediaSource) -> Option<Cow<'_, str>> {
    match source {
        MediaSource::Base64 { media_type, data } => Some(media::data_url(media_type, data).into()),
        MediaSource::Url { url, .. } => Some(url.into()),
        MediaSource::File { .. } => None,
    }
}
