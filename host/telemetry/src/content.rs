//! What a request says, where the operator wants it in the decision log.
//!
//! It is nowhere else: not in a history, and so in no log line, metric or span.

use pointsman_domain::prompt::Prompt;
use schemars::JsonSchema;
use serde::Serialize;

/// A request's messages, as many as were to be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Content {
    /// The newest messages, oldest first. The first one may lack its end.
    pub messages: Vec<Message>,
    /// Bytes of text that were left out.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out_bytes: usize,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Message {
    /// Whose it is: `system`, `user`, `assistant` …
    pub role: String,
    /// Its text; pictures and other parts are left out.
    pub text: String,
}

impl Content {
    /// The newest messages of a request, up to so many bytes of text.
    pub fn of(prompt: &dyn Prompt, most: usize) -> Self {
        let mut content = Self::default();
        let mut left = most;
        for number in (0..prompt.message_count()).rev() {
            let text = prompt.text(number).unwrap_or_default();
            let most = if content.messages.len() == MOST_MESSAGES { 0 } else { left };
            let kept = &text[..text.floor_char_boundary(most)];
            content.left_out_bytes += text.len() - kept.len();
            left = if kept.len() == text.len() { left - kept.len() } else { 0 };
            if content.messages.len() == MOST_MESSAGES || kept.is_empty() && !text.is_empty() {
                continue;
            }
            let role = prompt.role(number).unwrap_or_default();
            let role = role[..role.floor_char_boundary(MOST_OF_ROLE)].to_owned();
            content.messages.push(Message { role, text: kept.to_owned() });
        }
        content.messages.reverse();
        content
    }

    /// What it takes in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        let messages = self.messages.iter();
        messages.map(|message| size_of::<Message>() + message.role.len() + message.text.len()).sum()
    }
}

/// Roles are short, but clients can send anything.
const MOST_OF_ROLE: usize = 32;
/// Messages may be without text, so bytes alone are no bound.
const MOST_MESSAGES: usize = 1_000;

fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests;
