//! Parts of messages as the provider takes them.

use std::borrow::Cow;

use super::tool_ids::valid_id;
use crate::anthropic::blocks::render::{Block, CitationsConfig, InputObject, Source};
use crate::anthropic::cache::{CACHE_CONTROL, CacheControl};
use crate::anthropic::citations;
use crate::form::{
    Document, DocumentContent, Losses, MediaSource, Part, PartContent, Reasoning, SignatureOrigin, ToolResult,
};
use crate::json::MemberPath;

/// Returns the blocks for parts; those that cannot be expressed are losses.
pub(super) fn render_parts<'a>(
    parts: &'a [Part],
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Vec<Block<'a>> {
    let blocks = parts.iter().enumerate();
    blocks.filter_map(|(at, part)| render_part(part, &path.element(at), losses)).collect()
}

/// Returns whether a part is reasoning that the provider itself signed.
pub(super) fn is_own_reasoning(part: &Part) -> bool {
    matches!(&part.content, PartContent::Reasoning(reasoning) if own_reasoning(part, reasoning).is_some())
}

fn render_part<'a>(part: &'a Part, path: &MemberPath<'_>, losses: &mut Losses) -> Option<Block<'a>> {
    let cache_control = part.cache.map(CacheControl::from);
    if part.signature.as_ref().is_some_and(|signature| signature.origin != SignatureOrigin::Anthropic)
        && !matches!(part.content, PartContent::Reasoning(_))
    {
        losses.advisory(path.member("signature").to_string());
    }
    match &part.content {
        PartContent::Text { text, .. } | PartContent::Refusal(text) if text.is_empty() => {
            // The API rejects empty texts, and nothing is lost with them but their hint.
            if part.cache.is_some() {
                losses.advisory(path.member(CACHE_CONTROL).to_string());
            }
            None
        }
        PartContent::Text { text, citations } => {
            let own: Vec<_> = citations.iter().filter_map(citations::for_provider).collect();
            if own.len() < citations.len() {
                losses.advisory(path.member("citations").to_string());
            }
            Some(Block::Text { text: text.into(), citations: own, cache_control })
        }
        PartContent::Refusal(text) => {
            Some(Block::Text { text: text.into(), citations: Vec::new(), cache_control })
        }
        PartContent::Image { source, detail } => {
            if detail.as_ref().is_some_and(|detail| detail != "auto") {
                losses.advisory(path.member("detail").to_string());
            }
            Some(Block::Image { source: Source::of_media(source), cache_control })
        }
        PartContent::Document(document) => render_document(document, cache_control, path, losses),
        PartContent::ToolCall(call) => Some(Block::ToolUse {
            id: valid_id(&call.id),
            name: &call.name,
            input: InputObject::of(&call.input),
            cache_control,
        }),
        PartContent::ToolResult(result) => Some(render_result(result, cache_control, path, losses)),
        PartContent::Reasoning(reasoning) => own_reasoning(part, reasoning).or_else(|| {
            // The provider accepts its own reasoning alone.
            losses.advisory(path.to_string());
            None
        }),
        PartContent::Provider(provider) if provider.origin == SignatureOrigin::Anthropic => {
            Some(Block::Original(&provider.value))
        }
        PartContent::Provider(provider) => {
            losses.record(path.to_string(), provider.weight);
            None
        }
        PartContent::Audio(_) | PartContent::Video(_) => {
            losses.binding(path.to_string());
            None
        }
    }
}

fn own_reasoning<'a>(part: &'a Part, reasoning: &'a Reasoning) -> Option<Block<'a>> {
    let own = |signature: &&'a crate::form::Signature| signature.origin == SignatureOrigin::Anthropic;
    if let Some(signature) = part.signature.as_ref().filter(own) {
        return Some(Block::Thinking { thinking: &reasoning.text, signature: Cow::from(&signature.value) });
    }
    let encrypted = reasoning.encrypted.as_ref().filter(own)?;
    Some(Block::RedactedThinking { data: Cow::from(&encrypted.value) })
}

fn render_document<'a>(
    document: &'a Document,
    cache_control: Option<CacheControl>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Option<Block<'a>> {
    let citations = CitationsConfig::of(document.with_citations);
    let title = document.title.as_deref();
    let source = match (&document.content, document.search_source.as_deref()) {
        (DocumentContent::Parts(parts), Some(source)) => {
            let content = render_parts(parts, &path.member("content"), losses);
            let title = title.unwrap_or(source);
            return Some(Block::SearchResult { source, title, content, citations, cache_control });
        }
        (DocumentContent::Parts(parts), None) => {
            Source::Content { content: render_parts(parts, &path.member("content"), losses) }
        }
        (DocumentContent::Text(text), _) => Source::of_text(text),
        // An image that comes as a file.
        (DocumentContent::Media(media), _) if is_image(media) => {
            return Some(Block::Image { source: Source::of_media(media), cache_control });
        }
        (DocumentContent::Media(media), _) => {
            let source = Source::of_document(media);
            if source.is_none() {
                losses.binding(path.to_string());
            }
            source?
        }
    };
    let context = document.context.as_deref();
    Some(Block::Document { source, title, context, citations, cache_control })
}

fn is_image(media: &MediaSource) -> bool {
    match media {
        MediaSource::Base64 { media_type, .. } => media_type.starts_with("image/"),
        MediaSource::Url { media_type, .. } | MediaSource::File { media_type, .. } => {
            media_type.as_ref().is_some_and(|media_type| media_type.starts_with("image/"))
        }
    }
}

fn render_result<'a>(
    result: &'a ToolResult,
    cache_control: Option<CacheControl>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Block<'a> {
    Block::ToolResult {
        tool_use_id: valid_id(&result.call_id),
        content: render_parts(&result.content, &path.member("content"), losses),
        is_error: result.is_error,
        cache_control,
    }
}
