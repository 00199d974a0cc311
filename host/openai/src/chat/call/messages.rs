//! Messages of a call.

use serde::Serialize;

use super::ChatQuirks;
use super::content::{ContentBody, ContentWriter, PartBody};
use crate::chat::quirks::ReasoningReplay;
use crate::chat::reasoning_details::{ExtraContent, ReasoningDetail, details_of};
use crate::chat::tool_calls::ToolCallBody;
use crate::form::{
    ConversationRequest, Losses, Message, MessageRole, Part, PartContent, Reasoning, ToolResult,
};

#[derive(Default, Serialize)]
pub(super) struct MessageBody<'a> {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
    content: Option<ContentBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasoning_details: Vec<ReasoningDetail>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCallBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_content: Option<ExtraContent>,
}

/// Renders all messages.
pub(super) fn render<'a>(
    request: &'a ConversationRequest,
    quirks: &'a ChatQuirks,
    losses: &mut Losses,
) -> Vec<MessageBody<'a>> {
    let mut writer = MessageWriter { quirks, losses, messages: Vec::new(), media: Vec::new() };
    for (index, message) in request.messages.iter().enumerate() {
        writer.message(message, index);
    }
    writer.media_of_results(Vec::new(), None);
    writer.messages
}

struct MessageWriter<'a, 'l> {
    quirks: &'a ChatQuirks,
    losses: &'l mut Losses,
    messages: Vec<MessageBody<'a>>,
    /// Media in the last results of tools, which have to be texts. They follow the results in a
    /// message of the user.
    media: Vec<PartBody<'a>>,
}

impl<'a> MessageWriter<'a, '_> {
    fn message(&mut self, message: &'a Message, index: usize) {
        let name = message.name.as_deref();
        match message.role {
            MessageRole::User => self.user_message(message, index),
            MessageRole::Assistant => {
                self.media_of_results(Vec::new(), None);
                self.assistant_message(message, index);
            }
            MessageRole::System | MessageRole::Developer => {
                self.media_of_results(Vec::new(), None);
                let is_developer = message.role == MessageRole::Developer && self.quirks.developer_role;
                let content = self.content(&message.parts, index).into_body(self.quirks);
                let role = if is_developer { "developer" } else { "system" };
                self.messages.push(MessageBody { role, content, name, ..MessageBody::default() });
            }
        }
    }

    /// Renders results of tools first: they have to follow their calls.
    fn user_message(&mut self, message: &'a Message, index: usize) {
        let mut has_results = false;
        for (at, part) in message.parts.iter().enumerate() {
            if let PartContent::ToolResult(result) = &part.content {
                has_results = true;
                self.tool_result(part, result, &format!("messages[{index}].content[{at}]"));
            }
        }
        let writer = self.content(&message.parts, index);
        if !writer.is_empty() {
            self.media_of_results(writer.into_parts(), message.name.as_deref());
        } else if !has_results {
            self.media_of_results(Vec::new(), None);
            let content = Some(ContentBody::Text("".into()));
            let name = message.name.as_deref();
            self.messages.push(MessageBody { role: "user", content, name, ..MessageBody::default() });
        }
    }

    fn tool_result(&mut self, part: &'a Part, result: &'a ToolResult, path: &str) {
        if result.is_error {
            self.losses.advisory(format!("{path}.is_error"));
        }
        if part.cache.is_some() && !self.quirks.cache_control {
            self.losses.advisory(format!("{path}.cache_control"));
        }
        let mut writer = ContentWriter::new(self.quirks);
        for (at, part) in result.content.iter().enumerate() {
            writer.part(part, &format!("{path}.content[{at}]"), self.losses);
        }
        let media = writer.take_media();
        if !media.is_empty() {
            self.media
                .push(PartBody::text(format!("Content of the result of tool call {}:", result.call_id)));
            self.media.extend(media);
            if writer.is_empty() {
                writer.push(PartBody::text("The content is in the next message of the user.".to_owned()));
            }
        }
        let content = writer.into_body(self.quirks).or_else(|| Some(ContentBody::Text("".into())));
        let tool_call_id = Some(&*result.call_id);
        self.messages.push(MessageBody { role: "tool", tool_call_id, content, ..MessageBody::default() });
    }

    /// Renders the media that results of tools could not have, and parts of the user.
    fn media_of_results(&mut self, parts: Vec<PartBody<'a>>, name: Option<&'a str>) {
        let mut all = std::mem::take(&mut self.media);
        all.extend(parts);
        if let Some(content) = ContentBody::of(all, self.quirks) {
            let content = Some(content);
            self.messages.push(MessageBody { role: "user", content, name, ..MessageBody::default() });
        }
    }

    fn assistant_message(&mut self, message: &'a Message, index: usize) {
        let mut body = MessageBody { role: "assistant", ..MessageBody::default() };
        body.name = message.name.as_deref();
        let mut reasoning_count = 0;
        for (at, part) in message.parts.iter().enumerate() {
            let path = || format!("messages[{index}].content[{at}]");
            match &part.content {
                PartContent::Refusal(refusal) => body.refusal.get_or_insert_default().push_str(refusal),
                PartContent::Reasoning(reasoning) => {
                    self.reasoning(&mut body, part, reasoning, reasoning_count, &path());
                    reasoning_count += 1;
                }
                PartContent::ToolCall(call) => {
                    let extra = self.extra_content(part, &path());
                    body.tool_calls.push(ToolCallBody::of(call, self.quirks.custom_tools, extra));
                }
                _ => {
                    let extra = self.extra_content(part, &path());
                    body.extra_content = body.extra_content.take().or(extra);
                }
            }
        }
        body.content = self.content(&message.parts, index).into_body(self.quirks);
        self.messages.push(body);
    }

    fn reasoning(
        &mut self,
        body: &mut MessageBody<'a>,
        part: &Part,
        reasoning: &Reasoning,
        index: u32,
        path: &str,
    ) {
        let replay = self.quirks.reasoning;
        if replay == ReasoningReplay::Omitted {
            return self.losses.advisory(path);
        }
        if !reasoning.text.is_empty() {
            let text = body.reasoning_content.get_or_insert_default();
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&reasoning.text);
        }
        let is_signed = part.signature.is_some() || reasoning.encrypted.is_some();
        if is_signed && replay == ReasoningReplay::Details {
            body.reasoning_details.extend(details_of(reasoning, part.signature.as_ref(), index));
        } else if is_signed {
            self.losses.advisory(format!("{path}.signature"));
        }
    }

    /// Returns the member for the signature of a part that is no reasoning.
    fn extra_content(&mut self, part: &Part, path: &str) -> Option<ExtraContent> {
        let signature = part.signature.as_ref()?;
        let is_replayed = self.quirks.reasoning == ReasoningReplay::Details;
        let extra = ExtraContent::of(signature).filter(|_| is_replayed);
        if extra.is_none() {
            self.losses.advisory(format!("{path}.signature"));
        }
        extra
    }

    /// Renders the parts of a message that are its content.
    fn content(&mut self, parts: &'a [Part], message: usize) -> ContentWriter<'a> {
        let mut writer = ContentWriter::new(self.quirks);
        for (at, part) in parts.iter().enumerate() {
            writer.part(part, &format!("messages[{message}].content[{at}]"), self.losses);
        }
        writer
    }
}
