//! Messages of a request.

use std::collections::HashMap;

use pointsman_domain::serving_error::ServingError;
use serde_json::value::RawValue;

use super::content::{self, cache_hint};
use super::leave_out;
use super::tools::tool_call;
use crate::chat::reasoning_details::{ExtraContent, ReasoningDetail, reasoning_parts, sign_calls};
use crate::form::{
    Losses, Message, MessageRole, Part, PartContent, Reasoning, Signature, ToolCall, ToolInput, ToolResult,
};
use crate::json::{MemberPath, ObjectMembers};

/// Removes and parses the messages. Each becomes one message of the common form.
pub(super) fn parse(
    members: &mut ObjectMembers<'_>,
    losses: &mut Losses,
) -> Result<Vec<Message>, ServingError> {
    let values: Vec<&RawValue> = members.require("messages", &MemberPath::Root, "an array of objects")?;
    let mut messages: Vec<Message> = Vec::with_capacity(values.len());
    let mut calls = LastCalls::default();
    for (index, value) in values.into_iter().enumerate() {
        let all = MemberPath::Root.member("messages");
        let message = message(value, &all.element(index), &calls, losses)?;
        calls.record(&message);
        messages.push(message);
    }
    Ok(messages)
}

/// Ids of the last calls by the names of their tools.
#[derive(Default)]
struct LastCalls(HashMap<String, String>);

impl LastCalls {
    fn record(&mut self, message: &Message) {
        for part in &message.parts {
            if let PartContent::ToolCall(call) = &part.content {
                self.0.insert(call.name.clone(), call.id.clone());
            }
        }
    }
}

fn message(
    value: &RawValue,
    path: &MemberPath<'_>,
    calls: &LastCalls,
    losses: &mut Losses,
) -> Result<Message, ServingError> {
    let mut members = ObjectMembers::parse(value, path)?;
    let role: String = members.require("role", path, "a string")?;
    let (role, mut parts) = match role.as_str() {
        "system" => (MessageRole::System, content::parse(&mut members, path, losses)?),
        "developer" => (MessageRole::Developer, content::parse(&mut members, path, losses)?),
        "user" => (MessageRole::User, content::parse(&mut members, path, losses)?),
        "assistant" => (MessageRole::Assistant, assistant_parts(&mut members, path, losses)?),
        "tool" => (MessageRole::User, vec![tool_result(&mut members, path, losses)?]),
        "function" => (MessageRole::User, vec![function_result(&mut members, path, calls, losses)?]),
        _ => {
            let expected = "one of system, developer, user, assistant and tool";
            return Err(path.member("role").invalid_value(expected));
        }
    };
    if let Some(hint) = cache_hint(&mut members, path)?
        && let Some(last) = parts.last_mut()
    {
        last.cache = Some(hint);
    }
    let name = members.take_as("name", path, "a string")?;
    leave_out(members, path, losses);
    Ok(Message { role, parts, name })
}

