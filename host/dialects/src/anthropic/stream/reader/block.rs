//! Beginnings of blocks.

use serde_json::value::RawValue;

use super::{object, text};
use crate::anthropic::blocks::parse;
use crate::form::{LossWeight, PartContent, ProviderPart, RawJson, SignatureOrigin};

/// Beginning of a block: `content_block` of its first event.
#[derive(Debug)]
pub(super) enum BlockStart {
    Text {
        text: String,
    },
    Reasoning {
        text: String,
        signature: String,
    },
    Redacted {
        data: String,
    },
    ToolCall {
        id: String,
        name: String,
        /// Input, unless it is empty as it should be.
        input: Option<String>,
    },
    Provider(RawJson),
}

impl BlockStart {
    /// Parses the beginning of a block.
    pub fn parse(value: &RawValue) -> Option<Self> {
        let mut members = object(value)?;
        let kind = members.take("type").and_then(text)?;
        let mut member = |name: &str| members.take(name).and_then(text).unwrap_or_default();
        Some(match &*kind {
            "text" => Self::Text { text: member("text") },
            "thinking" => Self::Reasoning { text: member("thinking"), signature: member("signature") },
            "redacted_thinking" => Self::Redacted { data: member("data") },
            "tool_use" => Self::ToolCall {
                id: member("id"),
                name: member("name"),
                input: members
                    .take("input")
                    .filter(|input| !is_empty(input))
                    .map(|input| input.get().to_owned()),
            },
            _ => Self::Provider(value.into()),
        })
    }
}

fn is_empty(input: &RawValue) -> bool {
    object(input).is_some_and(|members| members.rest().next().is_none())
}

/// Returns the part for a block that only this family can express, with the input that arrived
/// after its beginning.
pub(super) fn provider_part(block: &RawJson, input: &str) -> ProviderPart {
    let value = with_input(block, input).unwrap_or_else(|| block.clone());
    let weight = block
        .parse_as::<&RawValue>()
        .ok()
        .and_then(|value| Some((value, object(value)?.take("type").and_then(text)?)))
        .and_then(|(value, kind)| match parse::provider_part(&kind, value).content {
            PartContent::Provider(part) => Some(part.weight),
            _ => None,
        });
    ProviderPart { origin: SignatureOrigin::Anthropic, value, weight: weight.unwrap_or(LossWeight::Binding) }
}

/// Returns the block with another `input`, in the order of its members.
fn with_input(block: &RawJson, input: &str) -> Option<RawJson> {
    let input = RawJson::parse(input)?;
    let members = object(block.parse_as::<&RawValue>().ok()?)?;
    let mut text = String::from("{");
    for (name, value) in members.rest() {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&serde_json::to_string(&name).ok()?);
        text.push(':');
        text.push_str(if name == "input" { input.get() } else { value.get() });
    }
    text.push('}');
    RawJson::parse(&text)
}
