//! Parsing of the content of messages and of outputs of tools.

use pointsman_domain::serving_error::ServingError;
use serde_json::value::RawValue;

use super::rest;
use crate::form::{
    CacheHint, CacheLifetime, Document, DocumentContent, Losses, MediaSource, Part, PartContent,
};
use crate::json::{MemberPath, ObjectMembers};
use crate::media;
use crate::responses::annotation;

/// Parses content, which is a text or an array of parts.
pub(super) fn parse(
    value: &RawValue,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<Vec<Part>, ServingError> {
    if value.get().starts_with('"') {
        return Ok(vec![Part::text(path.parse::<String>(value, "a string")?)]);
    }
    let values: Vec<&RawValue> = path.parse(value, "a string or an array of parts")?;
    let mut parts = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        parts.extend(parse_part(value, &path.element(index), losses)?);
    }
    Ok(parts)
}

/// Parses a part; `None` for one of a kind that the common form does not have, which is a loss.
fn parse_part(
    value: &RawValue,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<Option<Part>, ServingError> {
    let mut members = ObjectMembers::parse(value, path)?;
    let kind: String = members.require("type", path, "a string")?;
    let content = match &*kind {
        "input_text" | "text" => {
            PartContent::Text { text: members.require("text", path, "a string")?, citations: Vec::new() }
        }
        "output_text" => {
            // Probabilities of tokens that are given already mean nothing to a model.
            members.take("logprobs");
            let annotations: Vec<&RawValue> =
                members.take_as("annotations", path, "an array")?.unwrap_or_default();
            let citations = annotations.into_iter().filter_map(|value| annotation::parse(value.get()));
            PartContent::Text {
                text: members.require("text", path, "a string")?,
                citations: citations.collect(),
            }
        }
        "refusal" => PartContent::Refusal(members.require("refusal", path, "a string")?),
        "input_image" => PartContent::Image {
            source: image_source(&mut members, path)?,
            detail: members.take_as("detail", path, "a string")?,
        },
        "input_file" => PartContent::Document(document(&mut members, path, losses)?),
        "input_audio" => PartContent::Audio(audio_source(&mut members, path)?),
        _ => {
            losses.binding(path.to_string());
            return Ok(None);
        }
    };
    let cache = cache_hint(&mut members, path, losses)?;
    losses.extend(rest(members, path));
    Ok(Some(Part { cache, ..Part::new(content) }))
}

/// Parses a mark up to which the input is to be cached.
fn cache_hint(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<Option<CacheHint>, ServingError> {
    let Some(value) = members.take("prompt_cache_breakpoint") else { return Ok(None) };
    let path = path.member("prompt_cache_breakpoint");
    let mut members = ObjectMembers::parse(value, &path)?;
    members.take("mode");
    // The lifetimes of this API are longer than those of the others, whose longest is one hour.
    let lifetime = members.take_as::<String>("ttl", &path, "a string")?.map(|_| {
        losses.advisory(path.member("ttl").to_string());
        CacheLifetime::OneHour
    });
    losses.extend(rest(members, &path));
    Ok(Some(CacheHint { lifetime }))
}

fn image_source(members: &mut ObjectMembers<'_>, path: &MemberPath<'_>) -> Result<MediaSource, ServingError> {
    if let Some(url) = members.take_as::<String>("image_url", path, "a string")? {
        return Ok(media::source(url, None));
    }
    let id = members.take_as("file_id", path, "a string")?;
    id.map(|id| MediaSource::File { id, media_type: None }).ok_or_else(|| path.member("image_url").missing())
}

fn audio_source(members: &mut ObjectMembers<'_>, path: &MemberPath<'_>) -> Result<MediaSource, ServingError> {
    let value: &RawValue = members.require("input_audio", path, "an object")?;
    let path = path.member("input_audio");
    let mut audio = ObjectMembers::parse(value, &path)?;
    let format: String = audio.require("format", &path, "a string")?;
    let media_type = media::audio_type(&format);
    Ok(MediaSource::Base64 { media_type, data: audio.require("data", &path, "a string")? })
}

fn document(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<Document, ServingError> {
    let title: Option<String> = members.take_as("filename", path, "a string")?;
    let media_type = title.as_deref().and_then(media::type_of_name);
    let source = if let Some(data) = members.take_as::<String>("file_data", path, "a string")? {
        media::source_or_base64(data, media_type.unwrap_or("application/pdf"))
    } else if let Some(url) = members.take_as::<String>("file_url", path, "a string")? {
        media::source(url, media_type)
    } else if let Some(id) = members.take_as("file_id", path, "a string")? {
        MediaSource::File { id, media_type: media_type.map(str::to_owned) }
    } else {
        return Err(path.member("file_data").missing());
    };
    if members.take_as::<String>("detail", path, "a string")?.is_some_and(|detail| detail != "auto") {
        losses.advisory(path.member("detail").to_string());
    }
    let content = DocumentContent::Media(source);
    Ok(Document { content, title, context: None, with_citations: false, search_source: None })
}
