//! Parts of answers as clients take them.

use std::borrow::Cow;

use crate::anthropic::blocks::render::{Block, InputObject};
use crate::anthropic::{citations, signatures};
use crate::form::{Part, PartContent, Reasoning, Signature, SignatureOrigin};

/// Returns the blocks for the parts of an answer. Media have no place in answers of this API.
pub(in crate::anthropic) fn render_parts(parts: &[Part]) -> Vec<Block<'_>> {
    let mut blocks = Vec::with_capacity(parts.len());
    for part in parts {
        let signature = part.signature.as_ref();
        match &part.content {
            PartContent::Reasoning(reasoning) => blocks.extend(render_reasoning(reasoning, signature)),
            content => {
                blocks.extend(render_content(content));
                let foreign = signature.filter(|signature| signature.origin != SignatureOrigin::Anthropic);
                blocks.extend(foreign.map(|signature| detached_signature(signature)));
            }
        }
    }
    blocks
}

/// Returns the block that holds a signature of the block before it.
pub(in crate::anthropic) fn detached_signature(signature: &Signature) -> Block<'_> {
    Block::RedactedThinking { data: signatures::encode(signature, None) }
}

fn render_content(content: &PartContent) -> Option<Block<'_>> {
    match content {
        PartContent::Text { text, citations } => Some(Block::Text {
            text: text.into(),
            citations: citations.iter().filter_map(citations::for_client).collect(),
            cache_control: None,
        }),
        PartContent::Refusal(text) => Some(Block::text(text)),
        PartContent::ToolCall(call) => Some(Block::ToolUse {
            id: Cow::from(&call.id),
            name: &call.name,
            input: InputObject::of(&call.input),
            cache_control: None,
        }),
        PartContent::Provider(provider) if provider.origin == SignatureOrigin::Anthropic => {
            Some(Block::Original(&provider.value))
        }
        PartContent::Provider(_)
        | PartContent::Reasoning(_)
        | PartContent::ToolResult(_)
        | PartContent::Image { .. }
        | PartContent::Audio(_)
        | PartContent::Video(_)
        | PartContent::Document(_) => None,
    }
}

fn render_reasoning<'a>(reasoning: &'a Reasoning, signature: Option<&'a Signature>) -> Option<Block<'a>> {
    let id = reasoning.id.as_deref();
    let encrypted = reasoning.encrypted.as_ref().map(|encrypted| signatures::encode(encrypted, id));
    match (signature, encrypted) {
        (Some(signature), _) => Some(Block::Thinking {
            thinking: &reasoning.text,
            signature: signatures::encode(signature, None),
        }),
        (None, Some(data)) if reasoning.text.is_empty() => Some(Block::RedactedThinking { data }),
        (None, Some(signature)) => Some(Block::Thinking { thinking: &reasoning.text, signature }),
        (None, None) if reasoning.text.is_empty() => None,
        (None, None) => Some(Block::Thinking { thinking: &reasoning.text, signature: Cow::Borrowed("") }),
    }
}
