//! Messages as the provider takes them: those of user and assistant alternate, results of tools
//! come first in a message, and instructions of the system are apart.

use serde::Serialize;

use super::model::ModelTraits;
use super::part::render_parts;
use crate::anthropic::blocks::render::Block;
use crate::form::{Losses, Message, MessageRole};
use crate::json::MemberPath;

/// Text in place of a message of the user, where the conversation has none to begin with: the API
/// requires one.
const PLACEHOLDER: &str = ".";

/// Messages of a call.
#[derive(Debug, Default)]
pub(super) struct Conversation<'a> {
    /// Instructions before the conversation.
    pub system: Vec<Block<'a>>,
    /// Messages.
    pub turns: Vec<Turn<'a>>,
}

/// Message of a call.
#[derive(Debug, Serialize)]
pub(super) struct Turn<'a> {
    role: TurnRole,
    #[serde(serialize_with = "serialize_content")]
    content: Vec<Block<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum TurnRole {
    User,
    Assistant,
    System,
}

/// Serializes content as a text if it is one, and as blocks otherwise.
pub(super) fn serialize_content<S: serde::Serializer>(
    blocks: &[Block<'_>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let text = match blocks {
        [block] => block.as_plain_text(),
        _ => None,
    };
    match text {
        Some(text) => serializer.serialize_str(text),
        None => blocks.serialize(serializer),
    }
}

impl<'a> Conversation<'a> {
    /// Returns the messages of a request.
    pub fn of(messages: &'a [Message], traits: ModelTraits, losses: &mut Losses) -> Self {
        let mut conversation = Self::default();
        // Instructions that follow the next message of the user.
        let mut pending = Vec::new();
        let root = MemberPath::Root.member("messages");
        for (at, message) in messages.iter().enumerate() {
            let path = root.element(at);
            if message.name.is_some() {
                losses.advisory(path.member("name").to_string());
            }
            let blocks = render_parts(&message.parts, &path.member("content"), losses);
            match message.role {
                MessageRole::System | MessageRole::Developer => {
                    let is_leading = conversation.turns.is_empty() || !traits.accepts_system_messages;
                    if is_leading { &mut conversation.system } else { &mut pending }.extend(blocks);
                }
                MessageRole::User => conversation.push(TurnRole::User, blocks),
                MessageRole::Assistant => {
                    conversation.push_instructions(&mut pending);
                    conversation.push(TurnRole::Assistant, blocks);
                }
            }
        }
        conversation.push_instructions(&mut pending);
        conversation.complete();
        conversation
    }

    fn push(&mut self, role: TurnRole, blocks: Vec<Block<'a>>) {
        match self.turns.last_mut().filter(|last| last.role == role) {
            _ if blocks.is_empty() => {}
            Some(last) => last.content.extend(blocks),
            None => self.turns.push(Turn { role, content: blocks }),
        }
    }

    /// Appends instructions in the middle of the conversation, which have to follow a message of the
    /// user; others join those before the conversation.
    fn push_instructions(&mut self, pending: &mut Vec<Block<'a>>) {
        let blocks = std::mem::take(pending);
        if self.turns.last().is_some_and(|last| last.role == TurnRole::User) {
            self.push(TurnRole::System, blocks);
        } else {
            self.system.extend(blocks);
        }
    }

    fn complete(&mut self) {
        if self.turns.first().is_none_or(|first| first.role != TurnRole::User) {
            self.turns.insert(0, Turn { role: TurnRole::User, content: vec![Block::text(PLACEHOLDER)] });
        }
        for turn in &mut self.turns {
            // The sort is stable.
            turn.content.sort_by_key(|block| !matches!(block, Block::ToolResult { .. }));
        }
        self.trim_prefill();
    }

    /// Trims the beginning of the answer that the client wrote: the API rejects one that ends with
    /// white space.
    fn trim_prefill(&mut self) {
        let Some(last) = self.turns.last_mut().filter(|last| last.role == TurnRole::Assistant) else {
            return;
        };
        if let Some(Block::Text { text, .. }) = last.content.last_mut()
            && text.ends_with(char::is_whitespace)
        {
            let trimmed = text.trim_end().to_owned();
            if trimmed.is_empty() {
                last.content.pop();
            } else {
                *text = trimmed.into();
            }
        }
        if last.content.is_empty() {
            self.turns.pop();
        }
    }
}
