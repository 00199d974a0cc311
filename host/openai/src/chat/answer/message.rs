//! Message of an answer.

use serde_json::value::RawValue;

use super::content::{AnswerChunk, content_chunks, images};
use crate::chat::annotations::Annotation;
use crate::chat::reasoning_details::{ExtraContent, ReasoningDetail, reasoning_parts, sign_calls};
use crate::chat::request::text_or_json;
use crate::form::{Part, PartContent, Reasoning, Signature, ToolCall, ToolInput};
use crate::json::ObjectMembers;

/// Parses the message of an answer with this id into parts: reasoning, content, refusal, calls.
pub(super) fn parse(mut members: ObjectMembers<'_>, answer_id: &str) -> Vec<Part> {
    let mut calls = tool_calls(&mut members, answer_id);
    let details = reasoning_details(&mut members);
    let mut parts = reasoning_parts(&details, &calls);
    sign_calls(&details, &mut calls);
    let text = reasoning_text(&mut members);
    let has_text = |part: &Part| matches!(&part.content, PartContent::Reasoning(own) if !own.text.is_empty());
    if let Some(text) = text.filter(|_| !parts.iter().any(has_text)) {
        parts.insert(0, reasoning_part(text));
    }
    let reasoning_count = parts.len();
    content(&mut members, &mut parts);
    if let Some(refusal) = string(&mut members, "refusal") {
        parts.push(Part::new(PartContent::Refusal(refusal)));
    }
    parts.extend(images(&mut members).into_iter().map(Part::new));
    if let Some(signature) = extra_signature(&mut members) {
        let of_text = parts.get_mut(reasoning_count..).and_then(<[Part]>::first_mut);
        if let Some(part) = of_text.or_else(|| calls.first_mut()) {
            part.signature = part.signature.take().or(Some(signature));
        }
    }
    parts.extend(calls);
    parts
}

fn content(members: &mut ObjectMembers<'_>, parts: &mut Vec<Part>) {
    let before = parts.len();
    for chunk in members.take("content").map(content_chunks).unwrap_or_default() {
        match chunk {
            AnswerChunk::Text(text) if text.is_empty() => {}
            // Adjacent texts are one: providers split them anywhere.
            AnswerChunk::Text(text) => match parts.get_mut(before..).and_then(<[Part]>::last_mut) {
                Some(Part { content: PartContent::Text { text: last, .. }, .. }) => last.push_str(&text),
                _ => parts.push(Part::text(text)),
            },
            AnswerChunk::Reasoning(text) => parts.push(reasoning_part(text)),
            AnswerChunk::Refusal(text) => parts.push(Part::new(PartContent::Refusal(text))),
            AnswerChunk::Media(content) => parts.push(Part::new(content)),
        }
    }
    if parts.len() == before
        && let Some(transcript) = transcript(members)
    {
        parts.push(Part::text(transcript));
    }
    let annotations = members.take("annotations").map(Annotation::parse_all).unwrap_or_default();
    let texts = parts.iter_mut().filter_map(|part| match &mut part.content {
        PartContent::Text { citations, .. } => Some(citations),
        _ => None,
    });
    if let Some(citations) = texts.last() {
        citations.extend(annotations);
    }
}

fn reasoning_part(text: String) -> Part {
    Part::new(PartContent::Reasoning(Reasoning { text, ..Reasoning::default() }))
}

/// Removes the spoken answer, and returns its text.
pub(in crate::chat) fn transcript(members: &mut ObjectMembers<'_>) -> Option<String> {
    let audio = members.take("audio")?;
    string(&mut serde_json::from_str(audio.get()).ok()?, "transcript")
}

/// Removes a member, and returns it if it is a text that is not empty.
pub(in crate::chat) fn string(members: &mut ObjectMembers<'_>, name: &str) -> Option<String> {
    let value = members.take(name)?;
    serde_json::from_str::<String>(value.get()).ok().filter(|text| !text.is_empty())
}

