//! Sources of images and documents.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pointsman_domain::serving_error::ServingError;
use serde::Serialize;
use serde_json::value::RawValue;

use super::parse::{BlockPlace, parse_content};
use super::render::Block;
use crate::anthropic::record_rest;
use crate::form::{DocumentContent, Losses, MediaSource};
use crate::json::{MemberPath, ObjectMembers};

/// `source` of an image or a document.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::anthropic) enum Source<'a> {
    Base64 { media_type: &'a str, data: &'a str },
    Url { url: &'a str },
    File { file_id: &'a str },
    Text { media_type: &'static str, data: String },
    Content { content: Vec<Block<'a>> },
}

/// Media type of a document that is text.
const PLAIN_TEXT: &str = "text/plain";

impl<'a> Source<'a> {
    /// Returns the source for media in an image, or in a document of the type that the API takes.
    pub fn of_media(media: &'a MediaSource) -> Self {
        match media {
            MediaSource::Base64 { media_type, data } => Self::Base64 { media_type, data },
            MediaSource::Url { url, .. } => Self::Url { url },
            MediaSource::File { id, .. } => Self::File { file_id: id },
        }
    }

    /// Returns the source for a document that is a file; `None` for a file of a type that the API
    /// does not take. A file of text is sent as text.
    pub fn of_document(media: &'a MediaSource) -> Option<Self> {
        let MediaSource::Base64 { media_type, data } = media else { return Some(Self::of_media(media)) };
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if essence.starts_with("text/") || essence == "application/json" {
            let text = String::from_utf8(STANDARD.decode(data).ok()?).ok()?;
            return Some(Self::of_text(&text));
        }
        (essence == "application/pdf").then_some(Self::Base64 { media_type, data })
    }

    /// Returns the source for a text.
    pub fn of_text(text: &str) -> Self {
        Self::Text { media_type: PLAIN_TEXT, data: text.to_owned() }
    }
}

/// Parses the source of an image.
pub(super) fn parse_media(
    value: &RawValue,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<MediaSource, ServingError> {
    let mut members = ObjectMembers::parse(value, path)?;
    let kind: String = members.require("type", path, "a string")?;
    let source = take_media(&kind, &mut members, path)?
        .ok_or_else(|| path.member("type").invalid_value("'base64', 'url' or 'file'"))?;
    record_rest(members, path, losses);
    Ok(source)
}

/// Parses the source of a document.
pub(super) fn parse_document(
    value: &RawValue,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<DocumentContent, ServingError> {
    let mut members = ObjectMembers::parse(value, path)?;
    let kind: String = members.require("type", path, "a string")?;
    let content = match &*kind {
        "text" => {
            members.take("media_type");
            DocumentContent::Text(members.require("data", path, "a string")?)
        }
        "content" => {
            let content: &RawValue = members.require("content", path, "a string or an array")?;
            let path = path.member("content");
            DocumentContent::Parts(parse_content(content, &path, BlockPlace::Document, losses)?)
        }
        kind => DocumentContent::Media(take_media(kind, &mut members, path)?.ok_or_else(|| {
            path.member("type").invalid_value("'base64', 'text', 'content', 'url' or 'file'")
        })?),
    };
    record_rest(members, path, losses);
    Ok(content)
}

fn take_media(
    kind: &str,
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
) -> Result<Option<MediaSource>, ServingError> {
    Ok(Some(match kind {
        "base64" => MediaSource::Base64 {
            media_type: members.require("media_type", path, "a string")?,
            data: members.require("data", path, "a string")?,
        },
        "url" => of_url(members.require("url", path, "a string")?),
        "file" => MediaSource::File { id: members.require("file_id", path, "a string")?, media_type: None },
        _ => return Ok(None),
    }))
}

/// Returns the media at a URL, which may be a `data:` URL.
fn of_url(url: String) -> MediaSource {
    let embedded = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    match embedded {
        Some((media_type, data)) => {
            MediaSource::Base64 { media_type: media_type.to_owned(), data: data.to_owned() }
        }
        None => MediaSource::Url { url, media_type: None },
    }
}
