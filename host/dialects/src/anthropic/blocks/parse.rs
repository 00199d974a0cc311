//! Parsing of content blocks.

use pointsman_domain::serving_error::ServingError;
use serde_json::value::RawValue;

use super::source;
use crate::anthropic::cache::take_cache_hint;
use crate::anthropic::{citations, record_rest, signatures};
use crate::form::{
    Citation, Document, DocumentContent, LossWeight, Losses, Part, PartContent, ProviderPart,
    SignatureOrigin, ToolCall, ToolInput, ToolResult,
};
use crate::json::{MemberPath, ObjectMembers};

/// Place of blocks, which determines the ones that may be there. Blocks nest no deeper than a
/// document in the result of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::anthropic) enum BlockPlace {
    /// Message of the request, or the answer.
    Message,
    /// Result of a tool.
    ToolResult,
    /// Document or search result.
    Document,
}

/// Parses content, which is a text or an array of blocks.
pub(in crate::anthropic) fn parse_content(
    value: &RawValue,
    path: &MemberPath<'_>,
    place: BlockPlace,
    losses: &mut Losses,
) -> Result<Vec<Part>, ServingError> {
    if value.get().starts_with('"') {
        let text: String = path.parse(value, "a string or an array of content blocks")?;
        return Ok(vec![Part::text(text)]);
    }
    let blocks: Vec<&RawValue> = path.parse(value, "a string or an array of content blocks")?;
    let mut parts = Vec::with_capacity(blocks.len());
    for (at, block) in blocks.into_iter().enumerate() {
        parts.push(parse_block(block, &path.element(at), place, losses)?);
    }
    if place == BlockPlace::Message {
        signatures::restore(&mut parts);
    }
    Ok(parts)
}

/// Parses a block.
fn parse_block(
    value: &RawValue,
    path: &MemberPath<'_>,
    place: BlockPlace,
    losses: &mut Losses,
) -> Result<Part, ServingError> {
    let mut members = ObjectMembers::parse(value, path)?;
    let kind: String = members.require("type", path, "a string")?;
    let part = match (&*kind, place) {
        ("text", _) => text(&mut members, path)?,
        ("image", _) => {
            let image: &RawValue = members.require("source", path, "an object")?;
            let source = source::parse_media(image, &path.member("source"), losses)?;
            Part::new(PartContent::Image { source, detail: None })
        }
        ("document", BlockPlace::Message | BlockPlace::ToolResult) => document(&mut members, path, losses)?,
        ("search_result", BlockPlace::Message | BlockPlace::ToolResult) => {
            search_result(&mut members, path, losses)?
        }
        ("thinking", BlockPlace::Message) => signatures::thinking(
            members.require("thinking", path, "a string")?,
            members.take_as("signature", path, "a string")?,
        ),
        ("redacted_thinking", BlockPlace::Message) => {
            signatures::redacted_thinking(members.require("data", path, "a string")?)
        }
        ("tool_use", BlockPlace::Message) => tool_use(&mut members, path)?,
        ("tool_result", BlockPlace::Message) => tool_result(&mut members, path, losses)?,
        ("tool_use" | "tool_result" | "document" | "search_result", _) => {
            return Err(path.member("type").invalid_value("a block that may be here, such as 'text'"));
        }
        (kind, _) => return Ok(provider_part(kind, value)),
    };
    let cache = take_cache_hint(&mut members, path, losses)?;
    record_rest(members, path, losses);
    Ok(Part { cache, ..part })
}

fn text(members: &mut ObjectMembers<'_>, path: &MemberPath<'_>) -> Result<Part, ServingError> {
    let text = members.require("text", path, "a string")?;
    let raw: Vec<&RawValue> = members.take_as("citations", path, "an array")?.unwrap_or_default();
    let path = path.member("citations");
    let citations: Result<Vec<Citation>, _> = raw
        .into_iter()
        .enumerate()
        .map(|(at, citation)| citations::parse(citation, &path.element(at)))
        .collect();
    Ok(Part::new(PartContent::Text { text, citations: citations? }))
}

fn document(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<Part, ServingError> {
    let source: &RawValue = members.require("source", path, "an object")?;
    Ok(Part::new(PartContent::Document(Document {
        content: source::parse_document(source, &path.member("source"), losses)?,
        title: members.take_as("title", path, "a string")?,
        context: members.take_as("context", path, "a string")?,
        with_citations: takes_citations(members, path, losses)?,
        search_source: None,
    })))
}

fn search_result(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<Part, ServingError> {
    let content: &RawValue = members.require("content", path, "an array")?;
    let content = parse_content(content, &path.member("content"), BlockPlace::Document, losses)?;
    Ok(Part::new(PartContent::Document(Document {
        content: DocumentContent::Parts(content),
        title: members.take_as("title", path, "a string")?,
        context: None,
        with_citations: takes_citations(members, path, losses)?,
        search_source: Some(members.require("source", path, "a string")?),
    })))
}

/// Removes the configuration of citations, and returns whether the answer is to cite the document.
fn takes_citations(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<bool, ServingError> {
    let Some(config) = members.take("citations") else { return Ok(false) };
    let path = path.member("citations");
    let mut config = ObjectMembers::parse(config, &path)?;
    let is_enabled = config.take_as("enabled", &path, "a boolean")?.unwrap_or(false);
    record_rest(config, &path, losses);
    Ok(is_enabled)
}

fn tool_use(members: &mut ObjectMembers<'_>, path: &MemberPath<'_>) -> Result<Part, ServingError> {
    // A call by the model itself, rather than by code that it runs, is the default.
    let is_direct = |caller: &RawValue| {
        ObjectMembers::parse_answer(caller.get().as_bytes())
            .and_then(|caller| caller.get("type"))
            .is_some_and(|kind| kind.get() == r#""direct""#)
    };
    if members.get("caller").is_some_and(is_direct) {
        members.take("caller");
    }
    let input: Option<&RawValue> = members.take("input");
    Ok(Part::new(PartContent::ToolCall(ToolCall {
        id: members.require("id", path, "a string")?,
        name: members.require("name", path, "a string")?,
        input: ToolInput::Json(input.map_or("{}", RawValue::get).to_owned()),
    })))
}

fn tool_result(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<Part, ServingError> {
    let content = members.take("content");
    let content = content
        .map(|content| parse_content(content, &path.member("content"), BlockPlace::ToolResult, losses));
    Ok(Part::new(PartContent::ToolResult(ToolResult {
        call_id: members.require("tool_use_id", path, "a string")?,
        tool_name: None,
        content: content.transpose()?.unwrap_or_default(),
        is_error: members.take_as("is_error", path, "a boolean")?.unwrap_or(false),
    })))
}

/// Returns the part for a block that only this family can express. Calls of tools that the provider
/// ran and their results may be left out, since the text that follows was written with them.
pub(in crate::anthropic) fn provider_part(kind: &str, value: &RawValue) -> Part {
    let is_past = matches!(kind, "server_tool_use" | "mcp_tool_use") || kind.ends_with("_tool_result");
    Part::new(PartContent::Provider(ProviderPart {
        origin: SignatureOrigin::Anthropic,
        value: value.into(),
        weight: if is_past { LossWeight::Advisory } else { LossWeight::Binding },
    }))
}
