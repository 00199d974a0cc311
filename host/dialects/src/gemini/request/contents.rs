//! Messages as contents.

use serde::Serialize;

use super::super::model_family::ModelFamily;
use super::message::MessageRenderer;
use super::part::RequestPart;
use crate::form::{ConversationRequest, Losses, MessageRole};

/// Content of one author.
#[derive(Debug, Serialize)]
pub(super) struct RequestContent<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: Vec<RequestPart<'a>>,
}

/// Conversation in the API's terms.
pub(super) struct Contents<'a> {
    pub(super) system_instruction: Option<RequestContent<'a>>,
    pub(super) contents: Vec<RequestContent<'a>>,
}

impl<'a> Contents<'a> {
    /// Returns the messages of a request. Instructions of the system, which the API has in one
    /// place, are collected there; if there is nothing else, they are the message of the user.
    pub(super) fn of(request: &'a ConversationRequest, family: ModelFamily, losses: &mut Losses) -> Self {
        let mut system = Vec::new();
        let mut contents: Vec<RequestContent<'a>> = Vec::new();
        for (index, message) in request.messages.iter().enumerate() {
            if message.name.is_some() {
                losses.advisory(format!("messages[{index}].name"));
            }
            let mut renderer = MessageRenderer::new(message.role, family, losses);
            for (at, part) in message.parts.iter().enumerate() {
                renderer.push(part, &format!("messages[{index}].content[{at}]"));
            }
            let parts = renderer.finish();
            match message.role {
                MessageRole::System | MessageRole::Developer => system.extend(parts),
                MessageRole::User => push_content(&mut contents, "user", parts),
                MessageRole::Assistant => push_content(&mut contents, "model", parts),
            }
        }
        if contents.is_empty() {
            push_content(&mut contents, "user", std::mem::take(&mut system));
        }
        let system_instruction = (!system.is_empty()).then_some(RequestContent { role: None, parts: system });
        Self { system_instruction, contents }
    }
}

/// Appends a content. Results of functions that follow each other are one content, since the API
/// wants those of parallel calls together.
fn push_content<'a>(
    contents: &mut Vec<RequestContent<'a>>,
    role: &'static str,
    mut parts: Vec<RequestPart<'a>>,
) {
    match contents.last_mut() {
        _ if parts.is_empty() => {}
        Some(last)
            if last.role == Some(role)
                && last.parts.iter().all(RequestPart::is_result)
                && parts.first().is_some_and(RequestPart::is_result) =>
        {
            last.parts.append(&mut parts);
        }
        _ => contents.push(RequestContent { role: Some(role), parts }),
    }
}