/// Removes the text of the reasoning, and returns it. Some providers write it into both members.
pub(in crate::chat) fn reasoning_text(members: &mut ObjectMembers<'_>) -> Option<String> {
    let reasoning = string(members, "reasoning");
    string(members, "reasoning_content").or(reasoning)
}

/// Removes the details of the reasoning. Those of another shape are ignored.
pub(in crate::chat) fn reasoning_details(members: &mut ObjectMembers<'_>) -> Vec<ReasoningDetail> {
    let details = members.take("reasoning_details");
    details.and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
}

/// Removes Google's members, and returns the signature in them.
pub(in crate::chat) fn extra_signature(members: &mut ObjectMembers<'_>) -> Option<Signature> {
    let content = members.take("extra_content")?;
    serde_json::from_str::<ExtraContent>(content.get()).ok()?.signature()
}

/// Call of a tool, or a piece of one. Each member may be absent.
#[derive(Debug, Default)]
pub(in crate::chat) struct CallDelta {
    pub index: Option<u64>,
    pub id: Option<String>,
    pub name: Option<String>,
    /// Arguments or text.
    pub input: Option<String>,
    /// True if the input is text.
    pub takes_text: bool,
    pub signature: Option<Signature>,
}

impl CallDelta {
    /// Removes the calls of a message or a delta.
    pub fn take_all(members: &mut ObjectMembers<'_>) -> Vec<Self> {
        let calls = members.take("tool_calls").and_then(|value| serde_json::from_str(value.get()).ok());
        let calls: Vec<&RawValue> = calls.unwrap_or_default();
        let mut calls: Vec<Self> = calls.into_iter().filter_map(Self::parse).collect();
        let legacy = members.take("function_call").and_then(|value| serde_json::from_str(value.get()).ok());
        if let Some(legacy) = legacy {
            calls.push(Self::default().with_input(legacy, "arguments"));
        }
        calls
    }

    fn parse(value: &RawValue) -> Option<Self> {
        let mut members: ObjectMembers<'_> = serde_json::from_str(value.get()).ok()?;
        let index = members.take("index").and_then(|index| serde_json::from_str(index.get()).ok());
        let id = string(&mut members, "id");
        let signature = extra_signature(&mut members);
        let call = Self { index, id, signature, ..Self::default() };
        let is_custom = string(&mut members, "type").as_deref() == Some("custom");
        let function = members.take("function").filter(|_| !is_custom);
        let (value, input) = match (function, members.take("custom")) {
            (Some(function), _) => (Some(function), "arguments"),
            (None, custom) => (custom, "input"),
        };
        let inner = value.and_then(|value| serde_json::from_str(value.get()).ok());
        Some(match inner {
            Some(inner) => Self { takes_text: input == "input", ..call.with_input(inner, input) },
            None => call,
        })
    }

    fn with_input(self, mut members: ObjectMembers<'_>, input: &str) -> Self {
        let name = string(&mut members, "name");
        Self { name, input: members.take(input).map(text_or_json), ..self }
    }
}

fn tool_calls(members: &mut ObjectMembers<'_>, answer_id: &str) -> Vec<Part> {
    let calls = CallDelta::take_all(members).into_iter().enumerate();
    let part = |(position, call): (usize, CallDelta)| {
        let input = call.input.unwrap_or_default();
        let input = if call.takes_text { ToolInput::Text(input) } else { ToolInput::Json(input) };
        let id = call.id.unwrap_or_else(|| call_id(answer_id, position));
        let content = PartContent::ToolCall(ToolCall { id, name: call.name.unwrap_or_default(), input });
        Part { signature: call.signature, ..Part::new(content) }
    };
    calls.map(part).collect()
}

/// Returns an id for a call that has none, from the id of its answer and its position there. It is
/// short enough for all providers.
pub(in crate::chat) fn call_id(answer_id: &str, position: usize) -> String {
    let own: String = answer_id.chars().filter(char::is_ascii_alphanumeric).collect();
    let end = own.get(own.len().saturating_sub(20)..).unwrap_or_default();
    format!("call_{end}_{position}")
}
