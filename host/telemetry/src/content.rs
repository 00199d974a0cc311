//! What was said in a request, where the operator wants it in the decision log or in
//! spans.
//!
//! It is nowhere else: not in a history, and so in no log line and no metric.

use std::fmt;

use pointsman_domain::prompt::Prompt;
use schemars::JsonSchema;
use serde::Serialize;

/// What was said in a request. It is read after the request has ended, and only as far
/// as it is told.
pub trait Exchange: fmt::Debug + Send {
    /// Bytes that are kept in memory for it.
    fn bytes(&self) -> usize;
    /// The request's messages.
    fn prompt(&self) -> &dyn Prompt;
    /// The answer, up to so many bytes of its text, if the gateway has it.
    fn answer(&self, most: usize) -> Option<Answer>;
}

/// What a model answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Its text, from the beginning.
    pub text: String,
    /// Whether that is not all of it.
    pub is_cut: bool,
    /// Why it ended, if that is known.
    pub finish_reason: Option<String>,
}

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