/// Parses the parts of a model's message: reasoning, content, refusal and calls of tools.
fn assistant_parts(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<Vec<Part>, ServingError> {
    let mut calls = tool_calls(members, path, losses)?;
    let mut parts = reasoning(members, path, &mut calls, losses)?;
    let reasoning_count = parts.len();
    parts.extend(content::parse(members, path, losses)?);
    content::add_annotations(members, &mut parts);
    if let Some(refusal) = members.take_as::<String>("refusal", path, "a string")?
        && !refusal.is_empty()
    {
        parts.push(Part::new(PartContent::Refusal(refusal)));
    }
    // Mistral and DeepSeek continue a message with a prefix: it is the last one in any case.
    if members.get("prefix").is_some_and(|value| value.get() == "false") {
        members.take("prefix");
    }
    if members.take("audio").is_some() {
        losses.binding(path.member("audio").to_string());
    }
    if let Some(signature) = extra_signature(members) {
        // Google signs a text that calls nothing on the message.
        match parts.get_mut(reasoning_count..).and_then(<[Part]>::first_mut) {
            Some(part) => part.signature = Some(signature),
            None => losses.advisory(path.member("extra_content").to_string()),
        }
    }
    parts.extend(calls);
    Ok(parts)
}

fn tool_calls(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<Vec<Part>, ServingError> {
    let values: Vec<&RawValue> =
        members.take_as("tool_calls", path, "an array of objects")?.unwrap_or_default();
    let all = path.member("tool_calls");
    let calls = values.into_iter().enumerate();
    let mut calls = calls
        .map(|(index, value)| tool_call(value, &all.element(index), losses))
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(value) = members.take("function_call") {
        let path = path.member("function_call");
        let mut call = ObjectMembers::parse(value, &path)?;
        let name: String = call.require("name", &path, "a string")?;
        let arguments: String = call.take_as("arguments", &path, "a string")?.unwrap_or_default();
        leave_out(call, &path, losses);
        let id = legacy_call_id(&name);
        calls.push(Part::new(PartContent::ToolCall(ToolCall {
            id,
            name,
            input: ToolInput::Json(arguments),
        })));
    }
    Ok(calls)
}

/// Returns the id for a call in the form that preceded `tool_calls`, which has none.
fn legacy_call_id(name: &str) -> String {
    format!("call_{name}")
}

/// Parses the reasoning that clients send back, in the members of various providers.
fn reasoning(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    calls: &mut [Part],
    losses: &mut Losses,
) -> Result<Vec<Part>, ServingError> {
    let expected = "a string";
    let content: Option<String> = members.take_as("reasoning_content", path, expected)?;
    let reasoning: Option<String> = members.take_as("reasoning", path, expected)?;
    let text = content.filter(|text| !text.is_empty()).or(reasoning).filter(|text| !text.is_empty());
    let details: Vec<ReasoningDetail> =
        members.take_as("reasoning_details", path, "an array of objects")?.unwrap_or_default();
    for (index, _) in details.iter().enumerate().filter(|(_, detail)| detail.is_foreign()) {
        losses.advisory(path.member("reasoning_details").element(index).to_string());
    }
    let mut parts = reasoning_parts(&details, calls);
    sign_calls(&details, calls);
    let has_text = |part: &Part| matches!(&part.content, PartContent::Reasoning(own) if !own.text.is_empty());
    if let Some(text) = text
        && !parts.iter().any(has_text)
    {
        parts.insert(0, Part::new(PartContent::Reasoning(Reasoning { text, ..Reasoning::default() })));
    }
    Ok(parts)
}

/// Removes Google's members, and returns the signature in them.
pub(super) fn extra_signature(members: &mut ObjectMembers<'_>) -> Option<Signature> {
    let content = members.get("extra_content")?;
    let signature = serde_json::from_str::<ExtraContent>(content.get()).ok()?.signature()?;
    members.take("extra_content");
    Some(signature)
}

fn tool_result(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<Part, ServingError> {
    let result = ToolResult {
        call_id: members.require("tool_call_id", path, "a string")?,
        // Some clients name the tool as well.
        tool_name: members.take_as("name", path, "a string")?,
        content: content::parse(members, path, losses)?,
        is_error: false,
    };
    Ok(Part::new(PartContent::ToolResult(result)))
}

/// Parses a result in the form that preceded `tool`: it names the function, and answers its last
/// call.
fn function_result(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    calls: &LastCalls,
    losses: &mut Losses,
) -> Result<Part, ServingError> {
    let name: String = members.require("name", path, "a string")?;
    let call_id = calls.0.get(&name).cloned().unwrap_or_else(|| legacy_call_id(&name));
    let result = ToolResult {
        call_id,
        tool_name: Some(name),
        content: content::parse(members, path, losses)?,
        is_error: false,
    };
    Ok(Part::new(PartContent::ToolResult(result)))
}
